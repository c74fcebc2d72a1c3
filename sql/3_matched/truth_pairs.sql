-- One row is one pair of client records of which the truth says that they are one person, or which is a candidate.
-- A client record is the person whom its first source row was about.
with people as (
    select
        s.origin_client_id as client_id,
        arg_min(t.person_id, (s.how_linked = 'exact_reference', s.sent_on, s.record_id)) as person_id,
        arg_min(t.kind, (s.how_linked = 'exact_reference', s.sent_on, s.record_id)) as kind
    from truth as t
    join staged.source_records as s on s.feed = t.feed and s.issuer = t.issuer and s.record_id = t.record_id
    group by s.origin_client_id
),

same as (
    select l.client_id as left_id, r.client_id as right_id, l.kind
    from people as l
    join people as r on r.person_id = l.person_id and r.client_id > l.client_id
)

select
    coalesce(s.left_id, c.left_id) as left_id,
    coalesce(s.right_id, c.right_id) as right_id,
    s.left_id is not null as is_true,
    c.tier,
    coalesce(s.kind, l.kind) as kind,
    c.relation
from same as s
full join matched.candidates as c on c.left_id = s.left_id and c.right_id = s.right_id
left join people as l on l.client_id = c.left_id
