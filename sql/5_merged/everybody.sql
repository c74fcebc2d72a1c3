-- One row is one client record that was ever made and the live record that it counts for today (`side_id`): itself, unless
-- it was merged away. It lets sql/3_matched/sides.sql tell of the whole register what hangs on each live record.
select client_id, survivor_id as side_id
from staged.clients
