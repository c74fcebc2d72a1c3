-- One row is one candidate in one triangle that cannot be right (see contradictions.sql), and the third record of it.
-- An analyst who looks at one pair has to know of the record that one of its two would be torn between.
with sides_of as (
    select middle_id, left_id, right_id, why, middle_id as one_id, left_id as other_id, right_id as third_id
    from matched.contradictions
    union all
    select middle_id, left_id, right_id, why, middle_id, right_id, left_id from matched.contradictions
)

select c.candidate_id, third.client_ref as third_ref, shared.client_ref as shared_ref, apart.client_ref as apart_ref, s.why
from sides_of as s
join matched.candidates as c
    on c.left_id = least(s.one_id, s.other_id) and c.right_id = greatest(s.one_id, s.other_id)
join staged.client_ids as third on third.client_id = s.third_id
join staged.client_ids as shared on shared.client_id = s.middle_id
join staged.client_ids as apart on apart.client_id = s.other_id
order by c.candidate_id, third_ref
