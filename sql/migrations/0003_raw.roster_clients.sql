-- Raw rows are in one notation: a date as YYYY-MM-DD, a time as HH:MM:SS, a number plain; what could not be read stays as sent.
select
    r.file_id,
    r.row_number,
    r.issuer,
    old_id(r.client_id) as client_id,
    old_text(r.social_services_ref) as social_services_ref,
    old_text(r.nhs_number) as nhs_number,
    old_text(r.title) as title,
    old_text(r.forename) as forename,
    old_text(r.known_as) as known_as,
    old_text(r.other_names) as other_names,
    old_text(r.surname) as surname,
    old_text(r.gender) as gender,
    coalesce(on_date_of_birth.day::varchar, old_text(r.date_of_birth)) as date_of_birth,
    old_text(r.address_1) as address_1,
    old_text(r.address_2) as address_2,
    old_text(r.town) as town,
    old_text(r.county) as county,
    old_text(r.postcode) as postcode,
    old_text(r.phone) as phone,
    old_text(r.mobile) as mobile,
    old_text(r.email) as email,
    old_text(r.branch) as branch,
    old_text(r.area) as area,
    coalesce(on_start_date.day::varchar, old_text(r.start_date)) as start_date,
    coalesce(on_end_date.day::varchar, old_text(r.end_date)) as end_date,
    old_text(r.status) as status
from raw.roster_clients as r
left join raw.files as f using (file_id)
left join old_dates as on_date_of_birth on on_date_of_birth.source = f.source and on_date_of_birth.cell = r.date_of_birth
left join old_dates as on_start_date on on_start_date.source = f.source and on_start_date.cell = r.start_date
left join old_dates as on_end_date on on_end_date.source = f.source and on_end_date.cell = r.end_date
