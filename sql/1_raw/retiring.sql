-- One row is one loaded file that the register has taken in, and whose nights were all before the day from which rows are
-- kept. Content that was delivered again since is kept for its latest delivery.
select f.file_id
from raw.files as f
semi join staged.taken_files as t using (file_id)
anti join raw.retired_files as r using (file_id)
anti join (select rows_of from raw.files where delivered_for >= $before) as later on later.rows_of = f.file_id
where f.status = 'loaded' and f.rows_of is null and f.delivered_for < $before
