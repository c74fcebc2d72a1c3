-- One row is one distinct cell of a column of numbers in the file that is being landed (`cells`): its sign, its digits with their
-- marks, and what its marks prove. "27,30" can only have a decimal comma, "1,234.50" only a comma between thousands;
-- "27,300" proves nothing.
with texts as (
    select column_name, type, cell, times, replace(upper(text), '−', '-') as text
    from cells
    where type in ('integer', 'decimal')
),

signed as (
    select
        *,
        regexp_replace(regexp_replace(text, '£|GBP', '', 'g'), '^[-+(] *| *[-)]$', '', 'g') as unsigned,
        regexp_replace(regexp_replace(text, '£|GBP|[\s\d.,''’]', '', 'g'), '^\+', '') as marks
    from texts
),

figures as (
    select
        *,
        case
            when marks not in ('', '-', '()') then null
            when regexp_full_match(trim(unsigned), '\d{1,3}( \d{3})+([.,]\d+)?') then replace(trim(unsigned), ' ', '')
            when regexp_full_match(trim(unsigned), '\d{1,3}([''’]\d{3})+([.,]\d+)?')
                then regexp_replace(trim(unsigned), '[''’]', '', 'g')
            else trim(unsigned)
        end as figure
    from signed
)

select
    column_name,
    type,
    cell,
    times,
    marks <> '' as is_negative,
    figure,
    case
        when regexp_full_match(figure, '\d+') then 'whole'
        when regexp_full_match(figure, '[1-9]\d{0,2}\.\d{3}') then 'point and three digits'
        when regexp_full_match(figure, '\d+\.\d*|\.\d+') then 'point'
        when regexp_full_match(figure, '[1-9]\d{0,2}(,\d{3})+\.\d*|[1-9]\d{0,2}(,\d{3}){2,}') then 'thousands comma'
        when regexp_full_match(figure, '[1-9]\d{0,2}(\.\d{3})+,\d*|[1-9]\d{0,2}(\.\d{3}){2,}') then 'thousands point'
        when regexp_full_match(figure, '[1-9]\d{0,2},\d{3}') then 'comma and three digits'
        when regexp_full_match(figure, '\d*,\d+') then 'decimal comma'
    end as shape
from figures
