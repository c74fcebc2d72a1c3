-- One row is one loaded file that the register has not taken in yet, with the day that its rows speak for: the date in
-- its name, or its night. When a file comes late, those after it are read again, so that it cannot undo what they said.
with loaded as (
    select
        file_id,
        source,
        feed,
        file_name,
        coalesce(
            try_strptime(regexp_extract(file_name, '(20\d{2})-?(\d{2})-?(\d{2})'), ['%Y%m%d', '%Y-%m-%d'])::date,
            delivered_for
        ) as file_on,
        file_id not in (select file_id from staged.taken_files) as is_new
    from raw.files
    where status = 'loaded' and file_id not in (select file_id from raw.retired_files)
)

select *
from loaded
where is_new or file_on >= (select min(late.file_on) from loaded as late where late.is_new and late.feed = loaded.feed)
