-- One row is one day from which one person holds a rostering id or order line that came with more than one person.
-- Read here from a batch: a new person (`C100~2`) beside the first one, who held it from the beginning, or one who is sent
-- again after another.
with others as (
    select * from told_apart where is_new or (feed, issuer, id_sent) in (select (feed, issuer, id_sent) from staged.id_holders)
),

last_before as (
    select o.feed, o.issuer, o.id_sent, arg_max(h.record_id, (h.held_from, length(h.record_id), h.record_id)) as record_id
    from others as o
    join staged.id_holders as h
        on h.feed = o.feed and h.issuer = o.issuer and h.id_sent = o.id_sent and h.held_from <= o.held_from
    group by all
),

-- A row that came late, from before the one that is kept, was the earlier person's.
first_two as (
    select feed, issuer, id_sent, unnest([
        {'record_id': id_sent, 'held_from': if(came_late, kept_on, date '0001-01-01')},
        {'record_id': record_id, 'held_from': if(came_late, date '0001-01-01', held_from)}
    ], recursive := true)
    from others as o
    where is_new and not exists (
        select 1 from staged.id_holders as h where h.feed = o.feed and h.issuer = o.issuer and h.id_sent = o.id_sent
    )
)

select feed, issuer, id_sent, record_id, held_from from first_two
union all
select o.feed, o.issuer, o.id_sent, o.record_id, o.held_from
from others as o
join last_before as b using (feed, issuer, id_sent)
where b.record_id <> o.record_id
