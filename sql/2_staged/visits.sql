-- One row is one visit as its rostering system last exported it, and the client record that it counts for.
-- That is the record of the person who held the client id on the day of the visit.
select
    r.issuer,
    trimmed(r.visit_id) as visit_id,
    s.origin_client_id,
    s.client_id,
    b.file_on as sent_on,
    cleaned(r.purchase_order_number) as purchase_order_number,
    read_date(r.visit_date, $date_formats, $serials) as visit_on,
    read_time(r.start_time) as start_time,
    read_integer(r.planned_minutes) as planned_minutes,
    read_time(r.actual_start) as actual_start,
    read_integer(r.actual_minutes) as actual_minutes,
    read_integer(r.carers) as carers,
    cleaned(r.status) as status,
    r.file_id,
    r.row_number
from raw.roster_visits as r
join batch as b on b.file_id = r.file_id and b.source = $source
left join holdings as h on h.feed = 'roster_clients' and h.issuer = r.issuer and h.id_sent = trimmed(r.client_id)
left join kept_visits as k on k.issuer = r.issuer and k.visit_id = trimmed(r.visit_id)
join staged.source_records as s
    on s.feed = 'roster_clients' and s.issuer = r.issuer and s.record_id = held_by(
        trimmed(r.client_id), h.periods, coalesce(read_date(r.visit_date, $date_formats, $serials), b.file_on),
        k.origin_client_id
    )
qualify row_number() over (
    partition by r.issuer, trimmed(r.visit_id) order by b.file_on desc, b.file_name desc, r.row_number desc
) = 1
