-- One row is one pair of records that people should look at, with its tier.
-- Two people of one household agree on surname, home and phone, and twins on the birth date too; so a pair that looks
-- like a household, or that has a hard contradiction, is at most "possible", whatever its score, and weighs less when
-- clusters are formed.
with compared as (
    select
        p.*,
        l.client_ref as left_ref,
        r.client_ref as right_ref,
        coalesce(level_home in ('same_address', 'near_address', 'same_phone'), false) as same_home,
        coalesce(level_forename in ('two_names', 'alike', 'different'), false) as forenames_differ,
        coalesce(level_home = 'different', false) as homes_differ,
        coalesce(level_forename not in ('two_names', 'alike', 'different', 'missing'), false) as forenames_agree,
        coalesce(level_surname not in ('alike', 'different', 'missing'), false) as surnames_agree,
        coalesce(level_birth in ('same_year', 'different'), false) as births_differ,
        coalesce(level_birth in ('first_of_january', 'same_at_home', 'exact'), false) as births_agree,
        coalesce(level_gender = 'different', false) as genders_differ,
        coalesce(level_number = 'different', false) as numbers_differ,
        coalesce(level_number = 'same', false) as numbers_agree,
        -- A father and a son of one name differ by these alone.
        level_birth <> 'missing' or coalesce(level_number = 'same', false)
            or coalesce(level_reference in ('same', 'slip'), false) as told_from_family,
        coalesce(abs(left(l.born, 4)::integer - left(r.born, 4)::integer), 0) as years_apart
    from pair_levels as p
    join compared_records as l on l.client_id = p.left_id
    join compared_records as r on r.client_id = p.right_id
),

related as (
    select
        *,
        case
            when numbers_agree then null
            when same_home and forenames_differ and surnames_agree and births_agree then 'probably twins'
            when same_home and forenames_differ and births_differ and genders_differ then 'probably a couple'
            when same_home and forenames_agree and surnames_agree and births_differ and years_apart >= 14
                then 'probably parent and child of one name'
            when same_home and forenames_differ and births_differ then 'probably two people of one household'
            when births_differ and forenames_agree and surnames_agree and homes_differ
                then 'probably two people of one name'
        end as relation
    from compared
)

select
    'C' || upper(left(md5(least(left_ref, right_ref) || '|' || greatest(left_ref, right_ref)), 10)) as candidate_id,
    left_id,
    right_id,
    case
        when match_probability >= $near_certain and relation is null and not numbers_differ and not births_differ
            and not forenames_differ and told_from_family then 'near-certain'
        when match_probability >= $likely and relation is null and not numbers_differ then 'likely'
        else 'possible'
    end as tier,
    coalesce(relation, '') as relation,
    if(same_home and relation is not null, match_weight - $household_bits, match_weight) as cluster_weight,
    match_probability,
    match_weight,
    model_version
from related
where match_probability >= $possible
