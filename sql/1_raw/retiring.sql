-- One row is one loaded file that the register has taken in, and whose night was before the day from which rows are kept.
select f.file_id
from raw.files as f
semi join staged.taken_files as t using (file_id)
anti join raw.retired_files as r using (file_id)
where f.status = 'loaded' and f.delivered_for < $before
