-- One row is one file of one night, as its report tells of it.
select file_name, feed, issuer, status, reason, rows_read, rows_loaded, rows_rejected, gate, facts
from raw.files
where delivered_for = $day
order by status <> 'quarantined', feed, file_name
