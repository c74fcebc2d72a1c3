-- One row is one contract enrolment of one rostering client, as last exported, and the client record that it counts for.
-- That is the record of the person who held the client id on the day on which it starts. The same client may enrol on
-- one contract more than once; each start is a row.
select
    r.issuer,
    s.record_id,
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
left join holdings as h on h.feed = 'roster_clients' and h.issuer = r.issuer and h.id_sent = r.client_id
left join kept_enrolments as k
    on k.issuer = r.issuer and k.id_sent = r.client_id
    and k.contract_number is not distinct from r.contract_number
    and k.start_on = coalesce(date_of(r.start_date), date '1900-01-01')
join staged.source_records as s
    on s.feed = 'roster_clients' and s.issuer = r.issuer and s.record_id = held_by(
        r.client_id, h.periods, coalesce(date_of(r.start_date), b.file_on), k.origin_client_id
    )
qualify row_number() over (
    partition by r.issuer, s.record_id, r.contract_number, coalesce(date_of(r.start_date), date '1900-01-01')
    order by b.place desc, r.row_number desc
) = 1
