-- One row is one client and contract with an enrolment that has not ended, as far as the system's earlier files say, and
-- whether the full export in `reading` has it, whatever its start.
with sources_now as (
    select distinct source
    from raw.files
    where feed = 'roster_enrolments' and issuer = $issuer and source <> $source and (status = 'loaded' or rows_of is not null)
        and delivered_for >= coalesce(
            (select min(delivered_for) from raw.files
             where feed = 'roster_enrolments' and issuer = $issuer and source = $source and status = 'loaded'),
            date '9999-12-31'
        )
),

expected as (
    select coalesce(h.id_sent, e.record_id) as record_id, e.contract_number
    from staged.enrolments as e
    join raw.files as f on f.file_id = e.file_id
    left join (select distinct issuer, record_id, id_sent from staged.id_holders where feed = 'roster_clients') as h
        on h.issuer = e.issuer and h.record_id = e.record_id
    where e.issuer = $issuer and coalesce(e.end_on, date '9999-12-31') > $day
        and f.source not in (select source from sources_now)
    union
    select cleaned(r.client_id), cleaned(r.contract_number)
    from raw.roster_enrolments as r
    join raw.files as f using (file_id)
    where r.issuer = $issuer and f.source = $source and r.file_id not in (select file_id from staged.taken_files)
        and coalesce(date_of(r.end_date), date '9999-12-31') > $day
)

select
    record_id,
    contract_number,
    (record_id, contract_number) in (select (cleaned(client_id), cleaned(contract_number)) from reading) as is_there
from expected
