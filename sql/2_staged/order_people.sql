-- One row is what one purchase order line says, in this batch, of the client that it is for: the latest of each line.
-- A line without a line number is line 1. The day that the council wrote the line (Created) counts before the day of its
-- file, but no day after the delivery; content that was delivered more than once speaks as of its latest delivery.
select
    'purchase_orders' as feed,
    r.issuer,
    r.purchase_order_number || '/' || coalesce(r.line_number, '1') as record_id,
    r.file_id,
    r.row_number,
    if(b.came_again, b.file_on, least(coalesce(date_of(r.created), b.file_on), b.delivered_for)) as sent_on,
    r.issuer as council,
    r.social_services_ref as reference,
    reference_core(r.social_services_ref, $prefix_pattern) as reference_core,
    r.nhs_number as nhs_as_sent,
    r.title,
    r.forename,
    null::varchar as known_as,
    null::varchar as other_names,
    r.surname,
    gender_code(r.gender) as gender,
    r.date_of_birth as born_as_sent,
    date_of(r.date_of_birth) as born_read,
    r.address_1,
    r.address_2,
    r.town,
    r.postcode,
    r.phone,
    null::varchar as mobile,
    null::varchar as email,
    date_of(r.start_date) as active_from,
    date_of(r.end_date) as active_to,
    r.status
from known_purchase_orders as r
join batch as b on b.file_id = r.file_id and b.source = $source
qualify row_number() over (
    partition by r.issuer, r.purchase_order_number || '/' || coalesce(r.line_number, '1')
    order by sent_on desc, b.place desc, r.row_number desc
) = 1
