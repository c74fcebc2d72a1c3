-- One row is one rostering client whose enrolments all fall under one council's contracts.
-- Under two councils nobody can tell which of them issued the reference, so none is said. The register tells of retired files.
with enrolled as (
    select issuer, client_id as record_id, contract_number from raw.roster_enrolments
    union
    select issuer, record_id, contract_number from staged.enrolments
)

select r.issuer, r.record_id, min(c.council) as council
from enrolled as r
join staged.contracts as c using (contract_number)
group by r.issuer, r.record_id
having count(distinct c.council) = 1
