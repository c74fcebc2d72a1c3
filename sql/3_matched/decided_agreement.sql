-- One row is one quarter of a bit of match weight on one curve: the pairs there that people decided, and those they found to
-- be one person. Only pairs without numbers on both sides: a number may be why a pair was proposed at all.
select
    curve,
    floor((match_weight - number_weight) * 4) / 4 + 0.125 as weight,
    count(*) as pairs,
    count(*) filter (is_same) as agreeing
from related
join decided using (left_id, right_id)
where held_out = 'missing' and match_weight - number_weight between -10 and 40
group by all
order by all
