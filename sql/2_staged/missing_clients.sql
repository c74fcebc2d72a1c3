-- One row is one rostering client that the full exports of its source do not hold any more, as it is to be from then on:
-- ended on the day of the first export that lacks it. It comes back when a later file holds it again. Nobody is deleted.
with exports as (
    select issuer, source, place, file_id, file_on
    from spoken_files
    where feed = 'roster_clients' and delivers = 'everything'
),

-- A source is covered by its own exports, and by those of a source that took its place: it sent nothing since the first.
sources as (
    select issuer, source, min(place) as first_place, max(place) as last_place
    from spoken_files
    where feed = 'roster_clients'
    group by all
    union all
    select issuer, source, 0, 0
    from raw.files
    where feed = 'roster_clients' and file_id in (select file_id from raw.retired_files)
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
    select r.issuer, r.client_id as record_id, max(f.place) as place, arg_max(f.source, f.place) as stated_by
    from raw.roster_clients as r
    join spoken_files as f on f.file_id = r.file_id
    where r.issuer in (select issuer from exports)
    group by all
),

kept as (
    select s.issuer, s.record_id, coalesce(t.place, 0) as place, coalesce(t.stated_by, f.source) as stated_by
    from staged.source_records as s
    left join (select distinct issuer, record_id, id_sent from staged.id_holders where feed = 'roster_clients') as h
        on h.issuer = s.issuer and h.record_id = s.record_id
    left join stated as t on t.issuer = s.issuer and t.record_id = coalesce(h.id_sent, s.record_id)
    left join raw.files as f on f.file_id = s.file_id
    where s.feed = 'roster_clients' and s.row_number is not null and s.issuer in (select issuer from exports)
        and s.origin_client_id not in (select client_id from staged.client_ids join staged.forgotten using (client_ref))
),

missing as (
    select k.issuer, k.record_id, e.file_on as gone_on
    from kept as k
    asof join covering as e on e.issuer = k.issuer and e.stated_by = k.stated_by and e.place > k.place
)

select s.* replace (
    m.gone_on as active_to,
    if(on_the_books(null, s.status, m.gone_on), 'Ended', s.status) as status
)
from staged.source_records as s
join missing as m on m.issuer = s.issuer and m.record_id = s.record_id
where s.feed = 'roster_clients'
    and (coalesce(s.active_to, date '9999-12-31') > m.gone_on
        or s.active_to = m.gone_on and on_the_books(null, s.status, m.gone_on))
