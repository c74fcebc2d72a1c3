-- One row is what one merge moves (or leaves, when it is outside the range) of one kind of row, within one partition,
-- from one client record to another. `moving` says for which record each record's rows are to count.
with dated as (
    select
        m.merge_id,
        'visits' as kind,
        v.client_id as from_id,
        m.target_id as into_id,
        if(v.visit_on is null or v.visit_on > $as_of, null, date_trunc($partition, v.visit_on)::date) as from_on,
        v.visit_on is null or v.visit_on > $as_of
            or v.visit_on >= coalesce($from_on::date, date '0001-01-01')
            and v.visit_on < coalesce($to_on::date, date '9999-12-31') as in_range,
        count(*) as rows,
        sum(v.planned_minutes) as minutes
    from staged.visits as v
    join moving as m on m.client_id = v.origin_client_id
    where v.client_id <> m.target_id
    group by all
),

current as (
    select m.merge_id, t.kind, t.client_id as from_id, m.target_id as into_id, count(*) as rows, sum(t.pence) as pence
    from (
        select 'purchase_orders' as kind, origin_client_id, client_id, weekly_pence(rate, weekly_units) as pence
        from staged.purchase_orders
        union all
        select 'enrolments', origin_client_id, client_id, 0 from staged.enrolments
        union all
        select 'contacts', origin_client_id, client_id, 0 from staged.contacts
        union all
        select 'aliases', origin_client_id, client_id, 0 from staged.aliases
        union all
        select 'references', origin_client_id, client_id, 0 from staged.references
        union all
        select 'source_records', origin_client_id, client_id, 0 from staged.source_records
    ) as t
    join moving as m on m.client_id = t.origin_client_id
    where t.client_id <> m.target_id
    group by all
)

select
    merge_id, kind, from_id, into_id, from_on, in_range, rows::bigint as rows, coalesce(minutes, 0)::bigint as minutes,
    0::bigint as pence
from dated
union all
select merge_id, kind, from_id, into_id, null, true, rows::bigint, 0, coalesce(pence, 0)::bigint
from current
