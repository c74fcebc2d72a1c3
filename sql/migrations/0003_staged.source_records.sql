-- A birth date that was read is kept in the notation of the raw rows, as the next delivery will bring it.
select * replace (coalesce(born_on::varchar, born_as_sent) as born_as_sent)
from staged.source_records
