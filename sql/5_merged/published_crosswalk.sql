-- One row is one merged-away client record by its readable id, the record that it counts for, and since which sign-off.
-- For whoever has to look a record up in another system: a record that is not in it counts for itself.
select
    client_ref,
    survivor_ref,
    merge_id,
    wave,
    signed_in,
    timezone($timezone, signed_at)::date as signed_on,
    signed_by
from merged_away
order by client_ref
