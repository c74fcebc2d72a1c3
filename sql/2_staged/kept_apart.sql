-- One row is one row of `people` that may not be linked as `links` has it, since somebody was forgotten, and how it is to be.
-- What is left of a forgotten person's row stays where it was. Anything else that would come to a forgotten record is new
-- data about whom nobody knows any more: it makes a record of its own, named after the old one with a number.
with told as (
    select
        l.feed,
        l.issuer,
        l.record_id,
        l.client_id,
        l.new_client_ref,
        l.how_linked,
        f.client_ref as stays_with,
        f.how_linked as stays_linked
    from links as l
    left join people as p on p.feed = l.feed and p.issuer = l.issuer and p.record_id = l.record_id
    left join staged.forgotten_rows as f
        on f.feed = l.feed and f.issuer = l.issuer and f.record_id = l.record_id
        and (l.feed = 'roster_clients' or p.surname is not distinct from $forgotten)
),

taken as (
    select regexp_replace(client_ref, '~\d+$', '') as base_ref, count(*) as times
    from staged.forgotten
    group by all
)

select
    t.feed,
    t.issuer,
    t.record_id,
    if(t.stays_with is null, null, i.client_id) as client_id,
    coalesce(t.stays_with, if(b.times is null, t.new_client_ref, t.new_client_ref || '~' || (b.times + 1))) as new_client_ref,
    coalesce(t.stays_linked, t.how_linked) as how_linked
from told as t
left join staged.client_ids as i on i.client_ref = t.stays_with
left join taken as b on b.base_ref = t.new_client_ref
where t.stays_with is not null
    or t.client_id in (select client_id from staged.client_ids join staged.forgotten using (client_ref))
    or t.client_id is null and b.times is not null
