-- One row is one pair of records that people should look at, with its tier.
select
    candidate_id,
    left_id,
    right_id,
    tier,
    relation,
    match_probability,
    match_weight,
    $model::varchar as model_version
from judged
where tier is not null
