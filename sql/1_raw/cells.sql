-- One row is one distinct cell of a column in the file that is being landed (`cells_sent`), and its text without what cannot be
-- seen and what Excel wraps round it. In front of a name an apostrophe is part of it ('t Hooft).
with cleaned_once as (
    select *, cleaned(cell) as seen from cells_sent
),

unwrapped as (
    select *, if(kind = 'plain' and type = 'text' and not starts_with(seen, '='), seen, unquoted(seen)) as bare
    from cleaned_once
)

select column_name, type, kind, cell, times, cleaned(bare) as text
from unwrapped
