-- One row is one count of one night, of every night there was: what was kept of it, and what follows from the ledger of
-- files and from when each record was made.
with ledger as (
    select delivered_for as night, coalesce(feed, '') as feed, coalesce(issuer, '') as issuer, file_id, status,
        rows_read, rows_loaded, rows_rejected
    from raw.files
),

rows_of_files as (
    unpivot (
        select night, feed, issuer, sum(rows_read) as "rows read", sum(rows_loaded) as "rows loaded",
            sum(rows_rejected) as "rows rejected"
        from ledger
        group by all
    ) on "rows read", "rows loaded", "rows rejected" into name figure value "count"
),

refused as (
    select file_id, 'rejected' as figure, coalesce(column_name, '') as detail from raw.rejected_rows
    union all
    select file_id, 'unread', coalesce(column_name, '') from raw.unread_values
)

select night, figure, '' as feed, issuer, detail, "count"
from reviewed.figures
union all
select night, 'files', feed, issuer, status, count(*) from ledger group by all
union all
select night, figure, feed, issuer, '', "count"::bigint from rows_of_files
union all
select l.night, r.figure, l.feed, l.issuer, r.detail, count(*) from refused as r join ledger as l using (file_id) group by all
union all
select made_on, 'made', made_by_feed, '', made_how, count(*) from staged.client_ids group by all
order by all
