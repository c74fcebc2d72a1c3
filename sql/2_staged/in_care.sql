-- One row is one sign that the person in `person` is in care on a day or will be: the next file would bring them back.
select 'purchase orders that run or are to come' as sign, count(*) as rows
from staged.purchase_orders as o
join person as p on p.client_id = o.origin_client_id
where order_standing(o.start_on, o.end_on, o.status, $day) <> 'past'
having count(*) > 0
union all
select 'visits to come', count(*)
from staged.visits as v
join person as p on p.client_id = v.origin_client_id
where v.visit_on > $day and not is_cancelled(v.status)
having count(*) > 0
union all
select 'rostering records that are on the books', count(*)
from staged.source_records as s
join person as p on p.client_id = s.origin_client_id
where s.feed = 'roster_clients' and s.row_number is not null and on_the_books(s.active_to, s.status, $day)
having count(*) > 0
