-- One row is one enrolment that is kept of a client record whose rostering id came with more than one person: sent again,
-- it stays with that record.
select e.issuer, h.id_sent, e.contract_number, e.start_on, min(e.origin_client_id) as origin_client_id
from staged.enrolments as e
join (select distinct issuer, id_sent, record_id from staged.id_holders where feed = 'roster_clients') as h
    on h.issuer = e.issuer and h.record_id = e.record_id
group by all
