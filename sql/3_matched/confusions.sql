-- One row is two live client records that share an identifier and are plainly two people: a confusion, to be cleared up
-- with whoever sent it, and never proposed for merging. It is listed until a reviewer says of the two *different* (settled)
-- or *same* (one person whose details changed: gone once they are merged). An identifier of three people is three rows,
-- and one case. Who shares it is found first, and two are compared once they are side by side in `compared`: as a condition of a join,
-- DuckDB may ask the function of every two clients.
with held as (
    select distinct
        if(h.feed = 'roster_clients', 'roster_client_id', 'purchase_order_number') as kind,
        h.issuer,
        if(h.feed = 'roster_clients', h.id_sent, order_of_line(h.id_sent)) as number,
        h.id_sent,
        s.client_id
    from staged.id_holders as h
    join staged.source_records as s on s.feed = h.feed and s.issuer = h.issuer and s.record_id = h.record_id
),

shared as materialized (
    select
        n.kind, coalesce(n.issuer, '') as issuer, n.reference as number, n.client_id as left_id, m.client_id as right_id,
        false as was_told_apart
    from staged.references as n
    join staged.references as m
        on m.kind = n.kind and m.reference = n.reference and m.client_id > n.client_id
        and (m.issuer = n.issuer or m.issuer is null or n.issuer is null)
    where n.kind in ('social_services_reference', 'nhs_number')
    union
    select n.kind, n.issuer, n.number, n.client_id, m.client_id, true
    from held as n
    join held as m
        on m.kind = n.kind and m.issuer = n.issuer and m.id_sent = n.id_sent and m.client_id > n.client_id
),

-- What a reviewer held apart stays so for the records that the two were merged into.
held_apart as (
    select distinct
        least(l.survivor_id, r.survivor_id) as left_id,
        greatest(l.survivor_id, r.survivor_id) as right_id
    from reviewed.standings as d
    join staged.clients as l on l.client_id = d.left_id
    join staged.clients as r on r.client_id = d.right_id
    where d.standing = 'different'
),

compared as materialized (
    select s.kind, s.issuer, s.number, s.was_told_apart, l as one, r as other
    from shared as s
    anti join held_apart as d on d.left_id = s.left_id and d.right_id = s.right_id
    left join staged.clients as l on l.client_id = s.left_id
    left join staged.clients as r on r.client_id = s.right_id
)

select
    kind,
    issuer,
    number,
    one.client_ref as left_ref,
    other.client_ref as right_ref,
    case kind
        when 'roster_client_id' then 'Find out in ' || issuer || ' which of the two has this id, and give the other one a new'
            || ' id. Check whose visits and enrolments are on which record.'
        when 'purchase_order_number' then 'Ask ' || issuer || ' for whom this order is. The first record keeps it.'
        when 'nhs_number' then 'Look both up by name and birth date, and correct the number of one.'
        else 'Ask ' || coalesce(nullif(issuer, ''), 'the council') || ' whose reference this is, and have the other one corrected.'
    end as to_check
from compared
where one.survivor_id = one.client_id and other.survivor_id = other.client_id
    and case
        when was_told_apart then true
        when kind = 'nhs_number' then share_a_number(one, other)
        else someone_else(one, other)
    end
order by kind, issuer, number, left_ref, right_ref
