-- One row is one candidate of two live records, where it stands by what people decided, and its place in the report, which
-- holds as many as people can look at: first those that wait for people, of those the ones where carers are to visit on
-- both records, then on one, then the surest. One that was merged since the last night is no candidate any more.
with live as (
    select client_id from staged.clients where survivor_id = client_id
),

visited as (
    select distinct c.survivor_id as client_id
    from staged.visits as v
    join staged.clients as c on c.client_id = v.origin_client_id
    where v.visit_on > $day and not is_cancelled(v.status)
)

select
    c.candidate_id,
    c.tier,
    coalesce(s.standing, '') as standing,
    list_contains($settled, coalesce(s.standing, '')) as settled,
    row_number() over (
        order by
            list_contains($settled, coalesce(s.standing, '')),
            (c.left_id in (from visited))::integer + (c.right_id in (from visited))::integer desc,
            c.match_weight desc,
            c.candidate_id
    ) as place
from matched.candidates as c
left join reviewed.standings as s on s.left_id = c.left_id and s.right_id = c.right_id
where c.left_id in (from live) and c.right_id in (from live)
