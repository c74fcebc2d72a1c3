-- One row is one candidate that the report tells of, or one pair that a reviewer named (`cases`): the level and weight of
-- each comparison (`case_levels`), where the pair stands by what people decided, and the facts that a decision on it would
-- be bound to. What its records say and what hangs on them is in `sides`.
with decided as (
    select
        s.left_id,
        s.right_id,
        list(
            {
                'sequence_number': e.sequence_number,
                'who': e.who,
                'decided_on': timezone($timezone, e.recorded_at)::date,
                'verdict': e.verdict,
                'reason': e.reason,
                'lapsed': list_contains(s.lapsed, e.sequence_number)
            } order by e.sequence_number
        ) as decided
    from (select left_id, right_id, lapsed, unnest(verdicts) as sequence_number from reviewed.standings) as s
    join reviewed.decisions as e using (sequence_number)
    group by s.left_id, s.right_id
)

select
    c.candidate_id,
    c.left_id,
    c.right_id,
    if(lk.cluster_id = rk.cluster_id, lk.cluster_id, null) as cluster_id,
    c.tier,
    c.relation,
    c.match_probability,
    c.match_weight,
    pair_facts(lf.facts, rf.facts) as facts,
    coalesce(s.standing, '') as standing,
    coalesce(s.reason, '') as standing_reason,
    coalesce(s.choices, '{}') as choices,
    coalesce(s.changed, '[]') as changed,
    coalesce(d.decided, []) as decided,
    p.* exclude (left_id, right_id)
from cases as c
join (select left_id, right_id, columns('^(level|weight)_') from case_levels) as p using (left_id, right_id)
left join matched.clusters as lk on lk.client_id = c.left_id
left join matched.clusters as rk on rk.client_id = c.right_id
join facts as lf on lf.client_id = c.left_id
join facts as rf on rf.client_id = c.right_id
left join reviewed.standings as s on s.left_id = c.left_id and s.right_id = c.right_id
left join decided as d on d.left_id = c.left_id and d.right_id = c.right_id
order by c.candidate_id
