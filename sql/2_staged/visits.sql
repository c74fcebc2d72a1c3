-- One row is one visit as its rostering system last exported it, and the client record that it counts for.
-- That is the record of the person who held the client id on the day of the visit.
select
    r.issuer,
    r.visit_id,
    s.origin_client_id,
    s.client_id,
    b.file_on as sent_on,
    r.purchase_order_number,
    date_of(r.visit_date) as visit_on,
    time_of(r.start_time) as start_time,
    integer_of(r.planned_minutes) as planned_minutes,
    time_of(r.actual_start) as actual_start,
    integer_of(r.actual_minutes) as actual_minutes,
    integer_of(r.carers) as carers,
    r.status,
    r.file_id,
    r.row_number
from known_roster_visits as r
join batch as b on b.file_id = r.file_id
left join holdings as h on h.feed = 'roster_clients' and h.issuer = r.issuer and h.id_sent = r.client_id
left join kept_visits as k on k.issuer = r.issuer and k.visit_id = r.visit_id
join staged.source_records as s
    on s.feed = 'roster_clients' and s.issuer = r.issuer and s.record_id = held_by(
        r.client_id, h.periods, coalesce(date_of(r.visit_date), b.file_on), k.origin_client_id
    )
qualify row_number() over (
    partition by r.issuer, r.visit_id order by b.place desc, r.row_number desc
) = 1
