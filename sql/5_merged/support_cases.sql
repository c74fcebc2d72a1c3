-- One row is one reference that a care system holds on a record which was merged away here, and that the survivor has not of
-- its own. Whoever looks it up there finds an inactive record, so the system's own support has to move it.
with standing as (
    select side_id, unnest(numbers) as one
    from (select client_id as side_id, "references" as numbers from sides)
)

select
    concat_ws(' ', upper(r.issuer), r.reference) as reference,
    replace(r.kind, '_', ' ') as kind,
    coalesce(r.issuer, '') as system,
    if(s.one.live, 'live', 'former') as standing,
    m.client_ref as from_ref,
    m.survivor_ref as into_ref,
    m.merge_id,
    case
        when r.kind = 'roster_client_id' and s.one.live
            then 'Point this rostering id at the record that stays, or end it: visits still come in by it.'
        when r.kind = 'roster_client_id' then 'Point this rostering id at the record that stays; it is no longer in use.'
        when s.one.live
            then 'Take it off the inactive record and put it on the one that stays: the next order has to find that one.'
        else 'Take it off the inactive record and keep it on the one that stays as a former reference.'
    end as to_ask
from staged.references as r
join merged_away as m on m.client_id = r.origin_client_id
join standing as s
    on s.side_id = m.survivor_id and s.one.kind = r.kind and s.one.number = r.reference
    and s.one.issuer = coalesce(r.issuer, '')
anti join staged.references as own
    on own.origin_client_id = m.survivor_id and own.kind = r.kind and own.reference = r.reference
    and own.issuer is not distinct from r.issuer
where r.kind in ('social_services_reference', 'roster_client_id')
order by standing <> 'live', system, kind, reference, from_ref
