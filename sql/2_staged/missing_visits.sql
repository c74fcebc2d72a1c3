-- One row is one visit to come that a full export of its source lacks although the export spans its day, as it is to be from
-- then on: cancelled. What had taken place by the day of the export stays, and so does what lies outside its days.
with exports as (
    select issuer, source, place, file_id, file_on
    from spoken_files
    where feed = 'roster_visits' and delivers = 'everything'
),

-- A source is covered by its own exports, and by those of a source that took its place: it sent nothing since the first.
sources as (
    select issuer, source, min(place) as first_place, max(place) as last_place
    from spoken_files
    where feed = 'roster_visits'
    group by all
    union all
    select issuer, source, 0, 0
    from raw.files
    where feed = 'roster_visits' and file_id in (select file_id from raw.retired_files)
    group by all
),

covering as (
    select e.issuer, s.source as stated_by, e.place, e.file_id, e.file_on
    from exports as e
    join sources as own on own.issuer = e.issuer and own.source = e.source
    join sources as s on s.issuer = e.issuer
    where s.source = e.source and own.last_place > 0 or s.last_place < own.first_place
),

spans as (
    select r.file_id, min(date_of(r.visit_date)) as first_on, max(date_of(r.visit_date)) as last_on
    from raw.roster_visits as r
    semi join exports as e on e.file_id = r.file_id
    group by all
),

stated as (
    select r.issuer, r.visit_id, max(f.place) as place, arg_max(f.source, f.place) as stated_by
    from raw.roster_visits as r
    join spoken_files as f on f.file_id = r.file_id
    where r.issuer in (select issuer from exports)
    group by all
),

kept as (
    select v.issuer, v.visit_id, v.visit_on, coalesce(t.place, 0) as place, coalesce(t.stated_by, f.source) as stated_by
    from staged.visits as v
    left join stated as t on t.issuer = v.issuer and t.visit_id = v.visit_id
    left join raw.files as f on f.file_id = v.file_id
    where v.issuer in (select issuer from exports) and not is_cancelled(v.status)
),

-- Only visits that were still to come at the next export: few, where exports are many.
to_come as (
    select k.*
    from kept as k
    asof join covering as e on e.issuer = k.issuer and e.stated_by = k.stated_by and e.place > k.place
    where k.visit_on > e.file_on
),

missing as (
    select distinct k.issuer, k.visit_id
    from to_come as k
    join covering as e on e.issuer = k.issuer and e.stated_by = k.stated_by
    join spans as s on s.file_id = e.file_id
    where e.place > k.place and k.visit_on > e.file_on and k.visit_on between s.first_on and s.last_on
)

select v.* replace ('Cancelled' as status)
from staged.visits as v
semi join missing as m on m.issuer = v.issuer and m.visit_id = v.visit_id
