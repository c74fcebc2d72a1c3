-- One row is one merged-away record that staff still have to merge in the care system's own wizard, which nothing undoes:
-- what to enter, to check and to choose. In the order of the waves, so that what costs least if wrong comes first.
with visits as (
    select
        v.origin_client_id as client_id,
        min(v.visit_on) as first_visit_on,
        max(v.visit_on) as last_visit_on,
        count(*) filter (v.client_id = m.survivor_id) as visits,
        count(*) filter (v.client_id <> m.survivor_id) as visits_left_behind
    from staged.visits as v
    join merged_away as m on m.client_id = v.origin_client_id
    group by v.origin_client_id
),

orders as (
    select
        o.origin_client_id as client_id,
        list(concat(o.issuer, ' ', o.purchase_order_number, '/', o.line_number)
            order by o.issuer, o.purchase_order_number, o.line_number) as orders
    from staged.purchase_orders as o
    join merged_away as m on m.client_id = o.origin_client_id
    where order_standing(o.start_on, o.end_on, o.status, $day) <> 'past'
    group by o.origin_client_id
),

numbers as (
    select origin_client_id as client_id,
        list(concat_ws(' ', upper(issuer), reference) order by kind, issuer, reference) as numbers
    from staged.references
    where kind <> 'nhs_number'
        and origin_client_id in (select unnest([client_id, survivor_id]) from merged_away)
    group by origin_client_id
),

stuck as (
    select
        from_ref,
        list(reference order by reference) filter (standing = 'live') as live,
        list(reference order by reference) filter (standing = 'former') as former
    from support_cases
    group by from_ref
),

-- Whose enrolment on a contract is set aside, and whether the other names are: as the decision chose.
choices as (
    select
        m.client_id,
        list(distinct c.name order by c.name) filter (c.kind = 'enrolment' and c.client_id = m.client_id) as theirs_aside,
        list(distinct c.name order by c.name) filter (c.kind = 'enrolment' and c.client_id = m.survivor_id) as ours_aside,
        bool_or(c.kind = 'alias' and c.client_id = m.client_id) as names_dropped
    from (select client_id, survivor_id, unnest([client_id, survivor_id]) as side_id from merged_away) as m
    join merged.choices as c on c.client_id = m.side_id
    group by m.client_id
),

given_names as (
    select distinct origin_client_id as client_id from staged.aliases where kind <> 'name_sent'
),

still_there as (
    select s.origin_client_id as client_id, bool_or(on_the_books(s.active_to, s.status, $day)) as on_the_books
    from staged.source_records as s
    join merged_away as m on m.client_id = s.origin_client_id
    where s.feed = 'roster_clients'
    group by s.origin_client_id
)

select
    row_number() over (order by list_position(['empty', 'no money', 'money'], m.wave), m.merge_id, m.client_ref)::integer
        as position,
    m.wave,
    m.merge_id,
    m.survivor_ref as into_ref,
    concat_ws(' ', stays.forename, stays.surname) as into_name,
    coalesce(into_numbers.numbers, []) as into_numbers,
    m.client_ref as from_ref,
    concat_ws(' ', goes.forename, goes.surname) as from_name,
    coalesce(from_numbers.numbers, []) as from_numbers,
    v.first_visit_on,
    v.last_visit_on,
    coalesce(v.visits, 0) as visits,
    coalesce(v.visits_left_behind, 0) as visits_left_behind,
    case
        when o.orders is null then 'No order runs or is to come on the record that goes.'
        else 'Move these orders to the record that stays before the other is made inactive.'
    end as order_check,
    coalesce(o.orders, []) as orders_to_move,
    case
        when k.live is not null
            then 'These have to be on the record that stays afterwards; else ask support (support_cases).'
        when k.former is not null then 'None that is live; those that are not may stay behind.'
        else 'The record that stays has them all.'
    end as reference_check,
    coalesce(k.live, []) as references_to_carry,
    coalesce(k.former, []) as former_references,
    concat_ws(
        ' ',
        'Profile: of the record that stays.',
        'Contacts: keep all.',
        'Enrolments on ' || array_to_string(h.theirs_aside, ', ') || ': of the record that stays.',
        'Enrolments on ' || array_to_string(h.ours_aside, ', ') || ': of the record that goes.',
        case when h.names_dropped then 'Other names: drop.' when a.client_id is not null then 'Other names: keep.' end
    ) as to_choose,
    case b.on_the_books when true then 'yes' when false then 'no' else 'not on a roster' end as still_on_the_books,
    timezone($timezone, m.signed_at)::date as signed_on,
    m.signed_by
from merged_away as m
join staged.clients as goes on goes.client_id = m.client_id
join staged.clients as stays on stays.client_id = m.survivor_id
left join visits as v on v.client_id = m.client_id
left join orders as o on o.client_id = m.client_id
left join numbers as from_numbers on from_numbers.client_id = m.client_id
left join numbers as into_numbers on into_numbers.client_id = m.survivor_id
left join stuck as k on k.from_ref = m.client_ref
left join choices as h on h.client_id = m.client_id
left join given_names as a on a.client_id = m.client_id
left join still_there as b on b.client_id = m.client_id
order by position
