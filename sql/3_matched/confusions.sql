-- One row is one number on two live client records that are plainly two people: a confusion, to be cleared up with
-- whoever sent it, and never proposed for merging. Who shares a number is found first, and the two are compared once they
-- are side by side in `compared`: as a condition of a join, DuckDB may ask the function of every two clients.
with shared as materialized (
    select n.kind, coalesce(n.issuer, '') as issuer, n.reference as number, n.client_id as left_id, m.client_id as right_id
    from staged.references as n
    join staged.references as m
        on m.kind = n.kind and m.reference = n.reference and m.client_id > n.client_id
        and (m.issuer = n.issuer or m.issuer is null or n.issuer is null)
    where n.kind in ('social_services_reference', 'nhs_number')
),

compared as materialized (
    select s.kind, s.issuer, s.number, l as one, r as other
    from shared as s
    left join staged.clients as l on l.client_id = s.left_id
    left join staged.clients as r on r.client_id = s.right_id
)

select kind, issuer, number, one.client_ref as left_ref, other.client_ref as right_ref
from compared
where one.survivor_id = one.client_id and other.survivor_id = other.client_id and someone_else(one, other)
order by kind, issuer, number, left_ref, right_ref
