-- One row is one merged-away client record and the record that it counts for. It follows from what was signed off alone
-- (pipelines/decisions/crosswalk.py); a record that this register has not seen yet joins it when its first row comes.
select one.client_id, survivor.client_id as survivor_id
from signed as s
join staged.client_ids as one using (client_ref)
join staged.client_ids as survivor on survivor.client_ref = s.survivor_ref
