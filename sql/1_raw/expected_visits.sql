-- One row is one visit to come that a rostering system planned within the days that the full export in `reading` spans, and
-- whether the export has it.
with sources_now as (
    select distinct source
    from raw.files
    where feed = 'roster_visits' and issuer = $issuer and source <> $source and (status = 'loaded' or rows_of is not null)
        and delivered_for >= coalesce(
            (select min(delivered_for) from raw.files
             where feed = 'roster_visits' and issuer = $issuer and source = $source and status = 'loaded'),
            date '9999-12-31'
        )
),

span as (
    select min(date_of(visit_date)) as first_on, max(date_of(visit_date)) as last_on from reading
),

expected as (
    select v.visit_id
    from staged.visits as v
    join raw.files as f on f.file_id = v.file_id
    where v.issuer = $issuer and v.visit_on > $day and not is_cancelled(v.status)
        and f.source not in (select source from sources_now)
        and v.visit_on >= (select first_on from span) and v.visit_on <= (select last_on from span)
    union
    select cleaned(r.visit_id)
    from raw.roster_visits as r
    join raw.files as f using (file_id)
    where r.issuer = $issuer and f.source = $source and r.file_id not in (select file_id from staged.taken_files)
        and date_of(r.visit_date) > $day and not is_cancelled(r.status)
        and date_of(r.visit_date) >= (select first_on from span) and date_of(r.visit_date) <= (select last_on from span)
)

select visit_id, visit_id in (select cleaned(visit_id) from reading where visit_id is not null) as is_there
from expected
