-- One row is one live client record with the hash of what matching saw of it and the model that scored it. It tells the
-- next night which records to score again.
select client_id, record_hash, $model::varchar as model_version
from records
