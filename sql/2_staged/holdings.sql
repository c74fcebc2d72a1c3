-- One row is one rostering id or order line that came with more than one person: the days from which each holds it, in
-- order, and the client record of each.
select
    h.feed,
    h.issuer,
    h.id_sent,
    list(
        {'held_from': h.held_from, 'record_id': h.record_id, 'origin_client_id': s.origin_client_id}
        order by h.held_from, length(h.record_id), h.record_id
    ) as periods
from staged.id_holders as h
join staged.source_records as s on s.feed = h.feed and s.issuer = h.issuer and s.record_id = h.record_id
group by h.feed, h.issuer, h.id_sent
