-- One row is one record of a live merge: the member for which it counted when the merge was signed off, and the survivor
-- that was named. It tells which merge a row has to thank for where it stands.
select
    s.merge_id::varchar as merge_id,
    s.signed_in::integer as signed_in,
    s.as_of::date as as_of,
    one.client_id,
    member.client_id as member_id,
    survivor.client_id as into_id,
    s.wave::varchar as wave
from signed as s
join staged.client_ids as one using (client_ref)
join staged.client_ids as member on member.client_ref = s.member_ref
join staged.client_ids as survivor on survivor.client_ref = s.into_ref
