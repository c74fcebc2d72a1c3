-- One row is one client record whose candidates and cluster have to be drawn up again: an unsettled one, and all that a
-- chain of scored pairs and decisions connects with one. No evidence crosses from one such group to another, and no
-- cluster ever does, so that for all other records everything stays as it is.
with recursive connected as (
    select left_id as one_id, right_id as other_id from matched.pairs
    union all
    select right_id, left_id from matched.pairs
    union all
    select left_id, right_id from decided
    union all
    select right_id, left_id from decided
),

affected as (
    select client_id from unsettled
    union
    select c.other_id from affected as a join connected as c on c.one_id = a.client_id
)

select client_id from affected
