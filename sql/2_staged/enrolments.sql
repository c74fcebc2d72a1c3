-- One row is one contract enrolment of one rostering client, as last exported, and the client record that it counts for.
-- The same client may enrol on one contract more than once; each start is a row.
select
    r.issuer,
    r.client_id as record_id,
    r.contract_number,
    coalesce(date_of(r.start_date), date '1900-01-01') as start_on,
    s.origin_client_id,
    s.client_id,
    b.file_on as sent_on,
    r.funding_type,
    r.care_band,
    decimal_of(r.contribution) as contribution,
    r.key_worker,
    date_of(r.end_date) as end_on,
    r.file_id,
    r.row_number
from known_roster_enrolments as r
join batch as b on b.file_id = r.file_id
join staged.source_records as s
    on s.feed = 'roster_clients' and s.issuer = r.issuer and s.record_id = r.client_id
qualify row_number() over (
    partition by r.issuer, r.client_id, r.contract_number, start_on
    order by b.place desc, r.row_number desc
) = 1
