-- One row is what came in for one record, or was sent anew, while a merge that is to be undone (`taken_back`) stood. It goes
-- to the record that it came in for; of `shared` lines that is not certain, so they are listed for people to look at.
with members as (
    select m.merge_id, m.client_id, m.member_id, m.as_of
    from merged.merges as m
    semi join taken_back as t on t.merge_id = m.merge_id
),

-- A line is shared when its council reference stands on another record of the merge too: the import's rule chose one.
came as (
    select m.merge_id, m.client_id, 'visits' as kind, 0 as shared
    from staged.visits as v
    join members as m on m.client_id = v.origin_client_id
    where v.sent_on > m.as_of
    union all
    select m.merge_id, m.client_id, 'enrolments', 0
    from staged.enrolments as e
    join members as m on m.client_id = e.origin_client_id
    where e.sent_on > m.as_of
    union all
    select
        m.merge_id,
        m.client_id,
        if(s.feed = 'purchase_orders', 'purchase_orders', 'source_records'),
        (s.how_linked = 'exact_reference' and exists (
            select 1
            from members as other
            join staged.references as r on r.origin_client_id = other.client_id
            where other.merge_id = m.merge_id and other.member_id <> m.member_id
                and r.kind = 'social_services_reference' and r.reference = s.reference
                and (r.issuer = s.council or r.issuer is null or s.council is null)
        ))::integer
    from staged.source_records as s
    join members as m on m.client_id = s.origin_client_id
    where s.sent_on > m.as_of
)

select c.merge_id, i.client_ref, c.kind, count(*) as rows, sum(c.shared)::bigint as shared
from came as c
join staged.client_ids as i on i.client_id = c.client_id
group by all
order by all
