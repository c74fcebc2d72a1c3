-- One row is one live client record of `touched`, as matching compares it: of a merged group, the group's profile.
select c.*
from staged.clients as c
semi join touched as t on t.client_id = c.client_id
anti join profiles as p on p.client_id = c.client_id
where c.survivor_id = c.client_id
union all by name
select p.* exclude (filled)
from profiles as p
semi join touched as t on t.client_id = p.client_id
