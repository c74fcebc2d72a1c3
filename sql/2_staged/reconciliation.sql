-- One row is one file of this batch: its rows by the ledger, by the raw tables, and those that reached the register.
-- Nothing lost: read = loaded + rejected, and what the ledger calls loaded is there.
with loaded as (
    select file_id, count(*) as rows_in_raw from raw.purchase_orders group by file_id union all
    select file_id, count(*) from raw.roster_clients group by file_id union all
    select file_id, count(*) from raw.roster_visits group by file_id union all
    select file_id, count(*) from raw.roster_enrolments group by file_id
)

select
    f.file_id,
    f.rows_read,
    f.rows_loaded + f.rows_rejected as rows_accounted_for,
    f.rows_loaded,
    coalesce(l.rows_in_raw, 0) as rows_in_raw
from batch as b
join raw.files as f using (file_id)
left join loaded as l using (file_id)
