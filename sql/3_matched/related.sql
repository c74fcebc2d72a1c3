-- One row is one scored pair with what it agrees on, and the relation that would explain its likeness if the two are not
-- one person: people of one household agree on surname, home and phone, and twins on the birth date too.
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
        -- A father and a son of one name differ by the birth date alone, twins of like names by a number or reference,
        -- unless one of the names is none (MARGRET), and so a slip of the other. A reference that is nearly the same tells
        -- nothing: people of one household are often numbered one after the other.
        (
            level_birth <> 'missing'
            and not (
                same_home
                and coalesce(
                    level_forename = 'initial'
                    or level_forename = 'close' and (l.own_name is null) = (r.own_name is null), false
                )
            )
        )
            or coalesce(level_number = 'same', false) or coalesce(level_reference in ('same', 'slip'), false)
            as told_from_family,
        coalesce(abs(left(l.born, 4)::integer - left(r.born, 4)::integer), 0) as years_apart
    from pair_levels as p
    join compared_records as l on l.client_id = p.left_id
    join compared_records as r on r.client_id = p.right_id
)

select
    *,
    case
        when numbers_agree then ''
        when same_home and forenames_differ and surnames_agree and births_agree then 'probably twins'
        when same_home and forenames_differ and births_differ and genders_differ then 'probably a couple'
        when same_home and forenames_agree and surnames_agree and years_apart >= 14
            and (births_differ or level_birth = 'two_parts') then 'probably parent and child of one name'
        when same_home and forenames_differ and births_differ then 'probably two people of one household'
        when births_differ and forenames_agree and surnames_agree and homes_differ
            then 'probably two people of one name'
        else ''
    end as relation,
    if(relation = '', 'plain', 'related') as curve
from compared
