-- One row is one client record of which something is not as it was when candidates and clusters were last drawn up: it
-- changed, came or went, lost a pair, or was decided about otherwise. By other rules than then, every record is one.
with decided_otherwise as (
    (from decided except from matched.decided) union all (from matched.decided except from decided)
),

other_rules as (
    from by_rules anti join matched.drawn_up using (rules)
)

select client_id from stale
union
select client_id from parted
union
select unnest([left_id, right_id]) from decided_otherwise
union
select client_id from matched.records cross join other_rules
union
select client_id from matched.clusters cross join other_rules
