-- One row is one file that the register has taken in, and the night that did it.
select file_id, $day::date as taken_on
from batch
where is_new
