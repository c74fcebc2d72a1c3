-- One row is the latest that one source row said of a person (a rostering client, a purchase order line), the client
-- record that it came in for (`origin_client_id`, for ever) and the one that it counts for today (`client_id`).
select
    p.*,
    l.how_linked,
    l.client_id as origin_client_id,
    coalesce(x.survivor_id, l.client_id) as client_id
from people as p
join links as l on l.feed = p.feed and l.issuer = p.issuer and l.record_id = p.record_id
left join merged.crosswalk as x on x.client_id = l.client_id
