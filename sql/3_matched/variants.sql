-- One row is one record of a merged group that says something else than the group's profile: another surname, birth date
-- or number, in the shape of staged.clients. A third record that would have matched this one is found by it. Blanks are
-- the profile's. `client_id` is a number of its own, beyond those of all client records; `survivor_id` is the group.
with variants as (
    select m.* replace (
        m.client_id + (select max(client_id) from staged.clients) as client_id,
        coalesce(m.forename_key, p.forename_key) as forename_key,
        if(m.forename_key is null, p.forename_root, m.forename_root) as forename_root,
        coalesce(m.known_as_root, p.known_as_root) as known_as_root,
        coalesce(m.other_names_key, p.other_names_key) as other_names_key,
        coalesce(m.surname_key, p.surname_key) as surname_key,
        coalesce(m.born_on, p.born_on) as born_on,
        coalesce(m.gender, p.gender) as gender,
        if(coalesce(m.address_key, m.postcode_key) is null, p.address_key, m.address_key) as address_key,
        if(coalesce(m.address_key, m.postcode_key) is null, p.postcode_key, m.postcode_key) as postcode_key,
        if(coalesce(m.address_key, m.postcode_key) is null, p.town, m.town) as town,
        coalesce(m.phone_e164, p.phone_e164) as phone_e164,
        coalesce(m.mobile_e164, p.mobile_e164) as mobile_e164,
        coalesce(m.email_key, p.email_key) as email_key,
        coalesce(m.nhs_number, p.nhs_number) as nhs_number,
        if(m.reference_key is null, p.council, m.council) as council,
        coalesce(m.reference_key, p.reference_key) as reference_key,
        coalesce(m.reference_core, p.reference_core) as reference_core
    )
    from staged.clients as m
    join profiles as p on p.client_id = m.survivor_id
)

select v.*
from variants as v
join profiles as p on p.client_id = v.survivor_id
where (
    v.forename_key, v.known_as_root, v.other_names_key, v.surname_key, v.born_on, v.gender, v.address_key, v.postcode_key,
    v.phone_e164, v.mobile_e164, v.email_key, v.nhs_number, v.council, v.reference_key
) is distinct from (
    p.forename_key, p.known_as_root, p.other_names_key, p.surname_key, p.born_on, p.gender, p.address_key, p.postcode_key,
    p.phone_e164, p.mobile_e164, p.email_key, p.nhs_number, p.council, p.reference_key
)
