-- One row is one source row about the person in `person`, and the id that it keeps once the person is forgotten: an order
-- line its own, a rostering client a token, since a rostering id is personal and a later export may bring it back.
select
    s.feed,
    s.issuer,
    s.record_id,
    if(
        s.feed = 'roster_clients' and not starts_with(s.record_id, $stem),
        $stem || '-' || row_number() over (partition by s.feed order by s.issuer, s.record_id),
        s.record_id
    ) as kept_id,
    p.client_ref,
    s.how_linked
from staged.source_records as s
join person as p on p.client_id = s.origin_client_id
