-- Raw rows are in one notation: a date as YYYY-MM-DD, a time as HH:MM:SS, a number plain; what could not be read stays as sent.
select
    r.file_id,
    r.row_number,
    r.issuer,
    old_text(r.file_reference) as file_reference,
    coalesce(on_created.day::varchar, old_text(r.created)) as created,
    old_text(r.authority_code) as authority_code,
    old_text(r.provider_ref) as provider_ref,
    old_text(r.contract_number) as contract_number,
    old_text(r.social_services_ref) as social_services_ref,
    old_text(r.nhs_number) as nhs_number,
    old_text(r.title) as title,
    old_text(r.forename) as forename,
    old_text(r.surname) as surname,
    old_text(r.gender) as gender,
    coalesce(on_date_of_birth.day::varchar, old_text(r.date_of_birth)) as date_of_birth,
    old_text(r.address_1) as address_1,
    old_text(r.address_2) as address_2,
    old_text(r.town) as town,
    old_text(r.postcode) as postcode,
    old_text(r.phone) as phone,
    old_id(r.purchase_order_number) as purchase_order_number,
    old_text(r.line_number) as line_number,
    old_text(r.service_type) as service_type,
    coalesce(on_start_date.day::varchar, old_text(r.start_date)) as start_date,
    coalesce(on_end_date.day::varchar, old_text(r.end_date)) as end_date,
    coalesce(old_number(r.weekly_units), old_text(r.weekly_units)) as weekly_units,
    old_text(r.unit_of_measure) as unit_of_measure,
    coalesce(old_number(r.visit_minutes), old_text(r.visit_minutes)) as visit_minutes,
    coalesce(old_number(r.carers), old_text(r.carers)) as carers,
    coalesce(old_number(r.rate), old_text(r.rate)) as rate,
    old_text(r.status) as status
from raw.purchase_orders as r
left join raw.files as f using (file_id)
left join old_dates as on_created on on_created.source = f.source and on_created.cell = r.created
left join old_dates as on_date_of_birth on on_date_of_birth.source = f.source and on_date_of_birth.cell = r.date_of_birth
left join old_dates as on_start_date on on_start_date.source = f.source and on_start_date.cell = r.start_date
left join old_dates as on_end_date on on_end_date.source = f.source and on_end_date.cell = r.end_date
