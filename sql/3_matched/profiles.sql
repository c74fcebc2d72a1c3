-- One row is one merged group: its survivor's client record, as it is matched, shown and published. Each field is the
-- survivor's own value, or the one that a decision chose; a blank is filled from the members: a rostering system before an
-- order, then the newest, then by client ref. `filled` says which values came from which member. `compared_hash` changes
-- with what any member says. A client record into which none was merged has no row: its own row in staged.clients stands.
with members as (
    select c.*, c.client_id not in (select client_id from merged.choices where kind = 'alias') as names_count
    from staged.clients as c
    semi join (select survivor_id from staged.clients where survivor_id <> client_id) as g using (survivor_id)
    where c.client_ref not in (select client_ref from staged.forgotten)
),

sent as (
    select s.origin_client_id as client_id, bool_or(s.feed = 'roster_clients') as on_roster, max(s.sent_on) as sent_on
    from staged.source_records as s
    semi join members as m on m.client_id = s.origin_client_id
    group by s.origin_client_id
),

-- The newest merge that chose this record's value of a field; one into today's survivor counts before its own value.
chosen as (
    select
        m.client_id,
        c.name as field,
        max(g.signed_in) as chosen_in,
        max(g.signed_in) filter (g.into_id = m.survivor_id) as chosen_for_survivor_in
    from merged.choices as c
    join members as m on m.client_id = c.client_id
    join merged.merges as g on g.merge_id = c.merge_id and g.client_id = c.client_id
    where c.kind = 'field'
    group by m.client_id, c.name
),

known as (
    select survivor_id, client_id, client_ref, unnest([
        {'field': 'title', 'known': title is not null},
        {'field': 'forename', 'known': forename_key is not null},
        {'field': 'known_as', 'known': known_as is not null and names_count},
        {'field': 'other_names', 'known': other_names_key is not null and names_count},
        {'field': 'surname', 'known': surname_key is not null},
        {'field': 'born_on', 'known': born_on is not null},
        {'field': 'gender', 'known': gender is not null},
        {'field': 'address', 'known': coalesce(address_key, postcode_key) is not null},
        {'field': 'phone', 'known': phone_e164 is not null},
        {'field': 'mobile', 'known': mobile_e164 is not null},
        {'field': 'email', 'known': email_key is not null},
        {'field': 'nhs_number', 'known': nhs_number is not null},
        {'field': 'reference', 'known': reference_key is not null}
    ]) as one
    from members
),

best as (
    select k.survivor_id, k.client_id, k.client_ref, k.one.field as field
    from known as k
    left join sent as s on s.client_id = k.client_id
    left join chosen as c on c.client_id = k.client_id and c.field = k.one.field
    where k.one.known
    qualify row_number() over (
        partition by k.survivor_id, k.one.field
        order by c.chosen_for_survivor_in desc nulls last, k.client_id <> k.survivor_id, c.chosen_in desc nulls last,
            s.on_roster desc nulls last, s.sent_on desc nulls last, k.client_ref
    ) = 1
),

profiles as (
    select
        b.survivor_id as client_id,
        any_value(m.title) filter (b.field = 'title') as title,
        any_value(m.forename) filter (b.field = 'forename') as forename,
        any_value(m.forename_key) filter (b.field = 'forename') as forename_key,
        any_value(m.forename_root) filter (b.field = 'forename') as forename_root,
        any_value(m.known_as) filter (b.field = 'known_as') as known_as,
        any_value(m.known_as_root) filter (b.field = 'known_as') as known_as_root,
        any_value(m.other_names) filter (b.field = 'other_names') as other_names,
        any_value(m.other_names_key) filter (b.field = 'other_names') as other_names_key,
        any_value(m.surname) filter (b.field = 'surname') as surname,
        any_value(m.surname_key) filter (b.field = 'surname') as surname_key,
        any_value(m.born_on) filter (b.field = 'born_on') as born_on,
        any_value(m.born_as_sent) filter (b.field = 'born_on') as born_as_sent,
        any_value(m.gender) filter (b.field = 'gender') as gender,
        any_value(m.address_1) filter (b.field = 'address') as address_1,
        any_value(m.address_2) filter (b.field = 'address') as address_2,
        any_value(m.town) filter (b.field = 'address') as town,
        any_value(m.postcode) filter (b.field = 'address') as postcode,
        any_value(m.address_key) filter (b.field = 'address') as address_key,
        any_value(m.postcode_key) filter (b.field = 'address') as postcode_key,
        any_value(m.phone) filter (b.field = 'phone') as phone,
        any_value(m.phone_e164) filter (b.field = 'phone') as phone_e164,
        any_value(m.mobile) filter (b.field = 'mobile') as mobile,
        any_value(m.mobile_e164) filter (b.field = 'mobile') as mobile_e164,
        any_value(m.email) filter (b.field = 'email') as email,
        any_value(m.email_key) filter (b.field = 'email') as email_key,
        any_value(m.nhs_number) filter (b.field = 'nhs_number') as nhs_number,
        any_value(m.nhs_as_sent) filter (b.field = 'nhs_number') as nhs_as_sent,
        any_value(m.reference) filter (b.field = 'reference') as reference,
        any_value(m.reference_key) filter (b.field = 'reference') as reference_key,
        any_value(m.reference_core) filter (b.field = 'reference') as reference_core,
        any_value(m.council) filter (b.field = 'reference') as council,
        list({'field': b.field, 'from_ref': b.client_ref} order by b.field) filter (b.client_id <> b.survivor_id) as filled
    from best as b
    join members as m on m.client_id = b.client_id
    group by b.survivor_id
),

merged as (
    select
        own.* exclude (names_count) replace (
            p.title as title, p.forename as forename, p.forename_key as forename_key, p.forename_root as forename_root,
            p.known_as as known_as, p.known_as_root as known_as_root, p.other_names as other_names,
            p.other_names_key as other_names_key, p.surname as surname, p.surname_key as surname_key,
            p.born_on as born_on, coalesce(p.born_as_sent, own.born_as_sent) as born_as_sent, p.gender as gender,
            coalesce(p.address_1, own.address_1) as address_1, p.address_2 as address_2,
            coalesce(p.town, own.town) as town, coalesce(p.postcode, own.postcode) as postcode,
            p.address_key as address_key, p.postcode_key as postcode_key,
            p.phone as phone, p.phone_e164 as phone_e164, p.mobile as mobile, p.mobile_e164 as mobile_e164,
            p.email as email, p.email_key as email_key,
            p.nhs_number as nhs_number, coalesce(p.nhs_as_sent, own.nhs_as_sent) as nhs_as_sent,
            p.reference as reference, p.reference_key as reference_key, p.reference_core as reference_core,
            if(p.reference_key is null, own.council, p.council) as council
        ),
        coalesce(p.filled, []) as filled
    from members as own
    join profiles as p using (client_id)
    where own.survivor_id = own.client_id
),

hashes as (
    select survivor_id as client_id, hash(list(compared_hash order by client_id)) as members_hash
    from members
    group by survivor_id
)

select m.* replace (hash(compared_hash(m), h.members_hash) as compared_hash)
from merged as m
join hashes as h using (client_id)
