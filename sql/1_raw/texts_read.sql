-- One row is one distinct cell of text that is not plain (`cells`), with its value, or the reason why it cannot be used; neither: it
-- is missing. An id is compared exactly, but for the ".0" of a program that took it for a number.
with ids as (
    select *, if(kind = 'plain', text, regexp_replace(text, '^(\d+)\.0+$', '\1')) as id
    from cells
    where type = 'text'
)

select
    column_name,
    cell,
    case
        when kind = 'plain' then id
        when is_placeholder(id) or is_rounded(id) or kind = 'reference' and is_no_reference(id) then null
        else id
    end as value,
    if(kind <> 'plain' and is_rounded(id), 'a spreadsheet rounded this number, and its digits are lost', null) as reason
from ids
