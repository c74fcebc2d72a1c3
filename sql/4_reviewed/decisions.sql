-- One row is one entry of the decision log as a night read it: a verdict of a person on a pair, or its undo. The log
-- itself is kept in the decision store; its hashes hold clock times and stay there.
select
    sequence_number::integer as sequence_number,
    recorded_at::timestamptz as recorded_at,
    who::varchar as who,
    door::varchar as door,
    kind::varchar as kind,
    candidate_id::varchar as candidate_id,
    left_ref::varchar as left_ref,
    right_ref::varchar as right_ref,
    verdict::varchar as verdict,
    reason::varchar as reason,
    choices::varchar as choices,
    evidence_hash::varchar as evidence_hash,
    match_probability::double as match_probability,
    match_weight::double as match_weight,
    tier::varchar as tier,
    model_version::varchar as model_version,
    score_was_hidden::boolean as score_was_hidden,
    seconds_spent::double as seconds_spent,
    undoes::integer as undoes
from read_entries
