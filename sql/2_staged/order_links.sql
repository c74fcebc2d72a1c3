-- One row is one purchase order line of this batch, the client record that it belongs to, and how that was found.
-- As the council import does it: the exact reference joins, else a new record is made. Two things are safer than the
-- import: a line that is plainly about someone else than the reference's holder makes a record of its own, and a
-- reference of unknown council is taken only if something else speaks for it.
with lines as (
    select * from people where feed = 'purchase_orders'
),

known as (
    select p.issuer, p.record_id, s.origin_client_id, s.how_linked
    from lines as p
    join staged.source_records as s
        on s.feed = p.feed and s.issuer = p.issuer and s.record_id = p.record_id
    where s.reference is not distinct from p.reference
),

holders as materialized (
    select
        p.issuer,
        p.record_id,
        c.client_id,
        someone_else(p, c) as is_someone_else,
        h.issuer is null as council_unknown,
        speaks_for(p, c) as something_speaks
    from lines as p
    join staged.references as h
        on h.kind = 'social_services_reference' and h.reference = p.reference
        and (h.issuer = p.issuer or h.issuer is null)
    join staged.clients as c on c.client_id = h.origin_client_id
    where h.issuer is not null or not exists (
        select 1 from staged.references as claimed
        where claimed.origin_client_id = h.origin_client_id and claimed.kind = h.kind and claimed.reference = h.reference
          and claimed.issuer <> p.issuer
    )
),

found as (
    select issuer, record_id, client_id, council_unknown
    from holders
    where not is_someone_else and (not council_unknown or something_speaks)
    qualify row_number() over (partition by issuer, record_id order by council_unknown, client_id) = 1
),

-- Where two councils claim one record of unknown council in one night, nobody can tell whose reference it is.
joined as (
    select issuer, record_id, client_id
    from found
    qualify not council_unknown
        or min(issuer) over (partition by client_id, council_unknown)
        = max(issuer) over (partition by client_id, council_unknown)
),

-- Of the lines that bring a new reference, the first makes the record; one plainly about someone else makes its own.
first_lines as (
    select p.*
    from lines as p
    where p.reference is not null and (p.issuer, p.record_id) not in (select (issuer, record_id) from holders)
    qualify row_number() over (partition by p.issuer, p.reference order by p.sent_on, p.record_id) = 1
),

-- An order without a usable reference is a record of its own, which all its lines share; the line of somebody else than the
-- first line's person, and a second person under one order line (`PO1/1~2`), have one each.
first_of_order as (
    select issuer, order_of_line(record_id) as order_number, lines as first
    from lines
    where not regexp_matches(record_id, '~\d+$')
    qualify row_number() over (partition by issuer, order_number order by sent_on, record_id) = 1
),

beside_first as materialized (
    select p as line, f.first, c as holder, p.issuer || '/order/' || order_of_line(p.record_id) as order_ref
    from lines as p
    left join first_of_order as f on f.issuer = p.issuer and f.order_number = order_of_line(p.record_id)
    left join staged.clients as c on c.client_ref = p.issuer || '/order/' || order_of_line(p.record_id)
),

own_refs as (
    select
        line.issuer as issuer,
        line.record_id as record_id,
        if(
            regexp_matches(line.record_id, '~\d+$')
            or if(holder.client_id is null, someone_else(line, first), someone_else(line, holder)),
            order_ref || ' line ' || regexp_extract(line.record_id, '[^/]*$'),
            order_ref
        ) as own_ref
    from beside_first
),

own_orders as (
    select o.issuer, o.record_id, o.own_ref, c.client_id
    from own_refs as o
    left join staged.client_ids as c on c.client_ref = o.own_ref
)

select
    p.feed,
    p.issuer,
    p.record_id,
    case
        when k.origin_client_id is not null then k.origin_client_id
        when f.client_id is not null then f.client_id
        when p.reference is null or n.record_id is null or someone_else(p, n) then o.client_id
    end as client_id,
    if(
        p.reference is null or n.record_id is null or someone_else(p, n),
        o.own_ref,
        p.issuer || '/reference/' || p.reference
    ) as new_client_ref,
    case
        when k.origin_client_id is not null then k.how_linked
        when f.client_id is not null then 'exact_reference'
        when p.reference is null then 'missing_reference'
        when n.record_id is null or someone_else(p, n) then 'reference_of_someone_else'
        else 'new_reference'
    end as how_linked
from lines as p
left join known as k using (issuer, record_id)
left join joined as f using (issuer, record_id)
left join first_lines as n on n.issuer = p.issuer and n.reference = p.reference
left join own_orders as o on o.issuer = p.issuer and o.record_id = p.record_id
