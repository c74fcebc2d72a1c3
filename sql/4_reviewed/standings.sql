-- One row is one pair that somebody decided and did not take back: where it stands, the smaller client id left.
-- `verdicts` are the entries in force, `lapsed` those of them whose evidence has changed; `changed` says what, as JSON.
select
    least(one.client_id, other.client_id) as left_id,
    greatest(one.client_id, other.client_id) as right_id,
    s.candidate_id::varchar as candidate_id,
    s.standing::varchar as standing,
    s.reason::varchar as reason,
    s.choices::varchar as choices,
    s.verdicts::integer[] as verdicts,
    s.lapsed::integer[] as lapsed,
    s.changed::varchar as changed
from stood as s
join staged.client_ids as one on one.client_ref = s.one_ref
join staged.client_ids as other on other.client_ref = s.other_ref
