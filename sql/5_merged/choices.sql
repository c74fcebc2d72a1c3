-- One row is something of one record that the choices of a live merge set aside: the enrolments on one contract, its
-- other names, one reference. It stays where it is, can be read, and does not count; an undo brings it back. A row of the
-- kind "field" is the other way round: the record's value of that field of the profile is the one that counts.
select
    s.merge_id::varchar as merge_id,
    s.kind::varchar as kind,
    one.client_id,
    s.issuer::varchar as issuer,
    s.name::varchar as name
from signed as s
join staged.client_ids as one using (client_ref)
