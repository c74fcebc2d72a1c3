-- One row is one person that the orders in `reading` name by reference, or one order without a reference, and whether a client
-- record would be found: one that has the reference, or the order itself, or one that a file of tonight brings.
with sent as (
    select
        coalesce(upper(cleaned(authority_code)), $issuer) as issuer,
        cleaned(social_services_ref) as reference,
        if(cleaned(social_services_ref) is null, trimmed(purchase_order_number), null) as order_number,
        min(row_number) as row_number
    from reading
    where row_number not in (select row_number from rejected)
    group by all
),

refs as (
    select distinct issuer, reference from staged.references where kind = 'social_services_reference'
    union
    select issuer, cleaned(social_services_ref) from raw.purchase_orders
    where file_id not in (select file_id from staged.taken_files)
),

orders as (
    select distinct issuer, purchase_order_number from staged.purchase_orders
    union
    select issuer, trimmed(purchase_order_number) from raw.purchase_orders
    where file_id not in (select file_id from staged.taken_files)
)

select
    coalesce(s.reference, s.order_number) as named,
    s.reference,
    s.row_number,
    r.reference is not null or u.reference is not null or o.purchase_order_number is not null as is_known
from sent as s
left join refs as r on r.issuer = s.issuer and r.reference = s.reference
left join refs as u on u.issuer is null and u.reference = s.reference
left join orders as o on o.issuer = s.issuer and o.purchase_order_number = s.order_number
