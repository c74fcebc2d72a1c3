-- One row is one record of a standing merge and a record that is plainly another person: either another member of the
-- merge, or (`by_id`) the person under whom the member's own rostering id or order line came since, as of the day in
-- `held_from`. `known_since` is when the last file that says so was loaded, in seconds. Members are found first, and
-- compared once they are side by side in `compared`: as a condition of a join, DuckDB may ask the function of every two.
with members as materialized (
    select m.merge_id, m.client_id, c.survivor_id
    from merged.merges as m
    join staged.clients as c using (client_id)
),

holders as (
    select
        s.origin_client_id as client_id,
        o.origin_client_id as other_id,
        max(h.held_from) as held_from,
        max(epoch(f.landed_at)) as known_since
    from staged.source_records as s
    join (select distinct feed, issuer, id_sent, record_id from staged.id_holders) as mine
        on mine.feed = s.feed and mine.issuer = s.issuer and mine.record_id = s.record_id
    join staged.id_holders as h on h.feed = mine.feed and h.issuer = mine.issuer and h.id_sent = mine.id_sent
    join staged.source_records as o on o.feed = h.feed and o.issuer = h.issuer and o.record_id = h.record_id
    left join raw.files as f on f.file_id = o.file_id
    where o.origin_client_id <> s.origin_client_id
    group by all
),

compared as materialized (
    select a.merge_id, one, other
    from members as a
    join members as b on b.merge_id = a.merge_id and b.survivor_id = a.survivor_id and b.client_id > a.client_id
    join staged.clients as one on one.client_id = a.client_id
    join staged.clients as other on other.client_id = b.client_id
)

select merge_id, one.client_ref as client_ref, other.client_ref as other_ref, false as by_id, null::date as held_from, 0 as known_since
from compared
where someone_else(one, other)
union all
select a.merge_id, i.client_ref, n.client_ref, true, h.held_from, coalesce(h.known_since, 0)
from members as a
join holders as h using (client_id)
join staged.clients as o on o.client_id = h.other_id
join staged.client_ids as i on i.client_id = a.client_id
join staged.client_ids as n on n.client_id = h.other_id
where o.survivor_id <> a.survivor_id
order by all
