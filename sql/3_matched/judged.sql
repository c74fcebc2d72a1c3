-- One row is one scored pair with its calibrated match probability, and its tier (null: not worth a look) by its least
-- weight, which is as low as the calibration may be wrong. The weight of an identity number counts as it is, since the
-- calibration was measured without. What a relation explains, or a hard contradiction, is at most "possible".
with weighed as (
    select
        r.*,
        (match_weight - number_weight) * ln(2) as unnumbered,
        number_weight * ln(2) + c.intercept + c.slope * unnumbered as log_odds,
        log_odds - $caution * sqrt(
            greatest(c.var_intercept + 2 * c.covariance * unnumbered + c.var_slope * unnumbered ** 2, 0)
        ) as least_log_odds,
        case
            when relation <> '' or numbers_differ then 'possible'
            when births_differ or years_apart >= 14 or not told_from_family then 'likely'
            when forenames_differ and not (numbers_agree and births_agree and surnames_agree and not genders_differ)
                then 'likely'
            else 'near-certain'
        end as at_most
    from related as r
    join calibration as c using (curve)
)

select
    'C' || upper(left(md5(least(left_ref, right_ref) || '|' || greatest(left_ref, right_ref)), 10)) as candidate_id,
    left_id,
    right_id,
    1 / (1 + exp(-log_odds)) as match_probability,
    match_weight,
    log_odds / ln(2) as calibrated_weight,
    least_log_odds / ln(2) as least_weight,
    relation,
    at_most,
    case
        when match_probability < $possible then null
        when at_most = 'near-certain' and least_weight >= $near_certain then 'near-certain'
        when at_most <> 'possible' and least_weight >= $likely then 'likely'
        else 'possible'
    end as tier
from weighed
