-- One row is one pair that somebody ever decided, its refs in alphabetical order, with its facts as they are now.
with pairs as (
    select distinct least(left_ref, right_ref) as one_ref, greatest(left_ref, right_ref) as other_ref
    from reviewed.decisions
    where kind = 'verdict'
)

select p.one_ref, p.other_ref, pair_facts(one.facts, other.facts) as facts
from pairs as p
join facts as one on one.client_ref = p.one_ref
join facts as other on other.client_ref = p.other_ref
