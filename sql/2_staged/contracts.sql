-- One row is one contract number and the one council whose orders name it; a number that two councils use is nobody's.
-- It tells which council issued the references of a rostering system's clients. The register tells of retired files.
with named as (
    select contract_number, issuer from raw.purchase_orders
    union
    select contract_number, issuer from staged.purchase_orders
)

select contract_number, min(issuer) as council
from named
where contract_number is not null
group by contract_number
having count(distinct issuer) = 1
