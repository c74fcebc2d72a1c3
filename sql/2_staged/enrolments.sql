-- One row is one contract enrolment of one rostering client, as last exported, and the client record that it counts for.
-- The same client may enrol on one contract more than once; each start is a row.
select
    r.issuer,
    trimmed(r.client_id) as record_id,
    cleaned(r.contract_number) as contract_number,
    coalesce(read_date(r.start_date, $date_formats, $serials), date '1900-01-01') as start_on,
    s.origin_client_id,
    s.client_id,
    b.file_on as sent_on,
    cleaned(r.funding_type) as funding_type,
    cleaned(r.care_band) as care_band,
    read_decimal(r.contribution) as contribution,
    cleaned(r.key_worker) as key_worker,
    read_date(r.end_date, $date_formats, $serials) as end_on,
    r.file_id,
    r.row_number
from raw.roster_enrolments as r
join batch as b on b.file_id = r.file_id and b.source = $source
join staged.source_records as s
    on s.feed = 'roster_clients' and s.issuer = r.issuer and s.record_id = trimmed(r.client_id)
qualify row_number() over (
    partition by r.issuer, trimmed(r.client_id), cleaned(r.contract_number), start_on
    order by b.place desc, r.row_number desc
) = 1
