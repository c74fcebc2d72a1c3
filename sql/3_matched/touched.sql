-- One row is one client record that is not what matching last derived it from: new, changed, merged away, live again or
-- forgotten. `rules` is in the hash so that other rules touch every record.
with live as (
    select client_id, hash($rules::varchar, compared_hash) as source_hash
    from staged.clients
    anti join (select client_id from staged.client_ids semi join staged.forgotten using (client_ref)) using (client_id)
    where survivor_id = client_id
)

select client_id, l.source_hash
from live as l
full join matched.scored as s using (client_id)
where l.source_hash is distinct from s.source_hash
