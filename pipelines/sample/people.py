"""The true population: who they are, and whom they live with.

One row a person. Everything that makes record linkage hard in home care is a property of people, not of files, and
is made here: couples, twins, parents and children of one name, care homes, shared houses, unrelated namesakes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.sample.names import (
    Texts,
    draw_alliterating,
    draw_forenames,
    draw_nicknames,
    draw_origins,
    draw_surnames,
    origins,
)
from pipelines.sample.numbers import digits, draw_distinct
from pipelines.sample.places import COUNCILS, Council, draw_homes

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
class Population:
    """`people`: one row a person, in random order; columns

    - `household`, `home`, `previous_home`: whole numbers, the latter two rows of `homes` (-1: never moved);
    - `alone`, `female`: true or false; `council`: position in `councils`; `kind`: position in `KINDS`;
    - `born`: datetime64[s], a day; `nhs_number`: ten digits, valid and distinct;
    - `title`, `forename`, `known_as`, `other_names`, `surname`, `maiden_name`, `suffix`, `mobile`, `email`: text,
      empty where there is none.

    `homes`: one row an address with `council`, `address1`, `address2`, `town`, `county`, `postcode`, `landline`.
    """

    people: pd.DataFrame
    homes: pd.DataFrame
    councils: tuple[Council, ...] = COUNCILS


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


def make_population(rng: Generator, clients: int, day: date, councils: tuple[Council, ...] = COUNCILS) -> Population:
    """`clients` people who receive home care of these `councils` on `day`, with their homes.

    ValueError when `clients` is below one.
    """
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
        rng,
        np.concatenate([household_kind == RANK["care_home"], np.zeros(len(movers) * 4 + 8, dtype=np.bool_)]),
        councils,
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
    return Population(people.iloc[rng.permutation(clients)].reset_index(drop=True), homes, councils)


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
    for position in range(int(council.max()) + 1):
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
