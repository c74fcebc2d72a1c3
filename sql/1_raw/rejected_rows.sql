-- One row is one row of a file that could not be loaded, whole, with the first column that stood in the way.
-- It never stops the other rows; corrected, it comes back in the sender's next file.
select
    $file_id::bigint as file_id,
    row_number::bigint as row_number,
    column_name::varchar as column_name,
    reason::varchar as reason,
    row_as_sent::varchar as row_as_sent
from rejected
