-- One row is what one rostering system says, in this batch, of one of its clients: the latest row of each client id.
-- Which council issued the Social Services Reference is not in the export: it is the mapping's, or the contract's.
select
    'roster_clients' as feed,
    r.issuer,
    r.client_id as record_id,
    r.file_id,
    r.row_number,
    b.file_on as sent_on,
    coalesce($authority_code::varchar, c.council) as council,
    r.social_services_ref as reference,
    reference_core(r.social_services_ref, $prefix_pattern) as reference_core,
    r.nhs_number as nhs_as_sent,
    r.title,
    r.forename,
    r.known_as,
    r.other_names,
    r.surname,
    gender_code(r.gender) as gender,
    r.date_of_birth as born_as_sent,
    date_of(r.date_of_birth) as born_read,
    r.address_1,
    r.address_2,
    r.town,
    r.postcode,
    r.phone,
    r.mobile,
    r.email,
    date_of(r.start_date) as active_from,
    date_of(r.end_date) as active_to,
    r.status
from known_roster_clients as r
join batch as b on b.file_id = r.file_id and b.source = $source
left join roster_councils as c on c.issuer = r.issuer and c.record_id = r.client_id
qualify row_number() over (
    partition by r.issuer, r.client_id order by b.place desc, r.row_number desc
) = 1
