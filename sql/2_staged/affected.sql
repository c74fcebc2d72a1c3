-- One row is one client record that a row of `people` leaves, joins or stays on: what follows from it is derived again.
select l.client_id
from links as l
union
select s.origin_client_id
from staged.source_records as s
join links as l on l.feed = s.feed and l.issuer = s.issuer and l.record_id = s.record_id
