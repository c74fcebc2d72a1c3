-- One row is one judged pair of which a record stands in another pair too, or was decided about. What belongs together is
-- a question only there; a pair that stands alone is one cluster if its own weight says so.
with ends as (
    select left_id as client_id from judged
    union all
    select right_id from judged
    union all
    select unnest([left_id, right_id, left_id, right_id]) from decided
),

met_again as (
    select client_id from ends group by client_id having count(*) > 1
)

select left_id, right_id, calibrated_weight
from judged
where left_id in (from met_again) or right_id in (from met_again)
order by left_id, right_id
