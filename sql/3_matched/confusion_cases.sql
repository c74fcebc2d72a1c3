-- One row is one open confusion as a case that a reviewer settles: the id of the two records as a pair, the facts that a
-- decision on them is bound to, and what was decided of them so far.
select
    c.*,
    'C' || upper(left(md5(least(c.left_ref, c.right_ref) || '|' || greatest(c.left_ref, c.right_ref)), 10)) as candidate_id,
    pair_facts(l.facts, r.facts) as facts,
    coalesce(s.standing, '') as standing,
    coalesce(s.reason, '') as standing_reason
from confusions as c
join facts as l on l.client_ref = c.left_ref
join facts as r on r.client_ref = c.right_ref
left join reviewed.standings as s
    on s.left_id = least(l.client_id, r.client_id) and s.right_id = greatest(l.client_id, r.client_id)
order by c.kind, c.issuer, c.number, c.left_ref, c.right_ref
