-- One row is one rostering client id that the visits or enrolments in `reading` name, and whether it is known: a client record
-- has it, or a file of tonight brings it. Each other one would make a record of an id and nothing else.
with sent as (
    select cleaned(client_id) as named, min(row_number) as row_number
    from reading
    where row_number not in (select row_number from rejected) and cleaned(client_id) is not null
    group by all
),

ids as (
    select reference as named from staged.references where kind = 'roster_client_id' and issuer = $issuer
    union
    select cleaned(client_id) from raw.roster_clients
    where issuer = $issuer and file_id not in (select file_id from staged.taken_files)
    union
    select cleaned(client_id) from raw.roster_visits
    where issuer = $issuer and file_id not in (select file_id from staged.taken_files)
    union
    select cleaned(client_id) from raw.roster_enrolments
    where issuer = $issuer and file_id not in (select file_id from staged.taken_files)
)

select s.named, null::varchar as reference, s.row_number, i.named is not null as is_known
from sent as s
left join ids as i on i.named = s.named
