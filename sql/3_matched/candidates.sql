-- One row is one pair of client records that people should look at, with its tier.
-- Two people of one household agree on surname, home and phone, and twins on the birth date too; so a pair that looks
-- like a household, or that has a hard contradiction, is at most "possible", whatever its score.
with compared as (
    select
        p.*,
        l.client_ref as left_ref,
        r.client_ref as right_ref,
        p.gamma_home >= 1 as same_home,
        p.gamma_forename = 0 as forenames_differ,
        p.gamma_birth = 0 as births_differ,
        p.gamma_birth >= 3 as births_agree,
        p.gamma_gender = 0 as genders_differ,
        p.gamma_nhs_number = 0 as nhs_numbers_differ,
        p.gamma_surname >= 1 and p.gamma_forename >= 1 as names_agree,
        abs(datediff('year', l.born_on, r.born_on)) as years_apart
    from matched.pairs as p
    join staged.clients as l on l.client_id = p.left_id
    join staged.clients as r on r.client_id = p.right_id
),

related as (
    select
        *,
        case
            when same_home and forenames_differ and births_agree then 'probably twins'
            when same_home and forenames_differ and births_differ and genders_differ then 'probably a couple'
            when same_home and names_agree and births_differ and years_apart >= 14 then 'probably parent and child of one name'
            when same_home and forenames_differ then 'probably two people of one household'
            when births_differ and names_agree and not same_home then 'probably two people of one name'
        end as relation
    from compared
)

select
    'C' || upper(left(md5(least(left_ref, right_ref) || '|' || greatest(left_ref, right_ref)), 10)) as candidate_id,
    left_id,
    right_id,
    case
        when match_probability >= $near_certain and relation is null and not nhs_numbers_differ and not births_differ
            and not forenames_differ then 'near-certain'
        when match_probability >= $likely and relation is null and not nhs_numbers_differ then 'likely'
        else 'possible'
    end as tier,
    coalesce(relation, '') as relation,
    match_probability,
    match_weight,
    model_version
from related
where match_probability >= $possible
