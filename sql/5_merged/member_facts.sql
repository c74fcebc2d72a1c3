-- One row is one client record of a merge that was signed off: when the last file that changed what its rows say of the
-- person was loaded (`known_since`, in seconds), and whether a rostering system still has it on its books (null: no
-- rostering system knows it), and from which day it has not. A further order line of the same person changes nothing.
with said as (
    select
        s.origin_client_id as client_id,
        s.feed,
        if(s.feed = 'roster_clients', on_the_books(s.active_to, s.status, $day), null) as on_the_books,
        greatest(s.sent_on, coalesce(s.active_to + 1, s.sent_on)) as ended_on,
        epoch(f.landed_at) as landed,
        if(s.feed = 'roster_clients' and s.active_to < $day, epoch((s.active_to + 1)::timestamp), 0) as passed,
        {
            'forename': s.forename_key, 'surname': s.surname_key, 'born_on': s.born_on, 'gender': s.gender,
            'nhs_number': s.nhs_number, 'council': s.council, 'reference': s.reference,
            'status': if(s.feed = 'roster_clients', s.status, null)
        } as says
    from staged.source_records as s
    left join raw.files as f using (file_id)
    where s.origin_client_id in (select client_id from merged.merges)
),

changed as (
    select client_id, says, greatest(coalesce(min(landed), 0), max(passed)) as known_since from said group by all
),

books as (
    select
        client_id,
        bool_or(on_the_books) as on_the_books,
        max(ended_on) filter (feed = 'roster_clients') as ended_on
    from said
    group by client_id
)

select i.client_ref, b.on_the_books, b.ended_on, max(c.known_since) as known_since
from changed as c
join books as b using (client_id)
join staged.client_ids as i using (client_id)
group by all
order by i.client_ref
