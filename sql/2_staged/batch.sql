-- One row is one loaded file that the register has not taken in yet, with the day that its rows speak for.
-- A file's own date (in its name) orders it before its night, so that a late old file cannot undo a newer one.
select
    file_id,
    source,
    feed,
    file_name,
    coalesce(
        try_strptime(regexp_extract(file_name, '(20\d{2})-?(\d{2})-?(\d{2})'), ['%Y%m%d', '%Y-%m-%d'])::date,
        delivered_for
    ) as file_on
from raw.files
where status = 'loaded' and file_id not in (select file_id from staged.taken_files)
