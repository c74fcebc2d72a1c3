-- One row is one delivery of a file that the register has taken in, and the night that did it.
select f.file_id, $day::date as taken_on
from raw.files as f
join batch as b on b.file_id = coalesce(f.rows_of, f.file_id)
where (f.status = 'loaded' or f.rows_of is not null) and f.file_id not in (select file_id from staged.taken_files)
