-- One row is one client record that is not what matching last derived it from: new, changed, merged away, live again or forgotten.
-- The night hashes what records.sql reads of every record, since that is cheap beside deriving one and misses none,
-- whoever wrote the register. `rules` is in the hash so that other rules touch every record.
with live as (
    select
        client_id,
        hash(
            $rules::varchar,
            client_ref,
            forename_key,
            forename_root,
            own.form,
            known_as_root,
            other_names_key,
            surname_key,
            born_on,
            born_as_sent,
            placeholders,
            gender,
            address_key,
            town,
            postcode_key,
            phone_e164,
            mobile_e164,
            email_key,
            nhs_number,
            council,
            reference_key,
            reference_core
        ) as source_hash
    from staged.clients
    left join staged.standard_forms as own
        on own.kind = 'own_name' and own.as_sent = split_part(forename_key, ' ', 1)
    where survivor_id = client_id and client_ref not in (select client_ref from staged.forgotten)
)

select client_id, l.source_hash
from live as l
full join matched.scored as s using (client_id)
where l.source_hash is distinct from s.source_hash
