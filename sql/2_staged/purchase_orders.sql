-- One row is one purchase order line as its council last sent it, and the client record that it counts for.
select
    r.issuer,
    s.record_id,
    r.purchase_order_number,
    coalesce(r.line_number, '1') as line_number,
    s.origin_client_id,
    s.client_id,
    s.sent_on,
    r.contract_number,
    r.service_type,
    date_of(r.start_date) as start_on,
    date_of(r.end_date) as end_on,
    decimal_of(r.weekly_units) as weekly_units,
    r.unit_of_measure,
    integer_of(r.visit_minutes) as visit_minutes,
    integer_of(r.carers) as carers,
    decimal_of(r.rate) as rate,
    r.status,
    r.file_id,
    r.row_number
from people as p
join raw.purchase_orders as r on r.file_id = p.file_id and r.row_number = p.row_number
join staged.source_records as s
    on s.feed = p.feed and s.issuer = p.issuer and s.record_id = p.record_id
where p.feed = 'purchase_orders'
