-- One row is one client record that counts for a side of a candidate: the live record itself, and what was merged into it.
select c.client_id, c.survivor_id as side_id
from staged.clients as c
where c.survivor_id in (select left_id from matched.candidates union select right_id from matched.candidates)
