-- One row is one visit that is kept of a client record whose rostering id came with more than one person: sent again, it
-- stays with that record.
select v.issuer, v.visit_id, v.origin_client_id
from staged.visits as v
where v.origin_client_id in (select unnest(periods).origin_client_id from holdings where feed = 'roster_clients')
