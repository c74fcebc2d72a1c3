-- One row is one enrolment that the full exports of its source do not hold any more, as it is to be from then on: ended on the
-- day of the first export that lacks it. One that had not begun by then is ended on its first day.
with exports as (
    select issuer, source, place, file_id, file_on
    from spoken_files
    where feed = 'roster_enrolments' and delivers = 'everything'
),

-- A source is covered by its own exports, and by those of a source that took its place: it sent nothing since the first.
sources as (
    select issuer, source, min(place) as first_place, max(place) as last_place
    from spoken_files
    where feed = 'roster_enrolments'
    group by all
    union all
    select issuer, source, 0, 0
    from raw.files
    where feed = 'roster_enrolments' and file_id in (select file_id from raw.retired_files)
    group by all
),

covering as (
    select e.issuer, s.source as stated_by, e.place, e.file_id, e.file_on
    from exports as e
    join sources as own on own.issuer = e.issuer and own.source = e.source
    join sources as s on s.issuer = e.issuer
    where s.source = e.source and own.last_place > 0 or s.last_place < own.first_place
),

stated as (
    select
        r.issuer,
        r.client_id as record_id,
        r.contract_number,
        coalesce(date_of(r.start_date), date '1900-01-01') as start_on,
        max(f.place) as place,
        arg_max(f.source, f.place) as stated_by
    from raw.roster_enrolments as r
    join spoken_files as f on f.file_id = r.file_id
    where r.issuer in (select issuer from exports)
    group by all
),

kept as (
    select e.*, coalesce(t.place, 0) as place, coalesce(t.stated_by, f.source) as stated_by
    from staged.enrolments as e
    left join (select distinct issuer, record_id, id_sent from staged.id_holders where feed = 'roster_clients') as h
        on h.issuer = e.issuer and h.record_id = e.record_id
    left join stated as t
        on t.issuer = e.issuer and t.record_id = coalesce(h.id_sent, e.record_id) and t.contract_number = e.contract_number
        and t.start_on = e.start_on
    left join raw.files as f on f.file_id = e.file_id
    where e.issuer in (select issuer from exports)
)

select k.* exclude (place, stated_by) replace (greatest(e.file_on, k.start_on) as end_on)
from kept as k
asof join covering as e on e.issuer = k.issuer and e.stated_by = k.stated_by and e.place > k.place
where coalesce(k.end_on, date '9999-12-31') > greatest(e.file_on, k.start_on)
