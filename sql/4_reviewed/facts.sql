-- One row is one client record, live or merged away, with its facts: what tells people apart, as matching standardises
-- it, and nothing that hangs on it. A decision is bound to the facts of its two records and lapses when one changes; so
-- no derived column belongs here, or every decision would lapse with the next version.
select
    client_id,
    client_ref,
    to_json({
        'client_ref': client_ref,
        'forename': forename_key,
        'known_as': name_key(known_as),
        'other_names': other_names_key,
        'surname': surname_key,
        'born': coalesce(
            strftime(born_on, '%Y-%m-%d'),
            if(list_contains(placeholders, 'birth unreadable'), birth_digits(born_as_sent), null)
        ),
        'gender': gender,
        'address': address_key,
        'town': name_key(town),
        'postcode': postcode_key,
        'phone': phone_e164,
        'mobile': mobile_e164,
        'email': email_key,
        'nhs_number': nhs_number,
        'council': council,
        'reference': reference_key
    })::varchar as facts
from staged.clients
