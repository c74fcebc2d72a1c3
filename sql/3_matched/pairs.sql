-- One row is one scored pair of live client records, the smaller id left, with the level and the weight (in bits) of
-- each comparison. Only pairs that involve a new or changed record are scored again; the others keep their row.
select left_id, right_id, $model::varchar as model_version, * exclude (left_id, right_id)
from scored_pairs
