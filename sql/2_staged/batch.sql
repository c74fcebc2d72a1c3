-- One row is one file to read tonight: those with a delivery that the register has not taken in yet, and when one of these
-- is late, the newer ones of its feed, which are read again so that it cannot undo what they said.
select *
from spoken_files as file
where is_new
    or place >= (select min(late.place) from spoken_files as late where late.is_new and late.feed = file.feed)
