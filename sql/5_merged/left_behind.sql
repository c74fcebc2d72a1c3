-- One row is one kind of row that still counts for a record which was merged away, though it must not: whatever is of
-- today or to come, and the visits of the past within the range that was signed off. Law 7: there is none.
with rows_of as (
    select 'purchase_orders' as kind, client_id, count(*) as rows from staged.purchase_orders group by client_id
    union all
    select 'enrolments', client_id, count(*) from staged.enrolments group by client_id
    union all
    select 'references', client_id, count(*) from staged.references group by client_id
    union all
    select 'contacts', client_id, count(*) from staged.contacts group by client_id
    union all
    select 'aliases', client_id, count(*) from staged.aliases group by client_id
    union all
    select 'source_records', client_id, count(*) from staged.source_records group by client_id
    union all
    select 'visits', v.client_id, count(*)
    from staged.visits as v
    join merged.crosswalk as x on x.client_id = v.client_id
    where v.visit_on is null or v.visit_on > $as_of
        or v.visit_on >= coalesce($from_on::date, date '0001-01-01')
            and v.visit_on < coalesce($to_on::date, date '9999-12-31')
    group by v.client_id
    union all
    select 'clients', client_id, 1 from staged.clients where survivor_id = client_id
)

select m.merge_id, i.client_ref, r.kind, r.rows
from rows_of as r
join merged.crosswalk as x on x.client_id = r.client_id
join staged.client_ids as i on i.client_id = r.client_id
left join merged.merges as m on m.client_id = r.client_id
order by all
