-- One row is what one purchase order line says, in this batch, of the client that it is for: the latest of each line.
-- A line without a line number is line 1. The day that the council wrote the line (Created) counts before the day of its
-- file, but no day after the delivery; content that was delivered more than once speaks as of its latest delivery.
select
    'purchase_orders' as feed,
    r.issuer,
    trimmed(r.purchase_order_number) || '/' || coalesce(cleaned(r.line_number), '1') as record_id,
    r.file_id,
    r.row_number,
    if(
        b.came_again,
        b.file_on,
        least(coalesce(read_date(r.created, $date_formats, $serials), b.file_on), b.delivered_for)
    ) as sent_on,
    r.issuer as council,
    cleaned(r.social_services_ref) as reference,
    reference_core(cleaned(r.social_services_ref), $prefix_pattern) as reference_core,
    cleaned(r.nhs_number) as nhs_as_sent,
    cleaned(r.title) as title,
    cleaned(r.forename) as forename,
    null::varchar as known_as,
    null::varchar as other_names,
    cleaned(r.surname) as surname,
    gender_code(r.gender) as gender,
    cleaned(r.date_of_birth) as born_as_sent,
    read_date(r.date_of_birth, $date_formats, $serials) as born_read,
    cleaned(r.address_1) as address_1,
    cleaned(r.address_2) as address_2,
    cleaned(r.town) as town,
    cleaned(r.postcode) as postcode,
    cleaned(r.phone) as phone,
    null::varchar as mobile,
    null::varchar as email,
    read_date(r.start_date, $date_formats, $serials) as active_from,
    read_date(r.end_date, $date_formats, $serials) as active_to,
    cleaned(r.status) as status
from raw.purchase_orders as r
join batch as b on b.file_id = r.file_id and b.source = $source
qualify row_number() over (
    partition by r.issuer, trimmed(r.purchase_order_number) || '/' || coalesce(cleaned(r.line_number), '1')
    order by sent_on desc, b.place desc, r.row_number desc
) = 1
