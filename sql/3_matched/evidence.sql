-- One row is one candidate with both records, the level and weight of each comparison, and what hangs on each record
-- on the night. Most harmful first: visits still to come and orders still running on two records of one person.
with hanging as (
    select
        c.client_id,
        coalesce(o.active_orders, 0) as active_orders,
        coalesce(v.upcoming_visits, 0) as upcoming_visits,
        coalesce(v.past_visits, 0) as past_visits,
        coalesce(e.enrolments, 0) as enrolments,
        coalesce(r.all_references, []) as all_references
    from (select left_id as client_id from matched.candidates union select right_id from matched.candidates) as c
    left join (
        select client_id, count(*) as active_orders
        from staged.purchase_orders
        where start_on <= $day and coalesce(end_on, date '9999-12-31') >= $day and lower(coalesce(status, '')) <> 'cancelled'
        group by client_id
    ) as o using (client_id)
    left join (
        select
            client_id,
            count(*) filter (visit_on > $day) as upcoming_visits,
            count(*) filter (visit_on <= $day) as past_visits
        from staged.visits group by client_id
    ) as v using (client_id)
    left join (select client_id, count(*) as enrolments from staged.enrolments group by client_id) as e using (client_id)
    left join (
        select
            client_id,
            list(concat_ws(' ', if(kind = 'nhs_number', 'NHS', upper(issuer)), reference) order by kind, issuer, reference)
                as all_references
        from staged.references group by client_id
    ) as r using (client_id)
),

records as (
    select
        c.client_id,
        {
            'client_ref': c.client_ref,
            'made_how': c.made_how,
            'made_on': c.made_on,
            'active_orders': h.active_orders,
            'upcoming_visits': h.upcoming_visits,
            'past_visits': h.past_visits,
            'enrolments': h.enrolments,
            'all_references': h.all_references,
            'forename_shown': concat_ws(' ', c.forename, if(c.known_as is null, null, '(known as ' || c.known_as || ')')),
            'surname_shown': c.surname,
            'other_names_shown': c.other_names,
            'born_on_shown': coalesce(strftime(c.born_on, '%d/%m/%Y'), c.born_as_sent),
            'address_shown': concat_ws(', ', c.address_1, c.address_2, c.town),
            'town_shown': null,
            'email_shown': c.email,
            'postcode_shown': c.postcode,
            'phone_shown': c.phone,
            'mobile_shown': c.mobile,
            'gender_shown': c.gender,
            'nhs_number_shown': coalesce(c.nhs_number, c.nhs_as_sent),
            'council_shown': c.council,
            'reference_shown': c.reference
        } as record
    from staged.clients as c
    join hanging as h using (client_id)
)

select
    c.candidate_id,
    k.cluster_id,
    c.tier,
    c.relation,
    c.match_probability,
    c.match_weight,
    l.record as left_record,
    r.record as right_record,
    p.* exclude (left_id, right_id, model_version, match_probability, match_weight)
from matched.candidates as c
join matched.pairs as p using (left_id, right_id)
join records as l on l.client_id = c.left_id
join records as r on r.client_id = c.right_id
left join matched.clusters as k on k.client_id = c.left_id
order by
    (least(l.record.upcoming_visits, 1) + least(r.record.upcoming_visits, 1)
        + least(l.record.active_orders, 1) + least(r.record.active_orders, 1)) desc,
    c.match_weight desc,
    c.candidate_id
