-- One row is one live client record as matching compares it; a merged-away or a forgotten one takes no part.
-- A merged group is compared by its profile (`compared` is to_compare.sql then), and by what else its members say
-- (`compared` is variants.sql). A birth date that no calendar has (31/02/1940) still compares digit by digit. What is read
-- here has to be in the macro compared_hash; of a group the hash is of all its members.
with records as (
    select
        client_id,
        client_ref,
        forename_key as forename,
        given_roots(clients) as forename_root,
        own.form as own_name,
        coalesce(known_as_root, split_part(given_roots(clients), ' ', 1)) as known_as,
        other_names_key as other_names,
        surname_key as surname,
        coalesce(
            strftime(born_on, '%Y%m%d'),
            if(list_contains(placeholders, 'birth unreadable'), birth_digits(born_as_sent), null)
        ) as born,
        gender,
        address_key as address,
        name_key(town) as town,
        postcode_key as postcode,
        if(contains(postcode_key, ' '), split_part(postcode_key, ' ', 1), null) as outcode,
        home_key(address_key, postcode_key) as home,
        phone_e164 as phone,
        mobile_e164 as mobile,
        email_key as email,
        nhs_number,
        council,
        reference_key as reference,
        reference_core
    from compared as clients
    left join staged.standard_forms as own
        on own.kind = 'own_name' and own.as_sent = split_part(forename_key, ' ', 1)
    where client_ref not in (select client_ref from staged.forgotten)
)

select r.*, if(p.client_id is null, hash(r), hash(r, p.compared_hash)) as record_hash
from records as r
left join profiles as p on p.client_id = r.client_id
