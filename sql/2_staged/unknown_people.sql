-- One row is one client id that visits or enrolments of this batch name and no client export has sent yet.
-- The visit is kept on a client of that id, who gets the details when the export brings them.
select
    'roster_clients' as feed,
    named.issuer,
    named.record_id,
    min(named.file_id) as file_id,
    date '1900-01-01' as sent_on,
    any_value(c.council) as council
from (
    select r.issuer, r.client_id as record_id, r.file_id
    from raw.roster_visits as r join batch using (file_id)
    union all
    select r.issuer, r.client_id, r.file_id
    from raw.roster_enrolments as r join batch using (file_id)
) as named
anti join staged.source_records as known
    on known.feed = 'roster_clients' and known.issuer = named.issuer and known.record_id = named.record_id
anti join staged.id_holders as held
    on held.feed = 'roster_clients' and held.issuer = named.issuer and held.id_sent = named.record_id
left join roster_councils as c on c.issuer = named.issuer and c.record_id = named.record_id
group by named.issuer, named.record_id
