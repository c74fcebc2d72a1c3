"""The true population: who they are, whom they live with, and where.

One row a person. Everything that makes record linkage hard in home care is a property of people, not of files, and
is made here: couples, twins, parents and children of one name, care homes, shared houses, unrelated namesakes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.sample.names import (
    Texts,
    british_surnames,
    draw_alliterating,
    draw_forenames,
    draw_nicknames,
    draw_origins,
    draw_surnames,
    origins,
    words,
)

# Shares of people.
IN_COUPLES = 0.16
IN_TWINS = 0.008
IN_SIBLINGS = 0.016
IN_PARENT_AND_CHILD = 0.010
IN_CARE_HOMES = 0.08
IN_SHARED_HOUSES = 0.018
NAMESAKES = 0.02
NAMESAKES_BORN_IN_ONE_YEAR = 0.35
WOMEN = 0.62
YOUNGER_ADULTS = 0.10
MARRIED_OR_WIDOWED_WOMEN = 0.78
WITH_OTHER_NAMES = 0.35
KNOWN_BY_A_NICKNAME = 0.14
KNOWN_BY_ANOTHER_NAME = 0.03
WITH_A_MOBILE = 0.55
WITH_AN_EMAIL = 0.10
HAVE_MOVED = 0.08

# Shares of pairs.
COUPLES_OF_ONE_SEX = 0.02
TWINS_OF_ONE_SEX = 0.70
TWINS_WITH_ALLITERATING_NAMES = 0.40
SENIOR_OR_JUNIOR = 0.30

CARE_HOME_RESIDENTS = (30, 50)
SHARED_HOUSE_TENANTS = (3, 5)
ADDRESSES_PER_POSTCODE = 15
ADDRESSES_PER_HOME_OF_A_CLIENT = 3
FLATS, NAMED_HOUSES = 0.18, 0.05
NEVER_ISSUED_NHS_NUMBERS = (900_000_000, 999_000_000)  # nine digits: valid to a checker, belonging to nobody

KINDS = (
    "confusion",
    "twin",
    "parent_and_child",
    "namesake",
    "couple",
    "sibling",
    "shared_house",
    "care_home",
    "two_references",
    "maiden_name",
    "moved",
    "swapped_names",
    "nickname",
    "placeholder",
    "birth_slip",
    "name_slip",
    "plain",
)
"""What is hard about a person or a record, hardest first; a record is counted under the hardest that applies."""
RANK = {kind: np.int8(rank) for rank, kind in enumerate(KINDS)}


@dataclass(frozen=True)
class Town:
    """A town with the dialling code and the outcodes of its addresses."""

    name: str
    dialling_code: str
    outcodes: tuple[str, ...]


@dataclass(frozen=True)
class Council:
    """A council by its authority code, with the towns it serves."""

    code: str
    county: str
    towns: tuple[Town, ...]


def _towns(table: str) -> tuple[Town, ...]:
    rows = (line.split("|") for line in table.strip().splitlines())
    return tuple(Town(name.strip(), code.strip(), tuple(outcodes.split())) for name, code, outcodes in rows)


COUNCILS = (
    Council(
        "ESSEX",
        "Essex",
        _towns("""
        Colchester|01206|CO1 CO2 CO3 CO4
        Clacton-on-Sea|01255|CO15 CO16
        Harwich|01255|CO12
        Chelmsford|01245|CM1 CM2 CM3
        Braintree|01376|CM7 CM77
        Maldon|01621|CM9
        Basildon|01268|SS13 SS14 SS15 SS16
        Rayleigh|01268|SS6
        Harlow|01279|CM17 CM18 CM19 CM20
        Brentwood|01277|CM13 CM14 CM15"""),
    ),
    Council(
        "KENT",
        "Kent",
        _towns("""
        Maidstone|01622|ME14 ME15 ME16 ME17
        Canterbury|01227|CT1 CT2 CT4
        Whitstable|01227|CT5
        Ashford|01233|TN23 TN24 TN25
        Dover|01304|CT16 CT17
        Folkestone|01303|CT18 CT19 CT20
        Tunbridge Wells|01892|TN1 TN2 TN4
        Sevenoaks|01732|TN13 TN14
        Dartford|01322|DA1 DA2
        Gravesend|01474|DA11 DA12
        Ramsgate|01843|CT11 CT12
        Sittingbourne|01795|ME10"""),
    ),
    Council(
        "LEEDS",
        "West Yorkshire",
        _towns("""
        Leeds|0113|LS6 LS7 LS8 LS9 LS10 LS11 LS12 LS13 LS14 LS15 LS16 LS17
        Yeadon|0113|LS19
        Guiseley|01943|LS20
        Otley|01943|LS21
        Wetherby|01937|LS22
        Garforth|0113|LS25
        Rothwell|0113|LS26
        Morley|0113|LS27
        Pudsey|0113|LS28"""),
    ),
)

STREETS = words("""Church Station Mill High Victoria Albert Manor Park Queens Kings London School Chapel Green North
    South East West New Cross Springfield Windsor Meadow Orchard Elm Oak Ash Beech Chestnut Lime Willow Hawthorn Cedar
    Poplar Rectory Vicarage Priory Abbey Castle Bridge River Mount Nelson Wellington Alexandra Clarence Milton
    Tennyson Byron Stanley Cambridge Oxford York Richmond Highfield Woodland Sunnyside Riverside Primrose Lavender""")
STREET_TYPES = words("""Road Street Avenue Close Lane Drive Way Gardens Crescent Grove Terrace Place Hill Rise Walk
    Mews Court Square""")
HOUSE_NAMES = words("""Rose Ivy Orchard Holly Primrose Honeysuckle Jasmine Bramble Fern Heather Laurel Willow Wisteria
    Meadow Sunny Corner Hillside Greenacres Fairview Oakdene Ashleigh Woodside""")
BLOCK_NAMES = words("""Rowan Larch Maple Sycamore Hazel Juniper Magnolia Acacia Alder Aspen Birch Cypress Elder
    Hornbeam Linden Mulberry Myrtle Spruce Yew Tamarisk Nelson Churchill Jubilee Coronation Balmoral Sandringham
    Osborne""")
INWARD_LETTERS = np.array(list("ABDEFGHJLNPQRSTUWXYZ"), dtype=object)  # no C I K M O V in the second half of a postcode
INWARD_CODES = 10 * len(INWARD_LETTERS) ** 2


@dataclass(frozen=True)
class Population:
    """`people`: one row a person, in random order; columns

    - `household`, `home`, `previous_home`: whole numbers, the latter two rows of `homes` (-1: never moved);
    - `alone`, `female`: true or false; `council`: position in `COUNCILS`; `kind`: position in `KINDS`;
    - `born`: datetime64[s], a day; `nhs_number`: ten digits, valid and distinct;
    - `title`, `forename`, `known_as`, `other_names`, `surname`, `maiden_name`, `suffix`, `mobile`, `email`: text,
      empty where there is none.

    `homes`: one row an address with `council`, `address1`, `address2`, `town`, `county`, `postcode`, `landline`.
    """

    people: pd.DataFrame
    homes: pd.DataFrame


def draw_distinct(rng: Generator, low: int, high: int, size: int) -> NDArray[np.int64]:
    """`size` distinct whole numbers in [low, high), in random order. ValueError when the range is too small."""
    if size > (high - low) // 2:
        raise ValueError(f"Cannot draw {size} distinct numbers from {low} to {high}; widen the range.")
    found = np.empty(0, dtype=np.int64)
    while len(found) < size:
        found = np.unique(np.concatenate([found, rng.integers(low, high, int((size - len(found)) * 1.2) + 16)]))
    return rng.permutation(found)[:size]


def digits(numbers: NDArray[np.integer[Any]], width: int = 0) -> Texts:
    """Whole numbers as text, with leading zeros up to `width`."""
    text = numbers.astype("U")
    return (np.strings.zfill(text, width) if width and len(text) else text).astype(object)


def draw_nhs_numbers(rng: Generator, size: int) -> Texts:
    """`size` distinct ten-digit NHS numbers with a right check digit (modulus 11)."""
    low, high = NEVER_ISSUED_NHS_NUMBERS
    first_nine = draw_distinct(rng, low, high, size + size // 4 + 16)
    powers = 10 ** np.arange(8, -1, -1)
    check = -(first_nine[:, None] // powers % 10 @ np.arange(10, 1, -1)) % 11
    return digits((first_nine * 10 + check)[check < 10][:size])


def _group_sizes(rng: Generator, clients: int) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """How many clients live in each household, and which kind of household it is; both one entry a household."""
    sizes, kinds, left = [], [], clients
    wanted: list[tuple[str, float, tuple[int, int]]] = [
        ("care_home", IN_CARE_HOMES, CARE_HOME_RESIDENTS),
        ("shared_house", IN_SHARED_HOUSES, SHARED_HOUSE_TENANTS),
        ("couple", IN_COUPLES, (2, 2)),
        ("twin", IN_TWINS, (2, 2)),
        ("sibling", IN_SIBLINGS, (2, 2)),
        ("parent_and_child", IN_PARENT_AND_CHILD, (2, 2)),
    ]
    for kind, share, (least, most) in wanted:
        groups = round(clients * share / ((least + most) / 2))
        drawn = rng.integers(least, most + 1, groups)
        drawn = drawn[np.cumsum(drawn) <= left]
        sizes.append(drawn)
        kinds.append(np.full(len(drawn), RANK[kind]))
        left -= int(drawn.sum())
    sizes.append(np.ones(left, dtype=np.int64))
    kinds.append(np.full(left, RANK["plain"]))
    return np.concatenate(sizes), np.concatenate(kinds)


def draw_homes(rng: Generator, care_home: NDArray[np.bool_]) -> pd.DataFrame:
    """One address for each entry of `care_home`; no two alike, about fifteen in the pool for each postcode."""
    size = len(care_home)
    slots = rng.permutation(size * ADDRESSES_PER_HOME_OF_A_CLIENT + ADDRESSES_PER_POSTCODE)[:size]
    postcode, place = slots // ADDRESSES_PER_POSTCODE, slots % ADDRESSES_PER_POSTCODE
    postcodes = int(postcode.max()) + 1

    outcodes = [
        (position, council.county, town.name, town.dialling_code, outcode)
        for position, council in enumerate(COUNCILS)
        for town in council.towns
        for outcode in town.outcodes
    ]
    order = rng.permutation(len(outcodes))
    area = order[np.arange(postcodes) % len(outcodes)]
    inward = rng.permutation(INWARD_CODES)[(np.arange(postcodes) // len(outcodes) + 41 * area) % INWARD_CODES]
    letters = len(INWARD_LETTERS)
    council, county, town, dialling_code, outcode = (
        np.array(column, dtype=object) for column in zip(*outcodes, strict=True)
    )
    postcode_text = (
        outcode[area] + " " + digits(inward // letters**2)
        + INWARD_LETTERS[inward // letters % letters] + INWARD_LETTERS[inward % letters]
    )  # fmt: skip
    street_names = np.array(STREETS * 6 + list(british_surnames().names), dtype=object)
    street = rng.choice(street_names, postcodes) + " " + rng.choice(np.array(STREET_TYPES, dtype=object), postcodes)
    of_flats = rng.random(postcodes) < FLATS
    block = rng.choice(np.array(BLOCK_NAMES, dtype=object), postcodes) + " Court"
    first_number = rng.integers(1, 80, postcodes)

    numbered = digits(first_number[postcode] + 2 * place) + " " + street[postcode]
    house = np.array(HOUSE_NAMES, dtype=object)[place] + rng.choice(
        np.array([" Cottage", " House"], dtype=object), size
    )
    home_name = np.array(BLOCK_NAMES, dtype=object)[place] + rng.choice(
        np.array([" Care Home", " House Nursing Home", " Lodge Residential Home"], dtype=object), size
    )
    flat, named = of_flats[postcode], rng.random(size) < NAMED_HOUSES
    which = [care_home, flat, named]
    address1 = np.select(which, [home_name, "Flat " + digits(place + 1) + " " + block[postcode], house], numbered)
    address2 = np.select(
        which, [numbered, digits(first_number[postcode]) + " " + street[postcode], street[postcode]], ""
    )

    local = rng.permutation(np.arange(200_000, 900_000))[np.arange(size) % 700_000]
    code = dialling_code[area][postcode]
    landline = code + " " + np.where(code == "0113", "2", "") + digits(local)
    return pd.DataFrame(
        {
            "council": council[area][postcode].astype(np.int8),
            "address1": address1,
            "address2": address2,
            "town": town[area][postcode],
            "county": county[area][postcode],
            "postcode": postcode_text[postcode],
            "landline": landline,
        },
        dtype=object,
    ).astype({"council": np.int8})


def _draw_births(
    rng: Generator, day: date, kind: NDArray[np.int8], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.datetime64]:
    """Days of birth; `first` and `second` are the rows of the two members of each pair."""
    size = len(kind)
    years_old = 64 + 37 * rng.beta(2.3, 2.0, size)
    young = (rng.random(size) < YOUNGER_ADULTS) & np.isin(kind, [RANK["plain"]]) | (kind == RANK["shared_house"])
    years_old[young] = rng.uniform(19, 65, int(young.sum()))
    parent = first[kind[first] == RANK["parent_and_child"]]
    years_old[parent] = rng.uniform(84, 101, len(parent))
    pair = kind[first]
    apart = np.select(
        [pair == RANK["couple"], pair == RANK["sibling"], pair == RANK["parent_and_child"]],
        [
            rng.normal(0, 3.5, len(first)),
            rng.choice([-1, 1], len(first)) * rng.uniform(1.1, 9, len(first)),
            rng.uniform(19, 34, len(first)),
        ],
        0.0,
    )
    years_old[second] = np.clip(years_old[first] - apart, 19, 106)
    born: NDArray[np.datetime64] = np.datetime64(day, "D") - (years_old * 365.25).astype("timedelta64[D]")
    return born


def make_population(rng: Generator, clients: int, day: date) -> Population:
    """`clients` people who receive home care on `day`, with their homes. ValueError when `clients` is below one."""
    if clients < 1:
        raise ValueError(f"A sample needs at least one client, not {clients}; give clients=1 or more.")
    sizes, household_kind = _group_sizes(rng, clients)
    household = np.repeat(np.arange(len(sizes)), sizes)
    kind = household_kind[household]
    start = np.cumsum(sizes) - sizes
    paired = np.isin(household_kind, [RANK[name] for name in ("couple", "twin", "sibling", "parent_and_child")])
    first, second = start[paired], start[paired] + 1
    pair = household_kind[paired]

    born = _draw_births(rng, day, kind, first, second)
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    female = rng.random(clients) < WOMEN
    same_sex_share = np.select(
        [pair == RANK["couple"], pair == RANK["twin"], pair == RANK["parent_and_child"]],
        [COUPLES_OF_ONE_SEX, TWINS_OF_ONE_SEX, 1.0],
        0.5,
    )
    female[second] = np.where(rng.random(len(first)) < same_sex_share, female[first], ~female[first])

    origin = draw_origins(rng, clients)
    origin[second] = origin[first]
    family_name = draw_surnames(rng, origin)
    family_name[second] = family_name[first]
    own_name = np.array([source.surname_of_women for source in origins()], dtype=object)[origin]
    surname = np.where(female & (own_name != ""), own_name, family_name)

    forename = draw_forenames(rng, origin, female, year)
    twins = second[(pair == RANK["twin"]) & (rng.random(len(second)) < TWINS_WITH_ALLITERATING_NAMES)]
    forename[twins] = draw_alliterating(rng, forename[twins - 1], female[twins])
    while len(alike := second[(forename[second] == forename[first]) & (pair != RANK["parent_and_child"])]):
        forename[alike] = draw_forenames(rng, np.zeros(len(alike), dtype=np.int8), female[alike], year[alike])
    children = second[pair == RANK["parent_and_child"]]
    forename[children] = forename[children - 1]
    suffix = np.full(clients, "", dtype=object)
    told_apart = children[rng.random(len(children)) < SENIOR_OR_JUNIOR]
    suffix[told_apart], suffix[told_apart - 1] = "Jnr", "Snr"

    _make_namesakes(rng, day, kind=kind, female=female, forename=forename, surname=surname, born=born)
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970

    married = female & (rng.random(clients) < MARRIED_OR_WIDOWED_WOMEN) & (kind != RANK["shared_house"])
    married[first[pair == RANK["couple"]]] = female[first[pair == RANK["couple"]]]
    married[second[pair == RANK["couple"]]] = female[second[pair == RANK["couple"]]]
    married &= ~np.isin(kind, [RANK["twin"], RANK["sibling"]])
    maiden_name = np.where(married & (own_name == ""), draw_surnames(rng, origin), "")
    rarely = rng.random(clients)
    title = np.select(
        [rarely < 0.006, rarely < 0.009, ~female, married, rng.random(clients) < 0.6],
        ["Dr", "Rev", "Mr", "Mrs", "Miss"],
        "Ms",
    ).astype(object)

    other_names = np.where(rng.random(clients) < WITH_OTHER_NAMES, draw_forenames(rng, origin, female, year), "")
    mobile = np.where(
        rng.random(clients) < WITH_A_MOBILE,
        "0" + digits(draw_distinct(rng, 7_400_000_000, 7_999_999_999, clients)),
        "",
    )
    movers = np.flatnonzero(rng.random(clients) < HAVE_MOVED)
    homes = draw_homes(
        rng, np.concatenate([household_kind == RANK["care_home"], np.zeros(len(movers) * 4 + 8, dtype=np.bool_)])
    )
    council = homes["council"].to_numpy()

    people = pd.DataFrame(
        {
            "household": household,
            "home": household,
            "previous_home": _previous_homes(council, household, len(sizes), movers),
            "alone": (sizes == 1)[household],
            "council": council[household],
            "kind": kind,
            "female": female,
            "born": born.astype("datetime64[s]"),
            "nhs_number": draw_nhs_numbers(rng, clients),
            "title": title,
            "forename": forename,
            "known_as": _draw_known_as(rng, forename, other_names),
            "other_names": other_names,
            "surname": surname,
            "maiden_name": maiden_name,
            "suffix": suffix,
            "mobile": mobile,
            "email": _emails(rng, forename, surname, year),
        }
    )
    text = people.columns[people.columns.get_loc("nhs_number") :]
    people = people.astype(dict.fromkeys(text, object))
    return Population(people.iloc[rng.permutation(clients)].reset_index(drop=True), homes)


def _draw_known_as(rng: Generator, forename: Texts, other_names: Texts) -> Texts:
    """A nickname or another of their names for a few, empty for the others."""
    known_as = np.full(len(forename), "", dtype=object)
    chance = rng.random(len(forename))
    nicknamed = np.flatnonzero(chance < KNOWN_BY_A_NICKNAME)
    known_as[nicknamed] = draw_nicknames(rng, forename[nicknamed])
    by_other = (chance > 1 - KNOWN_BY_ANOTHER_NAME) & (other_names != "")
    known_as[by_other] = other_names[by_other]
    known_as[known_as == forename] = ""
    return known_as


def _previous_homes(
    council: NDArray[np.int8], household: NDArray[np.int64], households: int, movers: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each person the home they left, or -1: one of the homes after the first `households`, which are lived in.

    `council` is that of each home. Nobody moves from one council to another.
    """
    previous_home = np.full(len(household), -1)
    for position in range(len(COUNCILS)):
        there = movers[council[household[movers]] == position]
        vacant = households + np.flatnonzero(council[households:] == position)[: len(there)]
        previous_home[there[: len(vacant)]] = vacant
    return previous_home


def _make_namesakes(
    rng: Generator,
    day: date,
    *,
    kind: NDArray[np.int8],
    female: NDArray[np.bool_],
    forename: Texts,
    surname: Texts,
    born: NDArray[np.datetime64],
) -> None:
    """Gives pairs of people who live alone one name between them, in place; some were born in one year as well."""
    alone = rng.permutation(np.flatnonzero(kind == RANK["plain"]))
    pairs = round(len(kind) * NAMESAKES / 2)
    one, other = alone[:pairs], alone[pairs : 2 * pairs]
    one = one[: len(other)]
    for column in (forename, surname, female):
        column[other] = column[one]
    same_year = rng.random(len(other)) < NAMESAKES_BORN_IN_ONE_YEAR
    year_start = born[one].astype("datetime64[Y]").astype("datetime64[D]")
    within = year_start + rng.integers(0, 365, len(one)).astype("timedelta64[D]")
    within += (within == born[one]).astype("timedelta64[D]")
    born[other] = np.where(same_year, np.minimum(within, np.datetime64(day, "D")), born[other])
    kind[one] = kind[other] = RANK["namesake"]


def _emails(rng: Generator, forename: Texts, surname: Texts, year: NDArray[np.int64]) -> Texts:
    """Addresses for a few, at domains which are reserved for examples; empty for the others."""
    emails = np.full(len(forename), "", dtype=object)
    rows = np.flatnonzero(rng.random(len(forename)) < WITH_AN_EMAIL)
    local = pd.Series(forename[rows] + "." + surname[rows], dtype=object).str.normalize("NFKD")
    plain = local.str.replace(r"[^A-Za-z.]", "", regex=True).str.lower().to_numpy(dtype=object)
    domain = rng.choice(np.array(["@example.com", "@example.org", "@example.net"], dtype=object), len(rows))
    emails[rows] = plain + digits(year[rows] % 100, 2) + domain
    return emails
