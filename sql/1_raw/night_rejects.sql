-- One row is one reason for which rows of one file of one night were rejected, or cells of loaded rows left unread.
with refused as (
    select file_id, column_name, reason, row_number, true as whole_row from raw.rejected_rows
    union all
    select file_id, column_name, reason, row_number, false from raw.unread_values
)

select
    f.file_name,
    r.column_name as "column",
    r.reason,
    r.whole_row,
    count(*) as "count",
    list(r.row_number order by r.row_number)[:10] as "rows"
from refused as r
join raw.files as f using (file_id)
where f.delivered_for = $day
group by f.file_name, r.column_name, r.reason, r.whole_row
order by r.whole_row desc, f.file_name, count(*) desc, r.reason
