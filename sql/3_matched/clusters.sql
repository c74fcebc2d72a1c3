-- One row is one client record that is taken for one person with others, and their cluster, by its smallest client id.
select client_id::integer as client_id, 'K' || lpad(root_id::varchar, 7, '0') as cluster_id
from clustered
where root_id in (select root_id from clustered group by root_id having count(*) > 1)
