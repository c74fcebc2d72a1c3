-- Raw rows are in one notation: a date as YYYY-MM-DD, a time as HH:MM:SS, a number plain; what could not be read stays as sent.
select
    r.file_id,
    r.row_number,
    r.issuer,
    old_id(r.visit_id) as visit_id,
    old_id(r.client_id) as client_id,
    old_text(r.purchase_order_number) as purchase_order_number,
    coalesce(on_visit_date.day::varchar, old_text(r.visit_date)) as visit_date,
    coalesce(old_time(r.start_time), old_text(r.start_time)) as start_time,
    coalesce(old_number(r.planned_minutes), old_text(r.planned_minutes)) as planned_minutes,
    coalesce(old_time(r.actual_start), old_text(r.actual_start)) as actual_start,
    coalesce(old_number(r.actual_minutes), old_text(r.actual_minutes)) as actual_minutes,
    coalesce(old_number(r.carers), old_text(r.carers)) as carers,
    old_text(r.status) as status
from raw.roster_visits as r
left join raw.files as f using (file_id)
left join old_dates as on_visit_date on on_visit_date.source = f.source and on_visit_date.cell = r.visit_date
