-- One row is one row as sent about the person in `person`, of whatever file, by the row's place; `kept_id` is the token for
-- its rostering id. A line that was about somebody else once, or is now, is told by its reference or by a name.
with told as (
    select s.* from staged.source_records as s join person as p on p.client_id = s.origin_client_id
),

council_references as (
    select distinct council, reference from told where reference is not null
),

names as (
    select distinct forename_key, surname_key, born_as_sent from told where surname_key is not null
),

-- The ids by which they came. One that came with somebody else too (staged.id_holders) tells of both.
ids as (
    select
        p.feed, p.issuer, p.record_id, coalesce(h.id_sent, p.record_id) as id_sent, h.id_sent is not null as is_shared,
        p.kept_id
    from person_rows as p
    left join (select distinct feed, issuer, id_sent, record_id from staged.id_holders) as h
        on h.feed = p.feed and h.issuer = p.issuer and h.record_id = p.record_id
),

other_holders as (
    select h.issuer, h.id_sent, s.surname_key, s.forename_key, s.born_as_sent
    from staged.id_holders as h
    join staged.source_records as s on s.feed = h.feed and s.issuer = h.issuer and s.record_id = h.record_id
    where h.feed = 'roster_clients' and s.origin_client_id not in (select client_id from person)
),

lines as (
    select
        r.file_id,
        r.row_number,
        r.issuer,
        r.purchase_order_number || '/' || coalesce(r.line_number, '1') as record_id,
        r.social_services_ref as reference,
        r.nhs_number,
        name_key(r.forename) as forename_key,
        name_key(r.surname) as surname_key,
        r.date_of_birth as born_as_sent
    from raw.purchase_orders as r
),

near as (
    select
        l.*,
        p.id_sent is not null as has_their_id,
        coalesce(p.is_shared, false) as is_shared,
        exists (
            select 1 from council_references as c
            where c.reference = l.reference and (c.council = l.issuer or c.council is null)
        ) as has_their_reference,
        exists (
            select 1 from names as n
            where n.surname_key = l.surname_key
                and (n.forename_key = l.forename_key or n.born_as_sent = l.born_as_sent)
        ) as has_their_name,
        exists (select 1 from told as t where t.nhs_as_sent = l.nhs_number) as has_their_number
    from lines as l
    left join (select distinct feed, issuer, id_sent, is_shared from ids) as p
        on p.feed = 'purchase_orders' and p.issuer = l.issuer and p.id_sent = l.record_id
)

select 'purchase_orders' as feed, file_id, row_number, issuer, record_id, record_id as kept_id
from (select *, has_their_id and (not is_shared or has_their_name) as is_theirs_now from near)
where is_theirs_now and (reference is null or has_their_reference)
    or (is_theirs_now or has_their_reference or has_their_number) and has_their_name
union all
select 'roster_clients', r.file_id, r.row_number, i.issuer, i.id_sent, i.kept_id
from raw.roster_clients as r
join ids as i on i.feed = 'roster_clients' and i.issuer = r.issuer and i.id_sent = r.client_id
where not i.is_shared or not exists (
    select 1 from other_holders as o
    where o.issuer = r.issuer and o.id_sent = r.client_id and o.surname_key = name_key(r.surname)
        and (o.forename_key = name_key(r.forename) or o.born_as_sent = r.date_of_birth)
)
union all
select 'roster_visits', r.file_id, r.row_number, i.issuer, i.id_sent, i.kept_id
from raw.roster_visits as r
join ids as i on i.feed = 'roster_clients' and i.issuer = r.issuer and i.id_sent = r.client_id
left join staged.visits as v on v.issuer = r.issuer and v.visit_id = r.visit_id
where not i.is_shared or v.origin_client_id in (select client_id from person)
union all
select 'roster_enrolments', r.file_id, r.row_number, i.issuer, i.id_sent, i.kept_id
from raw.roster_enrolments as r
join ids as i on i.feed = 'roster_clients' and i.issuer = r.issuer and i.id_sent = r.client_id
where not i.is_shared or exists (
    select 1 from staged.enrolments as e
    where e.issuer = i.issuer and e.record_id = i.record_id and e.contract_number = r.contract_number
)
