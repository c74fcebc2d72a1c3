-- One row is one distinct cell of a column of times (`times_written`) with its value as HH:MM:SS, or the reason why it cannot be
-- read. `decided` says of each column what its values prove: whether 2130 is a time, and whether 0.25 is a quarter of a day.
with hours as (
    select
        w.*,
        d.* exclude (column_name),
        case
            when half = 'P' and hour < 12 then hour + 12
            when half = 'A' and hour = 12 then 0
            when half = 'A' and hour > 12 then null
            else hour
        end as hour_of_day
    from times_written as w
    join decided as d using (column_name)
),

clock as (
    select
        *,
        case
            when time_of_moment is not null then time_of_moment
            when fraction is not null and not is_dotted and (text <> '0' or has_fractions)
                then try_cast(concat_ws(':', round(fraction * 86400)::integer // 3600,
                    round(fraction * 86400)::integer % 3600 // 60, round(fraction * 86400)::integer % 60) as time)
            when is_dotted and hour = 0 and below_one = 'fraction'
                then try_cast(concat_ws(':', round(fraction * 86400)::integer // 3600,
                    round(fraction * 86400)::integer % 3600 // 60, round(fraction * 86400)::integer % 60) as time)
            when is_dotted and (hour = 0 and below_one = 'refused' or hour > 0 and points_refused) then null
            when digits is not null and digits_are_times then try_cast(left(digits, 2) || ':' || right(digits, 2) || ':00' as time)
            when hour_of_day < 24 then try_cast(concat_ws(':', hour_of_day, minute, second) as time)
        end as read_time
    from hours
)

select
    column_name,
    cell,
    strftime(date '2000-01-01' + read_time, '%H:%M:%S') as value,
    case
        when read_time is not null then null
        when is_dotted and (points_refused or below_one = 'refused')
            then 'may be hours and minutes, or a decimal number: the column has both'
        else 'not a time of day'
    end as reason
from clock
