-- One row is one live client record as it is to be read: its profile, and all that counts for it from whatever record it
-- came in for. A merged group's profile is that of `profiles`; `filled` says which record a value came from, where the
-- survivor's own record says otherwise or nothing. It tells what `sides` tells (the preview of every merge shows the same), over the whole register.
with members as (
    select
        survivor_id as client_id,
        list(client_ref order by client_ref) as merged_refs,
        list_sort(list_distinct(list(merge_id))) as merge_ids
    from merged_away
    group by survivor_id
),

-- The survivor's own way to write a contact, where it has it; and every record that gave it.
given as (
    select
        k.client_id,
        k.kind,
        k.value_key,
        arg_min(k.value_as_sent, (k.origin_client_id <> k.client_id, i.client_ref, k.value_as_sent)) as value,
        list_sort(list_distinct(list(i.client_ref))) as from_refs
    from staged.contacts as k
    join staged.client_ids as i on i.client_id = k.origin_client_id
    group by k.client_id, k.kind, k.value_key
),

contacts as (
    select
        client_id,
        list({'kind': kind, 'value': value, 'from_refs': from_refs} order by kind, value_key) as contacts
    from given
    group by client_id
),

-- The names that stand: every given one that no choice dropped, and how the survivor's own rows spelt the name.
names as (
    select a.client_id, a.name_key, arg_min(
        {'kind': a.kind, 'name': a.name_as_sent},
        (a.origin_client_id <> a.client_id, a.kind = 'name_sent', a.kind, i.client_ref)
    ) as name
    from staged.aliases as a
    join staged.client_ids as i on i.client_id = a.origin_client_id
    anti join merged.choices as c on c.kind = 'alias' and c.client_id = a.origin_client_id and a.kind <> 'name_sent'
    where a.kind <> 'name_sent' or a.origin_client_id = a.client_id
    group by a.client_id, a.name_key
),

aliases as (
    select client_id, list(name order by name_key) as aliases
    from names
    group by client_id
),

left_behind as (
    select m.survivor_id as client_id, count(*) as visits
    from staged.visits as v
    join merged_away as m on m.client_id = v.origin_client_id
    where v.client_id <> m.survivor_id
    group by m.survivor_id
)

select
    s.client_ref,
    [s.client_ref] || coalesce(m.merged_refs, []) as client_refs,
    coalesce(m.merge_ids, []) as merge_ids,
    if(p.client_id is null, c.title, p.title) as title,
    if(p.client_id is null, c.forename, p.forename) as forename,
    if(p.client_id is null, c.known_as, p.known_as) as known_as,
    if(p.client_id is null, c.other_names, p.other_names) as other_names,
    if(p.client_id is null, c.surname, p.surname) as surname,
    if(p.client_id is null, c.born_on, p.born_on) as born_on,
    if(p.client_id is null, c.gender, p.gender) as gender,
    s.status,
    coalesce(k.contacts, []) as contacts,
    coalesce(a.aliases, []) as aliases,
    list_transform(
        s.references,
        lambda one: {
            'kind': one.kind, 'issuer': one.issuer, 'number': one.number,
            'standing': if(one.live, 'live', 'former')
        }
    ) as "references",
    list_transform(
        s.enrolments,
        lambda one: {
            'issuer': one.issuer, 'contract': one.contract, 'funding': one.funding, 'care_band': one.care_band,
            'start_on': one.start_on, 'end_on': one.end_on, 'standing': if(one.current, 'current', 'past')
        }
    ) as enrolments,
    len(list_filter(s.orders, lambda one: one.standing = 'active')) as active_orders,
    len(list_filter(s.orders, lambda one: one.standing = 'future')) as orders_to_come,
    s.past_orders,
    coalesce(
        list_sum(list_transform(s.orders, lambda one: if(one.standing = 'active', one.weekly_pence, null))), 0
    )::bigint as weekly_pence,
    s.upcoming_visits,
    s.past_visits,
    coalesce(l.visits, 0) as visits_left_behind,
    s.first_visit_on,
    s.last_visit_on,
    coalesce(p.filled, []) as filled
from sides as s
join staged.clients as c on c.client_id = s.client_id
left join profiles as p on p.client_id = s.client_id
left join members as m on m.client_id = s.client_id
left join contacts as k on k.client_id = s.client_id
left join aliases as a on a.client_id = s.client_id
left join left_behind as l on l.client_id = s.client_id
order by s.client_ref
