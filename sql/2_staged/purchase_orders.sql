-- One row is one purchase order line as its council last sent it, and the client record that it counts for.
select
    r.issuer,
    s.record_id,
    trimmed(r.purchase_order_number) as purchase_order_number,
    coalesce(cleaned(r.line_number), '1') as line_number,
    s.origin_client_id,
    s.client_id,
    s.sent_on,
    cleaned(r.contract_number) as contract_number,
    cleaned(r.service_type) as service_type,
    read_date(r.start_date, $date_formats, $serials) as start_on,
    read_date(r.end_date, $date_formats, $serials) as end_on,
    read_decimal(r.weekly_units) as weekly_units,
    cleaned(r.unit_of_measure) as unit_of_measure,
    read_integer(r.visit_minutes) as visit_minutes,
    read_integer(r.carers) as carers,
    read_decimal(r.rate) as rate,
    cleaned(r.status) as status,
    r.file_id,
    r.row_number
from people as p
join batch as b on b.file_id = p.file_id and b.source = $source
join raw.purchase_orders as r on r.file_id = p.file_id and r.row_number = p.row_number
join staged.source_records as s
    on s.feed = p.feed and s.issuer = p.issuer and s.record_id = p.record_id
where p.feed = 'purchase_orders'
