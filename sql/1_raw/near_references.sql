-- One row is one reference or id of `named_people` that is not known, and a known one that it is near to: the same but for a
-- prefix, lost zeros, O and 0 or I and 1, punctuation, or one letter or digit more, fewer or other. The nearest one each.
-- The known ones are those that the same issuer gave (`known_numbers`). Both sides are spread into spellings, so that the
-- join is an equality.
with unknown as (
    select named, coalesce(reference, named) as number, row_number
    from named_people
    where not is_known
    order by row_number
    limit $most
),

spelt as (
    select 'sent' as side, number, row_number, same_number(number) as core from unknown
    union all
    select 'known', number, null, same_number(number) from known_numbers
),

spellings as (
    select side, number, row_number, core as spelling, 1 as distance from spelt
    union
    select side, number, row_number, right(core, 5), 2
    from spelt
    where length(core) >= 5 and regexp_full_match(right(core, 5), '[0-9]+')
    union
    select side, number, row_number, left(core, place::integer - 1) || substr(core, place::integer + 1), 3
    from spelt, unnest(range(1, length(core) + 1)) as places(place)
    where length(core) between 4 and 16
    union
    select side, number, row_number, core, 3 from spelt where length(core) between 3 and 16
)

select s.row_number, s.number, k.number as near
from (select * from spellings where side = 'sent') as s
join (select * from spellings where side = 'known') as k on k.spelling = s.spelling and k.distance = s.distance
where s.number <> k.number
qualify row_number() over (partition by s.number order by s.distance, k.number) = 1
order by s.row_number, s.number
