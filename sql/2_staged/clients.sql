-- One row is one client record: the profile that its rostering system last sent, or if it has none, its latest order.
-- What the profile lacks for telling people apart (birth, gender, NHS number, phone) is taken from the record's
-- other rows. `survivor_id` is the record that it counts for today: itself, unless it was merged away. `compared_hash`
-- tells a night of matching whether there is anything to look at again.
with ranked as (
    select
        s.*,
        row_number() over (
            partition by origin_client_id
            order by feed = 'roster_clients' and sent_on > date '1900-01-01' desc, sent_on desc, issuer, record_id
        ) as rank
    from staged.source_records as s
    where origin_client_id in (select client_id from affected)
),

filled as (
    select
        origin_client_id,
        arg_min(gender, rank) as gender,
        arg_min(born_on, rank) as born_on,
        arg_min(nhs_number, rank) as nhs_number,
        arg_min(phone_e164, rank) as phone_e164,
        arg_min(mobile_e164, rank) as mobile_e164,
        arg_min(email_key, rank) as email_key,
        arg_min(reference, rank) as reference,
        arg_min(reference_key, rank) as reference_key,
        arg_min(reference_core, rank) as reference_core,
        arg_min(council, rank) as council,
        min(sent_on) as first_sent_on,
        count(*) as source_rows
    from ranked
    group by origin_client_id
),

clients as (
    select
        i.client_id,
        i.client_ref,
        i.made_on,
        i.made_how,
        i.made_by_feed,
        coalesce(x.survivor_id, i.client_id) as survivor_id,
        r.issuer as profile_issuer,
        r.title,
        r.forename,
        r.known_as,
        r.other_names,
        r.surname,
        r.born_as_sent,
        r.address_1,
        r.address_2,
        r.town,
        r.postcode,
        r.phone,
        r.mobile,
        r.email,
        r.nhs_as_sent,
        f.reference,
        f.reference_key,
        f.reference_core,
        f.council,
        r.forename_key,
        r.forename_root,
        r.known_as_root,
        r.other_names_key,
        r.surname_key,
        f.gender,
        f.born_on,
        f.nhs_number,
        r.address_key,
        r.postcode_key,
        f.phone_e164,
        f.mobile_e164,
        f.email_key,
        r.placeholders,
        r.active_from,
        r.active_to,
        r.status,
        f.source_rows
    from ranked as r
    join filled as f using (origin_client_id)
    join staged.client_ids as i on i.client_id = r.origin_client_id
    left join merged.crosswalk as x on x.client_id = i.client_id
    where r.rank = 1
)

select *, compared_hash(clients) as compared_hash
from clients
