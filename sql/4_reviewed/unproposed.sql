-- One row is one pair of live client records that a person decided, that matching does not propose, and that waits for a
-- reviewer: its decision lapsed, is disputed, or was *unsure*. The report shows it, since no candidate does.
select s.left_id, s.right_id
from reviewed.standings as s
join staged.clients as l on l.client_id = s.left_id and l.survivor_id = l.client_id
join staged.clients as r on r.client_id = s.right_id and r.survivor_id = r.client_id
anti join matched.candidates as c on c.left_id = s.left_id and c.right_id = s.right_id
where not list_contains($settled, s.standing)
    and l.client_ref not in (select client_ref from staged.forgotten)
    and r.client_ref not in (select client_ref from staged.forgotten)
order by s.left_id, s.right_id
