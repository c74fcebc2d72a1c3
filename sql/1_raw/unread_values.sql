-- One row is one cell that could not be read in a row that was loaded without it.
-- The rest of the row is good: losing an order for a mistyped telephone type would lose the order.
select
    $file_id::bigint as file_id,
    row_number::bigint as row_number,
    column_name::varchar as column_name,
    reason::varchar as reason,
    value_as_sent::varchar as value_as_sent
from unread
