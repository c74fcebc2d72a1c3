-- One row is one client record that hangs together with others by near-certain or likely candidates.
-- The cluster goes by its smallest client id.
select client_id::integer as client_id, 'K' || lpad(root_id::varchar, 7, '0') as cluster_id
from connected
