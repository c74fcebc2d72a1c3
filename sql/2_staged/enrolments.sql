-- One row is one contract enrolment of one rostering client, as last exported, and the client record that it counts for.
-- That is the record of the person who held the client id on the day on which it starts. The same client may enrol on one contract more than once; each start is a row.
select
    r.issuer,
    s.record_id,
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
left join holdings as h on h.feed = 'roster_clients' and h.issuer = r.issuer and h.id_sent = trimmed(r.client_id)
left join kept_enrolments as k
    on k.issuer = r.issuer and k.id_sent = trimmed(r.client_id)
    and k.contract_number is not distinct from cleaned(r.contract_number)
    and k.start_on = coalesce(read_date(r.start_date, $date_formats, $serials), date '1900-01-01')
join staged.source_records as s
    on s.feed = 'roster_clients' and s.issuer = r.issuer and s.record_id = held_by(
        trimmed(r.client_id), h.periods, coalesce(read_date(r.start_date, $date_formats, $serials), b.file_on),
        k.origin_client_id
    )
qualify row_number() over (
    partition by r.issuer, s.record_id, cleaned(r.contract_number), start_on
    order by b.file_on desc, b.file_name desc, r.row_number desc
) = 1
