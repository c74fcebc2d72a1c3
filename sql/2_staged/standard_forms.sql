-- One row is one value as sent, with its standard form from the library that knows (phone numbers, NHS numbers,
-- nicknames). Kept, so that a night works out only the values that it has not seen before; null: not a valid one.
select kind::varchar as kind, as_sent::varchar as as_sent, form::varchar as form
from new_forms
