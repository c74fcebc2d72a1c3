-- One row is one contract number and the one council whose orders name it; a number that two councils use is nobody's.
-- It tells which council issued the references of a rostering system's clients.
select cleaned(contract_number) as contract_number, min(issuer) as council
from raw.purchase_orders
where cleaned(contract_number) is not null
group by cleaned(contract_number)
having count(distinct issuer) = 1
