-- One row is one number on two live client records that are plainly two people: a confusion, to be cleared up with
-- whoever sent it, and never proposed for merging. Who shares a number is found first: compared with all, nobody ends.
with shared as materialized (
    select n.kind, coalesce(n.issuer, '') as issuer, n.reference as number, n.client_id as left_id, m.client_id as right_id
    from staged.references as n
    join staged.references as m
        on m.kind = n.kind and m.reference = n.reference and m.client_id > n.client_id
        and (m.issuer = n.issuer or m.issuer is null or n.issuer is null)
    where n.kind in ('social_services_reference', 'nhs_number')
)

select s.kind, s.issuer, s.number, l.client_ref as left_ref, r.client_ref as right_ref
from shared as s
join staged.clients as l on l.client_id = s.left_id and l.survivor_id = l.client_id
join staged.clients as r on r.client_id = s.right_id and r.survivor_id = r.client_id
where someone_else(l, r)
order by s.kind, s.issuer, s.number, left_ref, right_ref
