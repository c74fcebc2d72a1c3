-- One row is one live client record as matching compares it; a merged-away record takes no part.
-- `reference_core` is the reference without what offices add or lose: prefix, slash suffix, O for 0, outer zeros.
select
    client_id,
    client_ref,
    forename_key as forename,
    forename_root,
    coalesce(known_as_root, forename_root) as known_as,
    other_names_key as other_names,
    surname_key as surname,
    born_on,
    strftime(born_on, '%Y%m%d') as born,
    gender,
    address_key as address,
    postcode_key as postcode,
    nullif(concat_ws(' ', address_key, postcode_key), '') as home,
    phone_e164 as phone,
    mobile_e164 as mobile,
    email_key as email,
    nhs_number,
    council,
    reference_key as reference,
    nullif(ltrim(translate(
        regexp_replace(reference_key(regexp_replace(reference, '/\d+$', '')), '^(SSR|SS|REF)', ''), 'O', '0'
    ), '0'), '') as reference_core,
    md5(concat_ws(
        '|', forename_key, forename_root, known_as_root, other_names_key, surname_key, born_on, gender, address_key,
        postcode_key, phone_e164, mobile_e164, email_key, nhs_number, council, reference
    )) as record_hash
from staged.clients
where survivor_id = client_id
