-- One row is what one rostering system says, in this batch, of one of its clients: the latest row of each client id.
-- Which council issued the Social Services Reference is not in the export: it is the mapping's, or the contract's.
select
    'roster_clients' as feed,
    r.issuer,
    trimmed(r.client_id) as record_id,
    r.file_id,
    r.row_number,
    b.file_on as sent_on,
    coalesce($authority_code::varchar, c.council) as council,
    cleaned(r.social_services_ref) as reference,
    reference_core(cleaned(r.social_services_ref), $prefix_pattern) as reference_core,
    cleaned(r.nhs_number) as nhs_as_sent,
    cleaned(r.title) as title,
    cleaned(r.forename) as forename,
    cleaned(r.known_as) as known_as,
    cleaned(r.other_names) as other_names,
    cleaned(r.surname) as surname,
    gender_code(r.gender) as gender,
    cleaned(r.date_of_birth) as born_as_sent,
    read_date(r.date_of_birth, $date_formats, $serials) as born_read,
    cleaned(r.address_1) as address_1,
    cleaned(r.address_2) as address_2,
    cleaned(r.town) as town,
    cleaned(r.postcode) as postcode,
    cleaned(r.phone) as phone,
    cleaned(r.mobile) as mobile,
    cleaned(r.email) as email,
    read_date(r.start_date, $date_formats, $serials) as active_from,
    read_date(r.end_date, $date_formats, $serials) as active_to,
    cleaned(r.status) as status
from raw.roster_clients as r
join batch as b on b.file_id = r.file_id and b.source = $source
left join roster_councils as c on c.issuer = r.issuer and c.record_id = trimmed(r.client_id)
qualify row_number() over (
    partition by r.issuer, trimmed(r.client_id) order by b.place desc, r.row_number desc
) = 1
