-- One row is one client record that was ever made: its number here, and the id that says who issued it.
-- Numbers are given in the order of the readable ids within a night, and never again.
select
    (coalesce((select max(client_id) from staged.client_ids), 0)
        + row_number() over (order by new_client_ref))::integer as client_id,
    new_client_ref as client_ref,
    $day::date as made_on,
    how_linked as made_how,
    feed as made_by_feed
from (
    select new_client_ref, how_linked, feed
    from links
    where client_id is null
    qualify row_number() over (partition by new_client_ref order by how_linked desc, record_id) = 1
)
where new_client_ref not in (select client_ref from staged.client_ids)
