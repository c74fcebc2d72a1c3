-- One row is one triangle that cannot be right: the middle record is likely to be one person with the left one and with
-- the right one, but these two look like two people. One of the two likely pairs is wrong, so all three want a look.
with likely as (
    select left_id as one_id, right_id as other_id from judged where tier in ('near-certain', 'likely')
    union all
    select right_id, left_id from judged where tier in ('near-certain', 'likely')
)

select
    a.one_id::integer as middle_id,
    a.other_id::integer as left_id,
    b.other_id::integer as right_id,
    case
        when j.relation <> '' then j.relation
        when j.at_most = 'possible' then 'two valid, different numbers'
        else 'hardly anything in common'
    end as why
from likely as a
join likely as b on b.one_id = a.one_id and b.other_id > a.other_id
left join judged as j on j.left_id = a.other_id and j.right_id = b.other_id
where j.tier is null or j.at_most = 'possible'
