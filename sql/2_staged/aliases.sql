-- One row is one name that a client record was given beside its profile's: known as, other names, a name on an order.
-- A maiden name or a nickname on an order is often the only thread between two records of one person.
with given as (
    select s.origin_client_id, s.client_id, unnest([
        {'kind': 'known_as', 'name': s.known_as, 'name_key': name_key(s.known_as)},
        {'kind': 'other_name', 'name': s.other_names, 'name_key': s.other_names_key},
        {'kind': 'name_sent', 'name': concat_ws(' ', s.forename, s.surname),
         'name_key': nullif(concat_ws(' ', s.forename_key, s.surname_key), '')}
    ]) as alias,
    concat_ws(' ', c.forename_key, c.surname_key) as profile_key
    from staged.source_records as s
    join staged.clients as c on c.client_id = s.origin_client_id
    where s.origin_client_id in (select client_id from affected)
)

select
    origin_client_id,
    any_value(client_id) as client_id,
    alias.kind as kind,
    alias.name_key as name_key,
    min(alias.name) as name_as_sent
from given
where alias.name_key is not null and alias.name_key <> profile_key
group by origin_client_id, alias.kind, alias.name_key
