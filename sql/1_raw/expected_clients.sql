-- One row is one client that a rostering system has on its books, as far as its earlier files say, and whether the full
-- export in `reading` has it. Clients of another source of the same system are not expected, unless this one replaced it.
with sources_now as (
    select distinct source
    from raw.files
    where feed = 'roster_clients' and issuer = $issuer and source <> $source and (status = 'loaded' or rows_of is not null)
        and delivered_for >= coalesce(
            (select min(delivered_for) from raw.files
             where feed = 'roster_clients' and issuer = $issuer and source = $source and status = 'loaded'),
            date '9999-12-31'
        )
),

expected as (
    select coalesce(h.id_sent, s.record_id) as record_id
    from staged.source_records as s
    left join raw.files as f on f.file_id = s.file_id
    left join (select distinct issuer, record_id, id_sent from staged.id_holders where feed = 'roster_clients') as h
        on h.issuer = s.issuer and h.record_id = s.record_id
    where s.feed = 'roster_clients' and s.issuer = $issuer and s.row_number is not null
        and on_the_books(s.active_to, s.status, $day) and f.source not in (select source from sources_now)
        and s.origin_client_id not in (select client_id from staged.client_ids join staged.forgotten using (client_ref))
    union
    select cleaned(r.client_id)
    from raw.roster_clients as r
    join raw.files as f using (file_id)
    where r.issuer = $issuer and f.source = $source and r.file_id not in (select file_id from staged.taken_files)
        and on_the_books(date_of(r.end_date), r.status, $day)
)

select record_id, record_id in (select cleaned(client_id) from reading where client_id is not null) as is_there
from expected
