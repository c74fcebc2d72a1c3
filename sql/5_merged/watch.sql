-- One row is one thing found on a merged-away record (`merged_away`) since it was merged: what would bring it back to life
-- in a system that does not know of the merge, or what counts for it although it must not (law 7). `known_since` is when
-- the last file that says so was loaded, in seconds; it is asked of orders alone.
with last_export as (
    select issuer, max(delivered_for) as sent_for
    from raw.files
    where feed = 'roster_clients' and status = 'loaded'
    group by issuer
),

found as (
    select a.merge_id, a.client_id, 'order came in since' as what, count(*) as rows, max(epoch(f.landed_at)) as known_since
    from staged.purchase_orders as o
    join merged_away as a on a.client_id = o.origin_client_id
    left join raw.files as f using (file_id)
    where o.sent_on > a.as_of and order_standing(o.start_on, o.end_on, o.status, $day) <> 'past'
    group by all
    union all
    select a.merge_id, a.client_id, 'visit came in since', count(*), null
    from staged.visits as v
    join merged_away as a on a.client_id = v.origin_client_id
    where v.sent_on > a.as_of and v.visit_on > a.as_of and not is_cancelled(v.status)
    group by all
    union all
    select a.merge_id, a.client_id, 'enrolment came in since', count(*), null
    from staged.enrolments as e
    join merged_away as a on a.client_id = e.origin_client_id
    where e.sent_on > a.as_of and coalesce(e.end_on, date '9999-12-31') >= $day
    group by all
    union all
    -- A row that says nothing new keeps the day on which it was first sent, so the export's own day is asked.
    select a.merge_id, a.client_id, 'still on the books of its rostering system', count(*), null
    from staged.source_records as s
    join merged_away as a on a.client_id = s.origin_client_id
    join last_export as x on x.issuer = s.issuer and x.sent_for > a.as_of
    where s.feed = 'roster_clients' and on_the_books(s.active_to, s.status, $day)
    group by all
    union all
    select a.merge_id, a.client_id, t.kind || ' count for the merged-away record', count(*), null
    from (
        select 'orders' as kind, client_id from staged.purchase_orders
        where order_standing(start_on, end_on, status, $day) <> 'past'
        union all
        select 'visits to come', client_id from staged.visits where visit_on > $day and not is_cancelled(status)
        union all
        select 'enrolments', client_id from staged.enrolments
        union all
        select 'references', client_id from staged.references
    ) as t
    join merged_away as a on a.client_id = t.client_id
    group by all
)

select
    f.merge_id,
    i.client_ref,
    f.what,
    f.rows,
    contains(f.what, 'count for') as breaks_a_law,
    coalesce(f.known_since, 0) as known_since
from found as f
join staged.client_ids as i on i.client_id = f.client_id
order by all
