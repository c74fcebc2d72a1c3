-- When one identifier (a rostering id, a reference, an order number) comes with somebody who is plainly another person.
-- `someone_else` is the one rule, asked wherever a known identifier comes again: it compares two rows that have the
-- columns of staged.people. What could be a slip, a nickname, a spelling of another alphabet, a marriage, a deed poll, a
-- move or a correction is the same person. The variable `nicknames` has to be set (stage/standardise.py).

-- The consonants of a name, so that Mohammed and Muhammad, or Yekaterina and Ekaterina, are one.
create or replace temp macro consonants(name) as (
    regexp_replace(
        regexp_replace(
            translate(replace(replace(replace(name, 'PH', 'F'), 'X', 'KS'), 'CH', 'K'), 'CQZVWGJ', 'KKSFFKS'),
            '[AEIOUYH ]', '', 'g'
        ),
        '(K)K+|(S)S+|(F)F+|(M)M+|(N)N+|(L)L+|(R)R+|(D)D+|(T)T+|(B)B+|(P)P+', '\1\2\3\4\5\6\7\8\9', 'g'
    )
);

-- The formal names that a given name is short for: Jack gives John, Jackson.
create or replace temp macro formal_names(name) as (
    case
        when getvariable('nicknames') is null then error('The variable nicknames is not set.')::varchar[]
        else coalesce(getvariable('nicknames')[name], [])
    end
);

create or replace temp macro are_nicknames(a, b) as (
    list_contains(formal_names(a), b) or list_contains(formal_names(b), a)
);

-- Two names that may be one: the same, an initial, a slip, a spelling of another alphabet.
create or replace temp macro may_be_one_name(a, b, slip) as (
    a = b
    or length(a) = 1 and starts_with(b, a)
    or length(b) = 1 and starts_with(a, b)
    or jaro_winkler_similarity(a, b) >= slip
    or consonants(a) = consonants(b) and (length(consonants(a)) > 2 or jaro_winkler_similarity(a, b) >= 0.78)
);

-- Whether every name of a list may be one of another list.
create or replace temp macro all_among(names, others, slip) as (
    list_bool_and(list_transform(names, lambda name_here: list_bool_or(list_transform(others, lambda name_there:
        may_be_one_name(name_here, name_there, slip)))))
);

-- A slip of a name between a man and a woman has to be slighter: Christine is not Christopher.
create or replace temp macro slip_between(a, b) as if(coalesce(a.gender <> b.gender, false), 0.93, 0.85);

-- Given names that cannot be of one person: each record has one that the other has not. An added or missing middle name,
-- a name that is known as, and a forename in the place of the surname are no contradiction.
create or replace temp macro forenames_differ(a, b) as (
    case
        when a.forename_key is null or b.forename_key is null then false
        when a.forename_key = b.forename_key or a.forename_root = b.forename_root then false
        when all_among(string_split(a.forename_key, ' '), string_split(b.forename_key, ' '), slip_between(a, b)) then false
        when all_among(string_split(b.forename_key, ' '), string_split(a.forename_key, ' '), slip_between(a, b)) then false
        when all_among(string_split(given_roots(a), ' '), string_split(given_roots(b), ' '), slip_between(a, b)) then false
        when all_among(string_split(given_roots(b), ' '), string_split(given_roots(a), ' '), slip_between(a, b)) then false
        when list_contains(string_split(given_roots(b), ' '), a.known_as_root) then false
        when list_contains(string_split(given_roots(a), ' '), b.known_as_root) then false
        when a.forename_key = b.surname_key or b.forename_key = a.surname_key then false
        when (not contains(a.forename_key, ' ') or not contains(b.forename_key, ' '))
            and are_nicknames(split_part(a.forename_key, ' ', 1), split_part(b.forename_key, ' ', 1)) then false
        else true
    end
);

-- Surnames that share no name, also not with the other names of either, and are no slip of each other.
create or replace temp macro surnames_differ(a, b) as (
    case
        when a.surname_key is null or b.surname_key is null then false
        when list_has_any(
            string_split(concat_ws(' ', a.surname_key, a.other_names_key), ' '), string_split(b.surname_key, ' ')
        ) then false
        when list_has_any(
            string_split(concat_ws(' ', b.surname_key, b.other_names_key), ' '), string_split(a.surname_key, ' ')
        ) then false
        when replace(a.surname_key, ' ', '') = replace(b.surname_key, ' ', '') then false
        when a.surname_key = b.forename_key or b.surname_key = a.forename_key then false
        else not may_be_one_name(a.surname_key, b.surname_key, 0.85)
    end
);

-- Birth dates of which two of day, month and year differ, and that are not day and month the other way round.
create or replace temp macro births_apart(a, b) as (
    coalesce(
        (day(a) <> day(b))::integer + (month(a) <> month(b))::integer + (year(a) <> year(b))::integer >= 2
        and not (day(a) = month(b) and month(a) = day(b) and year(a) = year(b)),
        false
    )
);

create or replace temp macro homes_differ(a, b) as (
    coalesce(a.postcode_key <> b.postcode_key, a.address_key <> b.address_key, false)
    and coalesce(jaro_winkler_similarity(a.address_key, b.address_key) < 0.92, true)
);

-- Two rows of one file and one key that are about two people or two clients. Wider than what later arrivals are asked, since
-- nothing is lost by it: both rows are rejected with the reason. Two of forename, surname and birth date differ outright, and
-- not as after a marriage; or the forename does and the gender or NHS number too; or nothing agrees and the references differ.
create or replace temp macro names_apart(a, b) as (
    coalesce(a <> b and strpos(a, b) = 0 and strpos(b, a) = 0 and jaro_winkler_similarity(a, b) < 0.85, false)
);

create or replace temp macro two_people(a, b) as (
    coalesce(a.client_id <> b.client_id, false)
    or not coalesce(a.nhs_number = b.nhs_number, false)
    and not coalesce(a.forename = b.surname and a.surname = b.forename, false)
    and (
        names_apart(a.forename, b.forename) and (
            births_apart(a.date_of_birth, b.date_of_birth)
            or coalesce(a.nhs_number <> b.nhs_number, false)
            or coalesce(a.gender <> b.gender, false)
        )
        or names_apart(a.forename, b.forename) and names_apart(a.surname, b.surname)
        and not coalesce(a.date_of_birth = b.date_of_birth, false)
        or names_apart(a.surname, b.surname) and births_apart(a.date_of_birth, b.date_of_birth)
        or coalesce(a.social_services_ref <> b.social_services_ref, false)
        and not coalesce(a.forename = b.forename or a.surname = b.surname or a.date_of_birth = b.date_of_birth, false)
    )
);

-- With forenames that differ outright it takes one contradiction more: the birth date, the NHS number, or, where the birth
-- dates do not agree, the gender or surname and home together. Where the forenames agree, or may, or one is not known, it
-- takes all of surname, birth date and home (or NHS number): many people are called John.
create or replace temp macro plainly_unlike(a, b) as (
    case
        when forenames_differ(a, b) then
            births_apart(a.born_on, b.born_on)
            or coalesce(a.nhs_number <> b.nhs_number, false)
            or coalesce(a.born_on <> b.born_on, true)
                and (coalesce(a.gender <> b.gender, false) or surnames_differ(a, b) and homes_differ(a, b))
        else
            births_apart(a.born_on, b.born_on) and surnames_differ(a, b)
            and (homes_differ(a, b) or coalesce(a.nhs_number <> b.nhs_number, false))
    end
);

-- One NHS number is one person, whatever else differs.
create or replace temp macro someone_else(a, b) as (
    not coalesce(a.nhs_number = b.nhs_number, false) and plainly_unlike(a, b)
);

-- Whether the NHS number itself is on two people: both birth dates are known and contradict each other too.
create or replace temp macro share_a_number(a, b) as births_apart(a.born_on, b.born_on) and plainly_unlike(a, b);

-- Which row of staged.source_records holds an identifier on a day (`periods` of sql/2_staged/holdings.sql; null: it never came
-- with a second person). What was loaded before for one of them (`kept_id`) stays with that one.
create or replace temp macro held_by(id_sent, periods, day, kept_id) as (
    case
        when periods is null then id_sent
        else coalesce(
            list_filter(periods, lambda period: period.origin_client_id = kept_id)[-1].record_id,
            list_filter(periods, lambda period: period.held_from <= day)[-1].record_id,
            periods[1].record_id
        )
    end
);
