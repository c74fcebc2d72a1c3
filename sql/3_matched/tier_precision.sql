-- One row is one tier and one least weight (bits): the pairs that the tier would hold if it began there, and the share of
-- them that are expected to be two people. Risks are added as whole billionths, which come to the same in any order.
with eligible as (
    select t.tier, floor(least(least_weight, 40) * 4) / 4 as begins_at, (1e9 / (1 + 2 ** least_weight))::bigint as risk
    from judged
    join (values ('near-certain', ['near-certain']), ('likely', ['near-certain', 'likely'])) as t(tier, holds)
        on list_contains(t.holds, at_most)
    where least_weight >= 0
)

select
    tier,
    begins_at,
    (sum(count(*)) over above)::bigint as pairs,
    sum(sum(risk)) over above / 1e9 / pairs as expected_false
from eligible
group by tier, begins_at
window above as (partition by tier order by begins_at desc)
order by tier, begins_at
