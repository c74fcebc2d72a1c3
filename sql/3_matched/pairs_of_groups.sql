-- One row is one scored pair of live client records. A merged group is compared by its profile and by each of `variants`;
-- the pair that weighs most says what the group has in common with the other record.
select
    least(left_group, right_group) as left_id,
    greatest(left_group, right_group) as right_id,
    * exclude (left_id, right_id, left_group, right_group)
from (
    select
        p.*,
        coalesce(l.survivor_id, p.left_id) as left_group,
        coalesce(r.survivor_id, p.right_id) as right_group
    from scored_pairs as p
    left join variants as l on l.client_id = p.left_id
    left join variants as r on r.client_id = p.right_id
)
where left_group <> right_group
qualify row_number() over (
    partition by least(left_group, right_group), greatest(left_group, right_group)
    order by match_weight desc, left_id, right_id
) = 1
