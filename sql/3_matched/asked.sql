-- One row is one pair of live client records that a person named, with its score. Its tier is empty where matching would
-- not propose it: the two share no block, or too little speaks for them. So a *same* of it is known to be a miss.
select
    j.candidate_id,
    j.left_id,
    j.right_id,
    if(m.left_id is null, '', coalesce(j.tier, '')) as tier,
    j.relation,
    j.match_probability,
    j.match_weight
from judged as j
left join met as m on m.left_id = j.left_id and m.right_id = j.right_id
order by j.candidate_id
