-- A night compares one number of each client record, instead of hashing all of the register to find out what changed.
select
    *,
    hash(
        client_ref, forename_key, forename_root, known_as_root, other_names_key, surname_key, born_on, born_as_sent,
        placeholders, gender, address_key, town, postcode_key, phone_e164, mobile_e164, email_key, nhs_number, council,
        reference_key, reference_core
    ) as compared_hash
from staged.clients
