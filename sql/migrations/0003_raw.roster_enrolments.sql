-- Raw rows are in one notation: a date as YYYY-MM-DD, a time as HH:MM:SS, a number plain; what could not be read stays as sent.
select
    r.file_id,
    r.row_number,
    r.issuer,
    old_id(r.client_id) as client_id,
    old_text(r.contract_number) as contract_number,
    old_text(r.funding_type) as funding_type,
    old_text(r.care_band) as care_band,
    coalesce(old_number(r.contribution), old_text(r.contribution)) as contribution,
    old_text(r.key_worker) as key_worker,
    coalesce(on_start_date.day::varchar, old_text(r.start_date)) as start_date,
    coalesce(on_end_date.day::varchar, old_text(r.end_date)) as end_date
from raw.roster_enrolments as r
left join raw.files as f using (file_id)
left join old_dates as on_start_date on on_start_date.source = f.source and on_start_date.cell = r.start_date
left join old_dates as on_end_date on on_end_date.source = f.source and on_end_date.cell = r.end_date
