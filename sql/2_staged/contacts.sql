-- One row is one address, phone number or e-mail that any source row gave for a client record.
-- Kept as a union with its origin, so that a merge can join the contacts and an undo can part them again.
with given as (
    select origin_client_id, client_id, sent_on, record_id, unnest([
        {'kind': 'address', 'value': concat_ws(', ', address_1, address_2, town, postcode),
         'value_key': nullif(concat_ws(' ', address_key, postcode_key), '')},
        {'kind': 'phone', 'value': phone, 'value_key': phone_e164},
        {'kind': 'phone', 'value': mobile, 'value_key': mobile_e164},
        {'kind': 'email', 'value': email, 'value_key': email_key}
    ]) as contact
    from staged.source_records
    where origin_client_id in (select client_id from affected)
)

select
    origin_client_id,
    any_value(client_id) as client_id,
    contact.kind as kind,
    contact.value_key as value_key,
    arg_max(contact.value, (sent_on, record_id)) as value_as_sent
from given
where contact.value_key is not null
group by origin_client_id, contact.kind, contact.value_key
