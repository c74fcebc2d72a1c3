-- One row is one scored pair of live client records, the smaller id left, with the level and the weight (in bits) of
-- each comparison. Only pairs that involve a new or changed record are scored again; the others keep their row.
select
    least(client_id_l, client_id_r)::integer as left_id,
    greatest(client_id_l, client_id_r)::integer as right_id,
    $model::varchar as model_version,
    match_probability,
    match_weight,
    gamma_forename,
    gamma_surname,
    gamma_birth,
    gamma_home,
    gamma_gender,
    gamma_nhs_number,
    gamma_reference,
    mw_forename + mw_tf_adj_forename as weight_forename,
    mw_surname + mw_tf_adj_surname as weight_surname,
    mw_birth as weight_birth,
    mw_home + mw_tf_adj_home as weight_home,
    mw_gender as weight_gender,
    mw_nhs_number as weight_nhs_number,
    mw_reference as weight_reference
from scored_pairs
