-- One row is how many rows of one kind count for one client record today, of those that the merges at hand can touch.
with rows_of as (
    select 'visits' as kind, origin_client_id, client_id from staged.visits
    union all
    select 'purchase_orders', origin_client_id, client_id from staged.purchase_orders
    union all
    select 'enrolments', origin_client_id, client_id from staged.enrolments
)

select m.merge_id, t.kind, t.client_id, count(*)::bigint as rows
from rows_of as t
join moving as m on m.client_id = t.origin_client_id
group by all
