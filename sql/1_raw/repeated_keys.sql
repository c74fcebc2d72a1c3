-- One row is one row of a file that is not loaded because of its key, of the rows in `same_key`: those whose key others have too.
-- Each row is compared with the first and the last of its key alone. Rows of one key that are about different people or clients
-- are all rejected, since no one can say whose the key is; of copies the first is loaded, of corrections the last.
with compared as (
    select
        *,
        first(person) over whole as first_person,
        last(person) over whole as last_person
    from same_key
    window whole as (partition by key order by row_number rows between unbounded preceding and unbounded following)
),

judged as (
    select
        *,
        bool_or(two_people(person, first_person) or two_people(person, last_person)) over (partition by key) as is_shared
    from compared
),

copies as (
    select
        *,
        row_number() over one as number_of_copy,
        first(row_number) over one as copy_of
    from judged
    where not is_faulty
    window one as (partition by key, content order by has_no_line, row_number)
),

lasting as (
    select
        *,
        max(row_number) filter (number_of_copy = 1 and not has_no_line) over (partition by key) as last_row
    from copies
)

select
    row_number,
    case
        when is_shared then 'key used more than once, for different people or clients'
        when number_of_copy > 1 then 'repeated row: the same as row ' || copy_of
        when has_no_line then 'the line number is missing, and the order has other lines'
        else 'superseded by row ' || last_row
    end as reason
from lasting
where is_shared or number_of_copy > 1 or has_no_line or row_number < last_row
