-- One row is one number that a client record goes by, and who issued it: a council's Social Services Reference, a
-- rostering system's client id, an NHS number. A reference is unique within its issuer only; null: issuer unknown.
with given as (
    select origin_client_id, client_id, unnest([
        {'kind': 'social_services_reference', 'issuer': council, 'reference': reference, 'reference_key': reference_key},
        {'kind': 'roster_client_id', 'issuer': if(feed = 'roster_clients', issuer, null),
         'reference': if(feed = 'roster_clients', id_sent, null),
         'reference_key': if(feed = 'roster_clients', reference_key(id_sent), null)},
        {'kind': 'nhs_number', 'issuer': 'nhs', 'reference': nhs_number, 'reference_key': nhs_number}
    ]) as number
    from (
        select s.*, coalesce(h.id_sent, s.record_id) as id_sent
        from staged.source_records as s
        left join (select distinct feed, issuer, record_id, id_sent from staged.id_holders) as h
            on h.feed = s.feed and h.issuer = s.issuer and h.record_id = s.record_id
    )
    where origin_client_id in (select client_id from affected)
)

select
    origin_client_id,
    any_value(client_id) as client_id,
    number.kind as kind,
    number.issuer as issuer,
    number.reference as reference,
    min(number.reference_key) as reference_key
from given
where number.reference is not null
group by origin_client_id, number.kind, number.issuer, number.reference
