-- One row is one quarter of a bit of match weight on one curve: the pairs there of which both records have an identity
-- number, and those whose numbers agree. The weight was made without the number, so their agreement measures it.
select
    curve,
    floor(match_weight * 4) / 4 + 0.125 as weight,
    count(*) as pairs,
    count(*) filter (held_out = 'same') as agreeing
from related
where held_out <> 'missing' and match_weight between -10 and 40
group by all
order by all
