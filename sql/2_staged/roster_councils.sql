-- One row is one rostering client whose enrolments all fall under one council's contracts.
-- Under two councils nobody can tell which of them issued the reference, so none is said.
select r.issuer, trimmed(r.client_id) as record_id, min(c.council) as council
from raw.roster_enrolments as r
join staged.contracts as c on c.contract_number = cleaned(r.contract_number)
group by r.issuer, trimmed(r.client_id)
having count(distinct c.council) = 1
