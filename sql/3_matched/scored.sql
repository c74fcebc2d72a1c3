-- One row is one live client record with the hash of what matching saw of it, the model that scored it, and the least
-- match probability that was kept. It tells the next night which records to score again.
select client_id, record_hash, $model::varchar as model_version, $at_least::double as at_least
from records
