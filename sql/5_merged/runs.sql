-- One row is one signed-off plan that this warehouse has begun, and how far it has come: begun, done, or rolled back.
-- Where the log and the register stood when it was checked last tells whether it has to be checked again.
select
    signed_in::integer as signed_in,
    plan_hash::varchar as plan_hash,
    signed_by::varchar as signed_by,
    from_on::date as from_on,
    to_on::date as to_on,
    state::varchar as state,
    problem::varchar as problem,
    checked_at_entry::integer as checked_at_entry,
    checked_at_files::integer as checked_at_files
from state
