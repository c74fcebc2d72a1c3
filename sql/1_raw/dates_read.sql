-- One row is one distinct cell of a column of dates (`dates_written`) with its value as YYYY-MM-DD, or the reason why it cannot
-- be read; neither: it is missing. `decided` says of each column what its values prove.
with years as (
    select
        w.*,
        d.* exclude (column_name),
        try_strptime(text, $short_formats)::date as short_day,
        -- Two digits are the year in the hundred years that begin with `first_year`.
        if(
            length(year) = 2,
            d.first_year + (year::integer - d.first_year % 100 + 100) % 100,
            try_cast(year as integer)
        ) as year_number
    from dates_written as w
    join decided as d using (column_name)
),

days as (
    select
        *,
        case
            when day_of_moment is not null then day_of_moment
            when serial is not null and has_serials and not (serial < 10000 and kind <> 'birth') and not serial between 1850 and 2099
                then date '1899-12-30' + (trunc(serial)::integer + if(from_1904, 1462, 0))
            when length(year) = 2 and one is not null and years_refused then null
            when one is not null and one <> two and order_refused then null
            when one is not null
                then try_cast(concat_ws('-', year_number, if(months_first, one, two), if(months_first, two, one)) as date)
            when year is not null then try_cast(concat_ws('-', year_number, month_number, day_number) as date)
            when regexp_matches(text, '\d') and text not like '%-%-%-%'
                then coalesce(
                    try_strptime(text, $formats)::date,
                    try_cast(concat_ws(
                        '-', first_year + (year(short_day) % 100 - first_year % 100 + 100) % 100, month(short_day), day(short_day)
                    ) as date)
                )
        end as read_day,
        kind = 'end' and (
            coalesce(year_number >= 2900, false) or regexp_full_match(text, '0+([-/. ]0+)*|2958465([.]0+)?|99[-/. ]?99[-/. ]?9999')
            or from_1904 and regexp_full_match(text, '2957003([.]0+)?')
        ) as is_open,
        kind = 'birth' and is_placeholder(text) as is_missing
    from years
)

select
    column_name,
    cell,
    if(is_open or is_missing, null, plausible_day(read_day))::varchar as value,
    case
        when is_open or is_missing or plausible_day(read_day) is not null then null
        when length(year) = 2 and one is not null and years_refused then 'a date with a year of two digits that may stand first or last'
        when one is not null and one <> two and order_refused
            then 'the column has dates with the day first and dates with the month first, so this one cannot be told'
        when serial between 1850 and 2099 then 'a year, and not a date'
        else 'not a date in any format of this source'
    end as reason
from days
