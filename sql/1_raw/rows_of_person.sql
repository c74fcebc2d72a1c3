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
        p.record_id is not null as is_theirs_now,
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
    left join person_rows as p on p.feed = 'purchase_orders' and p.issuer = l.issuer and p.record_id = l.record_id
)

select 'purchase_orders' as feed, file_id, row_number, issuer, record_id, record_id as kept_id
from near
where is_theirs_now and (reference is null or has_their_reference)
    or (is_theirs_now or has_their_reference or has_their_number) and has_their_name
union all
select 'roster_clients', r.file_id, r.row_number, p.issuer, p.record_id, p.kept_id
from raw.roster_clients as r
join person_rows as p on p.feed = 'roster_clients' and p.issuer = r.issuer and p.record_id = r.client_id
union all
select 'roster_visits', r.file_id, r.row_number, p.issuer, p.record_id, p.kept_id
from raw.roster_visits as r
join person_rows as p on p.feed = 'roster_clients' and p.issuer = r.issuer and p.record_id = r.client_id
union all
select 'roster_enrolments', r.file_id, r.row_number, p.issuer, p.record_id, p.kept_id
from raw.roster_enrolments as r
join person_rows as p on p.feed = 'roster_clients' and p.issuer = r.issuer and p.record_id = r.client_id
