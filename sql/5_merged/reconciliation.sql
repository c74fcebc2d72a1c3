-- One row is one partition that a sign-off brought up to date, with the sums over what its rows hold before and after; or
-- one total over the register, by the record that rows came in for or count for: nothing is lost (law 4).
with totals as (
    select origin_client_id, client_id, 'visits' as kind, count(*) as rows, sum(planned_minutes) as amount
    from staged.visits group by all
    union all
    select origin_client_id, client_id, 'purchase_orders', count(*), sum(weekly_pence(rate, weekly_units))
    from staged.purchase_orders group by all
    union all
    select origin_client_id, client_id, 'enrolments', count(*), 0 from staged.enrolments group by all
    union all
    select origin_client_id, client_id, 'contacts', count(*), 0 from staged.contacts group by all
    union all
    select origin_client_id, client_id, 'aliases', count(*), 0 from staged.aliases group by all
    union all
    select origin_client_id, client_id, 'references', count(*), 0 from staged.references group by all
    union all
    select origin_client_id, client_id, 'source_records', count(*), 0 from staged.source_records group by all
),

-- A row whose record nobody made falls out of its total, so that the two totals differ.
sided as (
    select if(x.client_id is null, 'live records', 'merged-away records') as whose, 'came in for' as how, t.*
    from totals as t
    join staged.client_ids as i on i.client_id = t.origin_client_id
    left join merged.crosswalk as x on x.client_id = t.origin_client_id
    union all
    select if(x.client_id is null, 'live records', 'merged-away records'), 'count for', t.*
    from totals as t
    join staged.client_ids as i on i.client_id = t.client_id
    left join merged.crosswalk as x on x.client_id = t.client_id
),

wide as (
    select
        how,
        coalesce(whose, 'all records') as whose,
        coalesce(sum(rows) filter (kind = 'visits'), 0)::bigint as visits,
        coalesce(sum(amount) filter (kind = 'visits'), 0)::bigint as visit_minutes,
        coalesce(sum(rows) filter (kind = 'purchase_orders'), 0)::bigint as purchase_orders,
        coalesce(sum(amount) filter (kind = 'purchase_orders'), 0)::bigint as order_pence,
        coalesce(sum(rows) filter (kind = 'enrolments'), 0)::bigint as enrolments,
        coalesce(sum(rows) filter (kind = 'contacts'), 0)::bigint as contacts,
        coalesce(sum(rows) filter (kind = 'aliases'), 0)::bigint as aliases,
        coalesce(sum(rows) filter (kind = 'references'), 0)::bigint as "references",
        coalesce(sum(rows) filter (kind = 'source_records'), 0)::bigint as source_records
    from sided
    group by grouping sets ((how, whose), (how))
),

-- What all rows add up to, whichever way they are grouped, in one short text.
told as (
    select
        *,
        left(md5([visits, visit_minutes, purchase_orders, order_pence, enrolments, contacts, aliases, "references",
            source_records]::varchar), 16) as adds_up_to
    from wide
),

lines as (
    select
        1 as part,
        'moved' as line,
        signed_in,
        signed_by,
        partition_name as partition,
        from_on,
        to_on,
        visits,
        visit_minutes,
        purchase_orders,
        order_pence,
        enrolments,
        contacts,
        aliases,
        "references",
        source_records,
        clients,
        checksum_before as before,
        checksum_after as after
    from merged.ledger
    union all
    select
        2, t.how || ' ' || t.whose, null, null, null, null, null, t.visits, t.visit_minutes, t.purchase_orders,
        t.order_pence, t.enrolments, t.contacts, t.aliases, t."references", t.source_records, null,
        if(t.whose = 'all records', came.adds_up_to, null), if(t.whose = 'all records', counts.adds_up_to, null)
    from told as t
    join told as came on came.how = 'came in for' and came.whose = 'all records'
    join told as counts on counts.how = 'count for' and counts.whose = 'all records'
)

select * exclude (part), if(before is null, '', if(before = after, 'yes', 'NO')) as equal
from lines
order by part, signed_in, from_on, line, partition
