-- One row is one distinct cell of a column of dates in the file that is being landed (`cells`), taken apart but not yet read:
-- which of two numbers is the month is a question to the whole column, and so are years of two digits.
with texts as (
    select column_name, cell, times, upper(text) as text
    from cells
    where type = 'date'
),

-- Without the day of the week, the time of day, and the letters of 1st, 2nd, 3rd, 4th.
bare as (
    select
        *,
        regexp_replace(
            regexp_replace(
                regexp_replace(text, '^(MON|TUE|WED|THU|FRI|SAT|SUN)[A-Z]*[,. ]+', ''),
                '^(.*[A-Z0-9])(?: AT)?[ T,]+\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?(?: ?[AP]\.?M\.?)?(?: ?(?:Z|UTC|GMT|[-+]\d{2}:?\d{2}))?$',
                '\1'
            ),
            '(\d)(ST|ND|RD|TH)\b', '\1'
        ) as day
    from texts
),

parts as (
    select
        *,
        regexp_extract(day, '^(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})$', ['year', 'month', 'day']) as iso,
        regexp_extract(day, '^(\d{4})(\d{2})(\d{2})$', ['year', 'month', 'day']) as compact,
        regexp_extract(day, '^(\d{1,2}) ?([-/. ]) ?(\d{1,2}) ?[-/. ] ?(\d{4}|\d{2})$', ['one', 'mark', 'two', 'year']) as pair,
        regexp_extract(
            day, '^(\d{1,2})[-/. ]*(?:OF )?([A-Z]{3,9})[-/., ]*''?(\d{4}|\d{2})$', ['day', 'month', 'year']
        ) as day_named,
        regexp_extract(day, '^([A-Z]{3,9})[-/. ]+(\d{1,2})[-/., ]+(\d{4}|\d{2})$', ['month', 'day', 'year']) as month_named,
        regexp_extract(day, '^(\d{4})[-/. ]?([A-Z]{3,9})[-/. ]?(\d{1,2})$', ['year', 'month', 'day']) as year_named,
        regexp_full_match(text, '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(Z|[-+]\d{2}:?\d{2})') as has_zone
    from bare
)

select
    column_name,
    cell,
    times,
    text,
    day,
    -- A moment in another zone's time is the day that it is in the United Kingdom.
    case when has_zone then timezone('Europe/London', try_cast(text as timestamptz))::date end as day_of_moment,
    coalesce(
        nullif(iso.year, ''), nullif(pair.year, ''), nullif(day_named.year, ''), nullif(month_named.year, ''),
        nullif(year_named.year, ''), nullif(compact.year, '')
    ) as year,
    coalesce(
        try_cast(iso.month as integer), month_of(nullif(day_named.month, '')), month_of(nullif(month_named.month, '')),
        month_of(nullif(year_named.month, '')), try_cast(compact.month as integer)
    ) as month_number,
    coalesce(
        try_cast(iso.day as integer), try_cast(day_named.day as integer), try_cast(month_named.day as integer),
        try_cast(year_named.day as integer), try_cast(compact.day as integer)
    ) as day_number,
    try_cast(pair.one as integer) as one,
    try_cast(pair.two as integer) as two,
    nullif(pair.mark, '') as mark,
    case when regexp_full_match(text, '\d{4,5}([.]\d+)?') then try_cast(text as double) end as serial
from parts
