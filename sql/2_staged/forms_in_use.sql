-- One row is one value that a source row or a client record has, of the kinds that staged.standard_forms keeps: any other
-- form there is of a value that nobody has any more, and is worked out again if it ever comes back.
with given_names as (
    select unnest(flatten(list_transform([
        name_key(regexp_replace(forename, '^(mr|mrs|miss|ms|dr|rev|sir|lady|prof)\.?\s+', '', 'i')),
        name_key(regexp_replace(known_as, '^(mr|mrs|miss|ms|dr|rev|sir|lady|prof)\.?\s+', '', 'i')),
        forename_key,
        name_key(known_as)
    ], lambda names: coalesce(string_split(names, ' '), [])))) as as_sent
    from staged.source_records
    union
    select unnest(string_split(forename_key, ' ')) from staged.clients
)

select 'phone' as kind, unnest([phone, mobile]) as as_sent from staged.source_records
union
select 'nhs', nhs_as_sent from staged.source_records
union
select unnest(['forename', 'own_name']), as_sent from given_names where as_sent is not null
