-- One row is one distinct cell of a column of numbers (`numbers_written`) with its plain value, or the reason why it cannot be
-- read. `decided` says of each column whether its comma parts thousands or pence.
with plain as (
    select
        w.*,
        d.* exclude (column_name),
        plausible_amount(try_cast(
            if(is_negative, '-', '') ||
            case
                when contains(figure, ',') and comma = 'refused' or shape = 'thousands point' and comma = 'refused' then null
                when shape in ('whole', 'point') then figure
                when shape = 'point and three digits'
                    then case three_after_point when 'decimals' then figure when 'thousands' then replace(figure, '.', '') end
                when shape = 'comma and three digits' and comma is null then null
                when shape in ('thousands comma', 'comma and three digits') and comma = 'thousands' then replace(figure, ',', '')
                when shape is not null then replace(replace(figure, '.', ''), ',', '.')
            end
            as decimal(18, 4)
        )) as amount
    from numbers_written as w
    join decided as d using (column_name)
)

select
    column_name,
    cell,
    case
        when amount is null or type = 'integer' and amount <> trunc(amount) or kind = 'count' and amount < 0 then null
        when amount = trunc(amount) then trunc(amount)::bigint::varchar
        else regexp_replace(amount::varchar, '0+$', '')
    end as value,
    case
        when amount is null and comma = 'refused' and (contains(figure, ',') or shape = 'thousands point')
            then 'the column has commas between thousands and commas before decimals, so this one cannot be told'
        when amount is null and shape = 'comma and three digits'
            then 'the comma may stand between thousands or before decimals, and nothing in the file says which'
        when amount is null and shape = 'point and three digits'
            then 'the point may stand between thousands or before decimals, and nothing in the file says which'
        when amount is null and type = 'decimal' then 'not a number'
        when amount is null or type = 'integer' and amount <> trunc(amount) then 'not a whole number'
        when kind = 'count' and amount < 0 then 'below zero'
    end as reason
from plain
