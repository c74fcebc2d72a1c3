-- One row is one rostering client id of the client export in `reading`, and whether a client record would be found for it:
-- one that has the id, or the exact reference and no id of this system yet, or one that a file of tonight brings.
with sent as (
    select
        cleaned(client_id) as named,
        min(row_number) as row_number,
        any_value(cleaned(social_services_ref)) as reference
    from reading
    where row_number not in (select row_number from rejected) and cleaned(client_id) is not null
    group by all
),

ids as (
    select reference as named from staged.references where kind = 'roster_client_id' and issuer = $issuer
    union
    select cleaned(client_id) from raw.roster_clients
    where issuer = $issuer and file_id not in (select file_id from staged.taken_files)
),

refs as (
    select distinct reference from staged.references where kind = 'social_services_reference'
    union
    select cleaned(social_services_ref) from raw.purchase_orders
    where file_id not in (select file_id from staged.taken_files)
)

select
    s.named,
    s.reference,
    s.row_number,
    i.named is not null or r.reference is not null as is_known
from sent as s
left join ids as i on i.named = s.named
left join refs as r on r.reference = s.reference
