-- One row is one client record that is taken for one person with others, and their cluster. A cluster keeps the id under
-- which most of its records stood the night before, so that people can speak of it; else its smallest free id names it.
-- Of the affected records only; the other clusters stay.
with members as (
    select client_id::integer as client_id, root_id
    from clustered
    where root_id in (select root_id from clustered group by root_id having count(*) > 1)
),

shared as (
    select m.root_id, k.cluster_id, count(*) as records
    from members as m
    join matched.clusters as k using (client_id)
    group by all
),

kept as (
    select root_id, cluster_id
    from shared
    qualify row_number() over (partition by root_id order by records desc, cluster_id) = 1
        and row_number() over (partition by cluster_id order by records desc, root_id) = 1
),

new as (
    select root_id, min('K' || lpad(client_id::varchar, 7, '0')) as cluster_id
    from members
    where root_id not in (select root_id from kept)
        and 'K' || lpad(client_id::varchar, 7, '0') not in (
            select cluster_id from kept
            union
            select cluster_id from matched.clusters where client_id not in (select client_id from affected)
        )
    group by root_id
)

select m.client_id, coalesce(k.cluster_id, n.cluster_id, 'N' || lpad(m.root_id::varchar, 7, '0')) as cluster_id
from members as m
left join kept as k using (root_id)
left join new as n using (root_id)
