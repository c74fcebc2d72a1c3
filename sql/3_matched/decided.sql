-- One row is one pair of live client records that people hold to be one person, or two. What was decided about a record
-- that has been merged away goes on for its survivor; where decisions then disagree, *different* holds.
select
    least(l.survivor_id, r.survivor_id) as left_id,
    greatest(l.survivor_id, r.survivor_id) as right_id,
    bool_and(s.standing = 'same') as is_same
from reviewed.standings as s
join staged.clients as l on l.client_id = s.left_id
join staged.clients as r on r.client_id = s.right_id
where s.standing in ('same', 'different') and l.survivor_id <> r.survivor_id
    and l.client_ref not in (select client_ref from staged.forgotten)
    and r.client_ref not in (select client_ref from staged.forgotten)
group by all
