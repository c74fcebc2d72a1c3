-- One row is one side of a case: a live client record with its profile, how it came to be, and all its linked data.
-- `involved` says which records count for which side, so that what an earlier merge joined is one side, restricted or
-- deceased as soon as one of them is, and its profile that of the group (`profiles`); everything is asked by the record
-- that a row came in for. What a merge set aside (merged.choices) does not hang on it any more.
with enrolled as (
    select i.side_id, e.*, k.council
    from staged.enrolments as e
    join involved as i on i.client_id = e.origin_client_id
    left join staged.contracts as k on k.contract_number = e.contract_number
    anti join merged.choices as c
        on c.kind = 'enrolment' and c.client_id = e.origin_client_id and c.name = e.contract_number
),

orders_standing as (
    select
        i.side_id,
        o.*,
        order_standing(o.start_on, o.end_on, o.status, $day) as standing,
        not exists (
            select 1
            from enrolled as e
            where e.side_id = i.side_id and coalesce(e.end_on, date '9999-12-31') >= $day
              and if(o.contract_number is null, e.council = o.issuer, e.contract_number = o.contract_number)
        ) as hidden
    from staged.purchase_orders as o
    join involved as i on i.client_id = o.origin_client_id
),

orders as (
    select
        side_id,
        list({
            'council': issuer,
            'number': purchase_order_number,
            'line': line_number,
            'contract': coalesce(contract_number, ''),
            'service': coalesce(service_type, ''),
            'start_on': start_on,
            'end_on': end_on,
            'status': coalesce(status, ''),
            'weekly_pence': weekly_pence(rate, weekly_units)::bigint,
            'standing': standing,
            'hidden': hidden
        } order by standing, start_on, issuer, purchase_order_number, line_number) filter (standing <> 'past') as orders,
        count(*) filter (standing = 'past') as past_orders
    from orders_standing
    group by side_id
),

visits as (
    select
        side_id,
        count(*) filter (visit_on > $day and not is_cancelled) as upcoming_visits,
        count(*) filter (visit_on <= $day) as past_visits,
        min(visit_on) as first_visit_on,
        max(visit_on) as last_visit_on
    from (
        select i.side_id, v.visit_on, is_cancelled(v.status) as is_cancelled
        from staged.visits as v join involved as i on i.client_id = v.origin_client_id
    )
    group by side_id
),

enrolments as (
    select
        side_id,
        list({
            'issuer': issuer,
            'contract': coalesce(contract_number, ''),
            'funding': coalesce(funding_type, ''),
            'care_band': coalesce(care_band, ''),
            'start_on': nullif(start_on, date '1900-01-01'),
            'end_on': end_on,
            'current': coalesce(end_on, date '9999-12-31') >= $day
        } order by contract_number, start_on, issuer, record_id) as enrolments
    from enrolled
    group by side_id
),

contacts as (
    select
        side_id,
        list({'kind': kind, 'value': value_as_sent, 'key': value_key} order by kind, value_key) as contacts
    from (
        select i.side_id, k.kind, k.value_key, min(k.value_as_sent) as value_as_sent
        from staged.contacts as k
        join involved as i on i.client_id = k.origin_client_id
        group by i.side_id, k.kind, k.value_key
    )
    group by side_id
),

aliases as (
    select
        side_id,
        list({'kind': kind, 'name': name_as_sent, 'key': name_key} order by kind, name_key) as aliases
    from (
        select i.side_id, a.kind, a.name_key, min(a.name_as_sent) as name_as_sent
        from staged.aliases as a
        join involved as i on i.client_id = a.origin_client_id
        anti join merged.choices as c on c.kind = 'alias' and c.client_id = a.origin_client_id and a.kind <> 'name_sent'
        group by i.side_id, a.kind, a.name_key
    )
    group by side_id
),

source_rows as (
    select
        i.side_id,
        s.*,
        coalesce(h.id_sent, s.record_id) as id_sent,
        if(s.feed = 'purchase_orders', order_standing(active_from, active_to, status, $day) <> 'past',
            on_the_books(active_to, status, $day)) as is_live
    from staged.source_records as s
    join involved as i on i.client_id = s.origin_client_id
    left join (select distinct feed, issuer, record_id, id_sent from staged.id_holders) as h
        on h.feed = s.feed and h.issuer = s.issuer and h.record_id = s.record_id
),

numbers as (
    select side_id, origin_client_id, is_live, unnest([
        {'kind': 'social_services_reference', 'issuer': council, 'number': reference, 'core': reference_core},
        {'kind': 'roster_client_id', 'issuer': if(feed = 'roster_clients', issuer, null),
         'number': if(feed = 'roster_clients', id_sent, null), 'core': null},
        {'kind': 'nhs_number', 'issuer': 'nhs', 'number': nhs_number, 'core': null}
    ]) as given
    from source_rows
),

number_lists as (
    select
        side_id,
        list(
            {'kind': kind, 'issuer': issuer, 'number': number, 'live': live, 'core': core} order by kind, issuer, number
        ) as numbers
    from (
        select
            n.side_id,
            n.given.kind as kind,
            coalesce(n.given.issuer, '') as issuer,
            n.given.number as number,
            bool_or(n.is_live and c.client_id is null) as live,
            coalesce(min(n.given.core), '') as core
        from numbers as n
        left join merged.choices as c
            on c.kind = 'reference' and c.client_id = n.origin_client_id and c.name = n.given.number
            -- A reference that was chosen against before its council was known stays a former one.
            and (c.issuer = n.given.issuer or c.issuer = '' and n.given.kind = 'social_services_reference')
        where n.given.number is not null
        group by all
    )
    group by side_id
),

-- Where a source row was first seen: the raw tables keep every file's rows (of a retired one, where it was the first), the
-- register only the last that differed.
rows_sent as (
    select 'purchase_orders' as feed, issuer, file_id, row_number,
        purchase_order_number || '/' || coalesce(line_number, '1') as record_id
    from raw.purchase_orders
    union all
    select 'roster_clients', issuer, file_id, row_number, client_id from raw.roster_clients
    union all
    select feed, issuer, file_id, row_number, record_id from raw.first_rows
),

first_sent as (
    select
        r.feed,
        r.issuer,
        r.record_id,
        min({'sent_for': f.delivered_for, 'file_name': f.file_name, 'row_number': r.row_number}) as seen
    from rows_sent as r
    semi join source_rows as s on s.feed = r.feed and s.issuer = r.issuer and s.record_id = r.record_id
    join raw.files as f using (file_id)
    group by r.feed, r.issuer, r.record_id
),

origins as (
    select
        s.side_id,
        list({
            'feed': s.feed,
            'issuer': s.issuer,
            'record_id': s.id_sent,
            'file_name': coalesce(seen.file_name, f.file_name, ''),
            'row_number': coalesce(seen.row_number, s.row_number),
            'how_linked': s.how_linked
        } order by s.how_linked = 'exact_reference', seen, s.feed, s.issuer, s.record_id) as came_from
    from source_rows as s
    left join first_sent using (feed, issuer, record_id)
    left join raw.files as f on f.file_id = s.file_id
    group by s.side_id
),

-- A member of a signed-off merge that counts for another record today is shown by its own row.
side_profiles as (
    select p.*
    from profiles as p
    semi join involved as i on i.side_id = p.client_id
    union all by name
    select c.*, [] as filled
    from staged.clients as c
    semi join involved as i on i.side_id = c.client_id
    anti join profiles as p on p.client_id = c.client_id
),

warnings as (
    select
        i.side_id,
        bool_or(says_deceased(concat_ws(' ', c.status, c.title, c.forename, c.surname, c.other_names))) as deceased,
        bool_or(says_restricted(concat_ws(' ', c.status, c.title, c.forename, c.surname))) as restricted
    from involved as i
    join staged.clients as c on c.client_id = i.client_id
    group by i.side_id
)

select
    c.client_id,
    c.client_ref,
    list_transform(
        list_filter(
            [
                {'field': 'Title', 'name': 'title', 'value': c.title},
                {'field': 'Forename', 'name': 'forename', 'value': c.forename},
                {'field': 'Known as', 'name': 'known_as', 'value': c.known_as},
                {'field': 'Other names', 'name': 'other_names', 'value': c.other_names},
                {'field': 'Surname', 'name': 'surname', 'value': c.surname},
                {'field': 'Born', 'name': 'born_on', 'value': coalesce(strftime(c.born_on, '%d/%m/%Y'), c.born_as_sent)},
                {'field': 'Gender', 'name': 'gender', 'value': c.gender}
            ],
            lambda detail: detail.value is not null
        ),
        lambda detail: {
            'field': detail.field,
            'value': detail.value,
            'from_ref': coalesce(
                list_filter(c.filled, lambda one: one.field = detail.name)[1].from_ref, c.client_ref
            )
        }
    ) as profile,
    coalesce(c.status, '') as status,
    coalesce(t.deceased, false) as deceased,
    coalesce(t.restricted, false) as restricted,
    coalesce(v.upcoming_visits, 0) as upcoming_visits,
    coalesce(v.past_visits, 0) as past_visits,
    v.first_visit_on,
    v.last_visit_on,
    coalesce(o.orders, []) as orders,
    coalesce(o.past_orders, 0) as past_orders,
    coalesce(e.enrolments, []) as enrolments,
    coalesce(k.contacts, []) as contacts,
    coalesce(a.aliases, []) as aliases,
    coalesce(n.numbers, []) as "references",
    c.made_how,
    c.made_on,
    coalesce(s.came_from, []) as came_from,
    {
        'forename': concat_ws(' ', c.forename, if(c.known_as is null, null, '(known as ' || c.known_as || ')')),
        'surname': c.surname,
        'other_names': c.other_names,
        'born_on': coalesce(strftime(c.born_on, '%d/%m/%Y'), c.born_as_sent),
        'address': concat_ws(', ', c.address_1, c.address_2, c.town),
        'town': null,
        'email': c.email,
        'postcode': c.postcode,
        'phone': c.phone,
        'mobile': c.mobile,
        'gender': c.gender,
        'nhs_number': coalesce(c.nhs_number, c.nhs_as_sent),
        'council': c.council,
        'reference': c.reference
    } as shown
from side_profiles as c
left join warnings as t on t.side_id = c.client_id
left join orders as o on o.side_id = c.client_id
left join visits as v on v.side_id = c.client_id
left join enrolments as e on e.side_id = c.client_id
left join contacts as k on k.side_id = c.client_id
left join aliases as a on a.side_id = c.client_id
left join number_lists as n on n.side_id = c.client_id
left join origins as s on s.side_id = c.client_id
order by c.client_id
