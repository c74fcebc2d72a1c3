-- One row is one merged-away client record, the record that it counts for, and the merge that it has to thank for it: of
-- several (its survivor was merged away in turn) the one that merged the record itself away.
select
    x.client_id,
    x.survivor_id,
    i.client_ref,
    survivor.client_ref as survivor_ref,
    m.merge_id,
    m.wave,
    m.signed_in,
    m.as_of,
    d.who as signed_by,
    d.recorded_at as signed_at
from merged.crosswalk as x
join staged.client_ids as i on i.client_id = x.client_id
join staged.client_ids as survivor on survivor.client_id = x.survivor_id
left join merged.merges as m on m.client_id = x.client_id
left join reviewed.decisions as d on d.sequence_number = m.signed_in
qualify row_number() over (
    partition by x.client_id order by m.into_id = m.client_id, m.member_id <> m.client_id, m.signed_in, m.merge_id
) = 1
order by i.client_ref
