-- One row is one client record that counts for a side of a candidate in the report: the live record itself, and what was
-- merged into it.
select c.client_id, c.survivor_id as side_id
from staged.clients as c
where c.survivor_id in (select left_id from evidence union select right_id from evidence)
