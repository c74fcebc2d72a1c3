-- One row is one rostering client of this batch, the client record that it belongs to, and how that was found.
-- A known client id stays where it is. A new one joins the record that holds its exact reference, unless that record
-- already has an id from this rostering system (two ids are two records, until a person decides) or is plainly someone
-- else. Of a reference whose council is unknown, something else must speak for it too. Else a new record is made.
with known as (
    select p.issuer, p.record_id, s.origin_client_id, s.how_linked
    from people as p
    join staged.source_records as s
        on s.feed = p.feed and s.issuer = p.issuer and s.record_id = p.record_id
),

holders as materialized (
    select
        p.issuer,
        p.record_id,
        c.client_id,
        someone_else(p, c) as is_someone_else,
        h.issuer is null or p.council is null as council_unknown,
        speaks_for(p, c) as something_speaks
    from people as p
    join staged.references as h
        on h.kind = 'social_services_reference' and h.reference = p.reference
        and (h.issuer = p.council or h.issuer is null or p.council is null)
    join staged.clients as c on c.client_id = h.origin_client_id
    where not exists (
        select 1 from staged.references as own
        where own.origin_client_id = h.origin_client_id and own.kind = 'roster_client_id' and own.issuer = p.issuer
    )
),

found as (
    select issuer, record_id, client_id, something_speaks
    from holders
    where not is_someone_else and (not council_unknown or something_speaks)
    qualify row_number() over (partition by issuer, record_id order by council_unknown, client_id) = 1
),

first_to_join as (
    select issuer, record_id, client_id
    from found
    qualify row_number() over (partition by client_id order by something_speaks desc, record_id) = 1
)

select
    p.feed,
    p.issuer,
    p.record_id,
    coalesce(k.origin_client_id, f.client_id) as client_id,
    p.issuer || '/' || p.record_id as new_client_ref,
    case
        when k.origin_client_id is not null then k.how_linked
        when f.client_id is not null then 'exact_reference'
        when p.row_number is null then 'id_only'
        when exists (
            select 1 from staged.id_holders as h
            where h.feed = p.feed and h.issuer = p.issuer and h.record_id = p.record_id and h.id_sent <> h.record_id
        ) then 'id_of_someone_else'
        when p.reference is null then 'missing_reference'
        when exists (select 1 from holders as h where h.issuer = p.issuer and h.record_id = p.record_id and h.is_someone_else)
            then 'reference_of_someone_else'
        else 'new_reference'
    end as how_linked
from people as p
left join known as k using (issuer, record_id)
left join first_to_join as f using (issuer, record_id)
where p.feed = 'roster_clients' and p.issuer = $issuer
