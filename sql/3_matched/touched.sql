-- One row is one client record that is not what matching last derived it from: new, changed, merged away, live again,
-- forgotten, or the survivor of a merged group of which any member changed (`profiles`). `rules` is in the hash so that
-- other rules touch every record.
with live as (
    select c.client_id, hash($rules::varchar, coalesce(p.compared_hash, c.compared_hash)) as source_hash
    from staged.clients as c
    left join profiles as p on p.client_id = c.client_id
    anti join (select client_id from staged.client_ids semi join staged.forgotten using (client_ref)) as f
        on f.client_id = c.client_id
    where c.survivor_id = c.client_id
)

select client_id, l.source_hash
from live as l
full join matched.scored as s using (client_id)
where l.source_hash is distinct from s.source_hash
