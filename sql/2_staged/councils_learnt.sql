-- One row is one client record with a rostering row whose council was unknown when it came and is known now.
select distinct s.origin_client_id as client_id
from staged.source_records as s
join roster_councils as c on c.issuer = s.issuer and c.record_id = s.record_id
where s.feed = 'roster_clients' and s.council is null
