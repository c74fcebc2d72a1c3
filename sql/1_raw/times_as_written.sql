-- One row is one distinct cell of a column of times of day in the file that is being landed (`cells`), taken apart. Of a date
-- with a time the time counts.
with texts as (
    select column_name, cell, times, upper(text) as text
    from cells
    where type = 'time'
),

parts as (
    select
        *,
        regexp_extract(
            text,
            '^(?:\d{1,4}[-/. ](?:\d{1,2}|[A-Z]{3,9})[-/. ]\d{1,4}[ T,]+)?(\d{1,2})[:H](\d{1,2})(?::(\d{1,2})(?:[.,]\d+)?)?'
            || ' ?(?:([AP])\.?M?\.?)? ?(?:Z|UTC|GMT|[-+]\d{2}:?\d{2})?$',
            ['hour', 'minute', 'second', 'half']
        ) as colon,
        regexp_extract(text, '^(\d{1,2})\.(\d{2})(?:\.(\d{2}))?(?: ?([AP])\.?M\.?)?$', ['hour', 'minute', 'second', 'half']) as dotted,
        regexp_extract(text, '^(\d{1,2}) ?([AP])\.?M\.?$', ['hour', 'half']) as bare,
        regexp_extract(text, '^(\d{2})(\d{2}) ?(?:H|HRS?|HOURS)$', ['hour', 'minute']) as hours,
        regexp_full_match(text, '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(Z|[-+]\d{2}:?\d{2})') as has_zone
    from texts
)

select
    column_name,
    cell,
    times,
    text,
    case when has_zone then timezone('Europe/London', try_cast(text as timestamptz))::time end as time_of_moment,
    coalesce(nullif(colon.hour, ''), nullif(dotted.hour, ''), nullif(bare.hour, ''), nullif(hours.hour, ''))::integer as hour,
    coalesce(nullif(colon.minute, ''), nullif(dotted.minute, ''), nullif(hours.minute, ''), '0')::integer as minute,
    coalesce(nullif(colon.second, ''), nullif(dotted.second, ''), '0')::integer as second,
    coalesce(nullif(colon.half, ''), nullif(dotted.half, ''), nullif(bare.half, '')) as half,
    dotted.hour <> '' and dotted.second = '' and dotted.half = '' as is_dotted,
    case when regexp_full_match(text, '\d{3,4}') then lpad(text, 4, '0') end as digits,
    case
        when regexp_full_match(text, '0|0?\.\d+') then try_cast(text as double)
        when regexp_full_match(text, '\d{5}\.\d+') then try_cast(text as double) % 1
    end as fraction
from parts
