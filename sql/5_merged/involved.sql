-- One row is one client record that counts for a member of a planned or signed-off merge (`members`).
select client_id, member_id as side_id
from members
