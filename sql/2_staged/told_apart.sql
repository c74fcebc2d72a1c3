-- One row is one row of `people` whose rostering id or order line is known already, and the person whose row it is: the one
-- of those who hold the id that it is not plainly somebody else of, the latest first. Somebody else gets a key of their
-- own, `C100~2`, from the day of the export, or from the start of their care if that lies after the first person's rows.
with keys as (
    select feed, issuer, record_id as id_sent, record_id from people
    union
    select feed, issuer, id_sent, record_id from staged.id_holders
),

last_held as (
    select feed, issuer, record_id, max(held_from) as held_from from staged.id_holders group by all
),

-- What the row of a holder leaves blank is filled from the client record, so that there is more to compare.
kept as (
    select
        k.id_sent,
        h.held_from,
        s.* replace (
            coalesce(s.gender, c.gender) as gender,
            coalesce(s.born_on, c.born_on) as born_on,
            coalesce(s.nhs_number, c.nhs_number) as nhs_number
        )
    from keys as k
    join staged.source_records as s on s.feed = k.feed and s.issuer = k.issuer and s.record_id = k.record_id
    left join staged.clients as c on c.client_id = s.origin_client_id
    left join last_held as h on h.feed = k.feed and h.issuer = k.issuer and h.record_id = k.record_id
    where c.client_ref is null or c.client_ref not in (select client_ref from staged.forgotten)
),

compared as materialized (
    select p as sent, k as holder
    from people as p
    join kept as k on k.feed = p.feed and k.issuer = p.issuer and k.id_sent = p.record_id
),

judged as materialized (
    select
        sent.feed as feed,
        sent.issuer as issuer,
        sent.record_id as id_sent,
        sent.sent_on as sent_on,
        sent.active_from as active_from,
        holder.record_id as record_id,
        holder.sent_on as kept_on,
        least(holder.sent_on, coalesce(holder.active_to + 1, holder.sent_on)) as free_from,
        holder.held_from as held_from,
        coalesce(sent.forename_key = holder.forename_key and sent.born_on = holder.born_on, false)
            or coalesce(sent.nhs_number = holder.nhs_number, false) as is_alike,
        someone_else(sent, holder) as is_someone_else
    from compared
),

-- One row an id: its holder, if the row is one's; else null.
chosen as (
    select
        feed,
        issuer,
        id_sent,
        any_value(sent_on) as sent_on,
        any_value(active_from) as active_from,
        max(kept_on) as kept_on,
        max(free_from) as free_from,
        arg_max(record_id, (is_alike, coalesce(held_from, date '0001-01-01'), length(record_id), record_id))
            filter (not is_someone_else) as record_id
    from judged
    group by all
),

numbers as (
    select feed, issuer, id_sent, max(coalesce(try_cast(regexp_extract(ref, '~(\d+)$', 1) as integer), 1)) + 1 as next_number
    from (
        select c.feed, c.issuer, c.id_sent, s.record_id as ref
        from chosen as c
        join staged.source_records as s
            on s.feed = c.feed and s.issuer = c.issuer and regexp_replace(s.record_id, '~\d+$', '') = c.id_sent
        where c.record_id is null
        union all
        select c.feed, c.issuer, c.id_sent, i.client_ref
        from chosen as c
        join staged.client_ids as i
            on regexp_replace(i.client_ref, '~\d+$', '')
            = if(c.feed = 'roster_clients', c.issuer || '/' || c.id_sent, c.issuer || '/order/' || order_of_line(c.id_sent) || ' line ' || regexp_extract(c.id_sent, '[^/]*$'))
        where c.record_id is null
    )
    group by all
)

select
    c.feed,
    c.issuer,
    c.id_sent,
    coalesce(c.record_id, c.id_sent || '~' || n.next_number) as record_id,
    c.record_id is null as is_new,
    c.sent_on < c.kept_on as came_late,
    if(
        c.record_id is null and c.active_from between c.free_from and c.sent_on, c.active_from, c.sent_on
    ) as held_from,
    c.kept_on
from chosen as c
left join numbers as n using (feed, issuer, id_sent)
