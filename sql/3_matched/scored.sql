-- One row is one live client record with the hash of what it was derived from, the hash of what matching saw of it, and
-- the model that scored it. It tells the next night which records to derive and to score again.
select client_id, source_hash, record_hash, $model::varchar as model_version
from fresh_records
join touched using (client_id)
