-- One row is one source row about a person, standardised: what matching compares, beside the cells as sent.
-- A placeholder ("Unknown", 01/01/1900, 00000000000) is nulled and named in `placeholders`.
with named as (
    select
        *,
        name_key(regexp_replace(forename, '^(mr|mrs|miss|ms|dr|rev|sir|lady|prof)\.?\s+', '', 'i')) as forename_said,
        name_key(surname) as surname_said,
        name_key(known_as) as known_as_said
    from sent_people
),

judged as (
    select
        *,
        coalesce(forename_said in (select name from placeholder_names), false) as forename_is_placeholder,
        coalesce(surname_said in (select name from placeholder_names), false) as surname_is_placeholder,
        coalesce(
            born_read in (date '1900-01-01', date '1899-12-30', date '1899-12-31', date '1753-01-01', date '1901-01-01')
            or born_read > sent_on
            or born_read < sent_on - interval 120 year,
            false
        ) as birth_is_placeholder
    from named
),

-- All given names, each as its formal one: PEGGY ANN and MARGARET ANN give MARGARET ANN.
given_names as (
    select said, array_to_string(list(coalesce(form, name) order by place), ' ') as roots
    from (
        select said, unnest(string_split(said, ' ')) as name, generate_subscripts(string_split(said, ' '), 1) as place
        from (select distinct forename_said as said from named where forename_said is not null)
    )
    left join staged.standard_forms as f on f.kind = 'forename' and f.as_sent = name
    group by said
)

select
    p.feed,
    p.issuer,
    p.record_id,
    p.file_id,
    p.row_number,
    p.sent_on,
    p.council,
    p.reference,
    reference_key(p.reference) as reference_key,
    p.reference_core,
    p.nhs_as_sent,
    p.title,
    p.forename,
    p.known_as,
    p.other_names,
    p.surname,
    p.gender,
    p.born_as_sent,
    p.address_1,
    p.address_2,
    p.town,
    p.postcode,
    p.phone,
    p.mobile,
    p.email,
    p.active_from,
    p.active_to,
    p.status,
    if(p.forename_is_placeholder, null, p.forename_said) as forename_key,
    if(p.forename_is_placeholder, null, g.roots) as forename_root,
    coalesce(kr.form, p.known_as_said) as known_as_root,
    name_key(p.other_names) as other_names_key,
    if(p.surname_is_placeholder, null, p.surname_said) as surname_key,
    if(p.birth_is_placeholder, null, p.born_read) as born_on,
    nhs.form as nhs_number,
    address_key(p.address_1, p.address_2) as address_key,
    postcode_key(p.postcode) as postcode_key,
    ph.form as phone_e164,
    mo.form as mobile_e164,
    if(p.email like '%_@_%._%', lower(p.email), null) as email_key,
    list_filter(
        [
            if(p.forename_is_placeholder, 'forename', null),
            if(p.surname_is_placeholder, 'surname', null),
            if(p.birth_is_placeholder, 'birth', null),
            if(p.born_as_sent is not null and p.born_read is null, 'birth unreadable', null),
            if(p.nhs_as_sent is not null and nhs.form is null, 'nhs number invalid', null),
            if(p.phone is not null and ph.form is null, 'phone', null),
            if(p.mobile is not null and mo.form is null, 'mobile', null)
        ],
        lambda flag: flag is not null
    ) as placeholders
from judged as p
left join given_names as g on g.said = p.forename_said
left join staged.standard_forms as kr on kr.kind = 'forename' and kr.as_sent = split_part(p.known_as_said, ' ', 1)
left join staged.standard_forms as nhs on nhs.kind = 'nhs' and nhs.as_sent = p.nhs_as_sent
left join staged.standard_forms as ph on ph.kind = 'phone' and ph.as_sent = p.phone
left join staged.standard_forms as mo on mo.kind = 'phone' and mo.as_sent = p.mobile
