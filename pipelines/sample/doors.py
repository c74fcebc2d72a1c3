"""Who enters the books by which door, and under which reference.

Two doors: the rostering systems' clients and the councils' purchase orders. A person with both ought to be one
client, found by an exact Social Services Reference; here is decided for whom that fails, and why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.sample.dirt import (
    COUNCIL,
    ROSTER,
    SLIPS_OF_THE_COUNCIL,
    SLIPS_OF_THE_ROSTER,
    Rows,
    draw_reference_slips,
    mistype_references,
    transcribe,
)
from pipelines.sample.names import Texts
from pipelines.sample.numbers import digits, draw_distinct
from pipelines.sample.people import RANK, Population
from pipelines.sample.places import Council

SYSTEMS = ("careplan", "rosterly")
SHARE_OF_SYSTEMS = (0.6, 0.4)

# Shares of people.
ON_THE_ROSTER = 0.92
ON_PURCHASE_ORDERS = 0.90
REFERENCE_DOES_NOT_MATCH = 0.18
TWICE_IN_ONE_SYSTEM = 0.02
IN_BOTH_SYSTEMS = 0.02
SUPERSEDED_BUT_STILL_USED = 0.010
IN_TWO_COUNCILS = 0.010
JOINS_ON_A_LATER_NIGHT = 0.03
NEW_PURCHASE_ORDER_DETAILS_EACH_NIGHT = 0.02

# Shares of records.
WRONG_COUNCIL_SLIP_BUT_RIGHT_TOO = 0.45
REFERENCE_OF_ANOTHER = 0.004
ANOTHER_IS_OF_THE_HOUSEHOLD = 0.5
LATER_REFERENCE_DOES_NOT_MATCH = 0.30
SECOND_ROSTER_RECORD_WITHOUT_REFERENCE = 0.5
NUMBERS_SHARED_WITH_ANOTHER_COUNCIL = 0.03


@dataclass(frozen=True)
class Doors:
    """What the doors hold. Both frames have the details of `dirt.transcribe` and

    - `council`: position among the councils; `reference`: text, empty where missing; `night`: when first seen, from 0;
    - in `roster`, one row a client: `system` (position in `SYSTEMS`), `client_id` (text, distinct within a system);
    - in `orders`, one row for each set of details that a council sends purchase orders under.
    """

    roster: pd.DataFrame
    orders: pd.DataFrame


@dataclass(frozen=True)
class _References:
    """References of each person, one entry a person: today's, an older one, and one from a second council."""

    current: Texts
    superseded: Texts
    elsewhere: Texts
    second_council: NDArray[np.int8]


def _style(code: str, numbers: NDArray[np.int64]) -> Texts:
    """The references of one council, in its own form."""
    before, width = {"ESSEX": ("", 7), "KENT": ("E", 6), "NORFOLK": ("NA", 6), "DERBYSHIRE": ("", 8)}.get(code, ("", 0))
    return before + digits(numbers, width) if before else digits(numbers, width)


def _draw_references(rng: Generator, council: NDArray[np.int8], councils: tuple[Council, ...]) -> _References:
    """References that are distinct within a council; a few bare numbers exist in two councils, for two people."""
    size = len(council)
    second_council = ((council + rng.integers(1, len(councils), size)) % len(councils)).astype(np.int8)
    room = 3 * size + 1000
    ranges = (
        (1_000, max(3_000_000, 3 * room)),
        *((100_000, max(999_999, 3 * room)), (100_000, 99_999_999)) * 2,
    )[: len(councils)]
    pools = [draw_distinct(rng, low, high, 0) for low, high in ranges]
    wanted = [(council, 0), (council, 1), (second_council, 2)]
    texts = [np.full(size, "", dtype=object) for _ in wanted]
    for position, of in enumerate(councils):
        rows = [np.flatnonzero(column == position) for column, _ in wanted]
        total = sum(len(of_use) for of_use in rows)
        numbers = draw_distinct(rng, *ranges[position], total)
        if of.code == "LEEDS":
            borrowed = np.setdiff1d(pools[0][pools[0] >= 1_000_000], numbers)
            borrowed = rng.permutation(borrowed)[: round(total * NUMBERS_SHARED_WITH_ANOTHER_COUNCIL)]
            numbers[rng.permutation(total)[: len(borrowed)]] = borrowed
        pools[position] = numbers
        written = _style(of.code, numbers)
        taken = 0
        for text, of_use in zip(texts, rows, strict=True):
            text[of_use] = written[taken : taken + len(of_use)]
            taken += len(of_use)
    return _References(texts[0], texts[1], texts[2], second_council)


def _some(rng: Generator, rows: Rows, share: float) -> Rows:
    return rows[rng.random(len(rows)) < share]


def open_doors(rng: Generator, population: Population, nights: int) -> Doors:
    """Every record of every door over all `nights`."""
    people = population.people
    size = len(people)
    everyone = np.arange(size)
    council = people["council"].to_numpy()
    references = _draw_references(rng, council, population.councils)

    joins = np.zeros(size, dtype=np.int64)
    if nights > 1:
        late = _some(rng, everyone, JOINS_ON_A_LATER_NIGHT * (nights - 1))
        joins[late] = rng.integers(1, nights, len(late))
    on_roster = rng.random(size) < ON_THE_ROSTER
    on_orders = ~on_roster | (rng.random(size) < ON_PURCHASE_ORDERS)
    mismatched = np.flatnonzero(on_roster & on_orders & (rng.random(size) < REFERENCE_DOES_NOT_MATCH))
    slip = np.full(size, "", dtype=object)
    slip[mismatched] = draw_reference_slips(rng, len(mismatched))
    by_council = np.isin(slip, SLIPS_OF_THE_COUNCIL) | (~np.isin(slip, SLIPS_OF_THE_ROSTER) & (rng.random(size) < 0.5))
    roster_slip = np.where(by_council, "", slip)
    orders_slip = np.where(by_council, slip, "")

    roster = _roster(rng, population, references, first=np.flatnonzero(on_roster), slip=roster_slip, joins=joins)
    orders = _orders(
        rng, population, references, first=np.flatnonzero(on_orders), slip=orders_slip, joins=joins, nights=nights
    )
    _mark_confusions(roster, orders)
    return Doors(roster, orders)


def _written(rng: Generator, references: _References, person: Rows, slip: Texts) -> Texts:
    """The references of people (rows), each with the slip beside it, or right where that is empty."""
    written = references.current[person].copy()
    wrong = np.flatnonzero(slip != "")
    written[wrong] = mistype_references(rng, written[wrong], slip[wrong], references.superseded[person[wrong]])
    return written


def _roster(
    rng: Generator, population: Population, references: _References, *, first: Rows, slip: Texts, joins: Rows
) -> pd.DataFrame:
    system = rng.choice(len(SYSTEMS), len(population.people), p=SHARE_OF_SYSTEMS)
    same, other = _some(rng, first, TWICE_IN_ONE_SYSTEM), _some(rng, first, IN_BOTH_SYSTEMS)
    second_slip = np.where(
        rng.random(len(same) + len(other)) < SECOND_ROSTER_RECORD_WITHOUT_REFERENCE, "missing", ""
    ).astype(object)
    person = np.concatenate([first, same, other])
    order = rng.permutation(len(person))
    person = person[order]
    roster = transcribe(rng, population, person, ROSTER)
    roster["system"] = np.concatenate([system[first], system[same], 1 - system[other]])[order]
    roster["council"] = population.people["council"].to_numpy()[person]
    roster["reference"] = _written(rng, references, person, np.concatenate([slip[first], second_slip])[order])
    roster["night"] = joins[person]
    number = digits(1_001 + 3 * roster.groupby("system").cumcount().to_numpy(), 6)
    roster["client_id"] = np.where(roster["system"] == 0, "CP" + number, number)
    hard = np.concatenate([slip[first] == "superseded", np.zeros(len(second_slip), dtype=np.bool_)])[order]
    _harden(roster, hard, "two_references")
    return roster.astype({"reference": object, "client_id": object})


def _orders(
    rng: Generator,
    population: Population,
    references: _References,
    *,
    first: Rows,
    slip: Texts,
    joins: Rows,
    nights: int,
) -> pd.DataFrame:
    right_too = _some(rng, first[slip[first] != ""], WRONG_COUNCIL_SLIP_BUT_RIGHT_TOO)
    superseded = _some(rng, first[slip[first] == ""], SUPERSEDED_BUT_STILL_USED)
    elsewhere = _some(rng, first, IN_TWO_COUNCILS)
    later = [
        _some(rng, first[joins[first] < night], NEW_PURCHASE_ORDER_DETAILS_EACH_NIGHT) for night in range(1, nights)
    ]
    person = np.concatenate([first, right_too, superseded, elsewhere, *later])
    later_slip = [
        np.where(rng.random(len(rows)) < LATER_REFERENCE_DOES_NOT_MATCH, draw_reference_slips(rng, len(rows)), "")
        for rows in later
    ]
    for slips in later_slip:
        slips[slips == "missing"] = "slash_suffix"  # a council always quotes some reference
    slips = np.concatenate(
        [
            slip[first],
            np.full(len(right_too), "", dtype=object),
            np.full(len(superseded), "superseded", dtype=object),
            np.full(len(elsewhere), "", dtype=object),
            *later_slip,
        ]
    ).astype(object)
    earlier = person[: len(person) - sum(map(len, later))]
    night = np.concatenate([joins[earlier], *(np.full(len(rows), at) for at, rows in enumerate(later, start=1))])
    orders = transcribe(rng, population, person, COUNCIL)
    reference = _written(rng, references, person, slips)
    council = population.people["council"].to_numpy()[person].copy()
    moved = len(first) + len(right_too) + len(superseded) + np.arange(len(elsewhere))
    council[moved] = references.second_council[elsewhere]
    reference[moved] = references.elsewhere[elsewhere]
    _confuse(rng, population, references, person=person, slips=slips, reference=reference, spared=moved)
    orders["council"], orders["reference"], orders["night"] = council, reference, night
    hard = slips == "superseded"
    hard[moved] = True
    _harden(orders, hard, "two_references")
    shuffled: pd.DataFrame = orders.iloc[rng.permutation(len(orders))].reset_index(drop=True)
    return shuffled.astype({"reference": object})


def _confuse(
    rng: Generator,
    population: Population,
    references: _References,
    *,
    person: Rows,
    slips: Texts,
    reference: Texts,
    spared: Rows,
) -> None:
    """Gives some records the reference of someone else of the same council, often of the household, in place."""
    open_to = slips == ""
    open_to[spared] = False
    rows = _some(rng, np.flatnonzero(open_to), REFERENCE_OF_ANOTHER)
    council, household = population.people["council"].to_numpy(), population.people["household"].to_numpy()
    by_household = np.lexsort((np.arange(len(household)), household))
    place = np.empty(len(household), dtype=np.int64)
    place[by_household] = np.arange(len(household))
    beside = by_household[np.minimum(place[person[rows]] + 1, len(household) - 1)]
    before = by_household[np.maximum(place[person[rows]] - 1, 0)]
    beside = np.where(household[beside] == household[person[rows]], beside, before)
    at_home = (household[beside] == household[person[rows]]) & (beside != person[rows])
    by_council = np.argsort(council, kind="stable")
    first, last = (np.searchsorted(council[by_council], council[person[rows]], side) for side in ("left", "right"))
    anyone = by_council[first + (rng.random(len(rows)) * (last - first)).astype(np.int64)]
    other = np.where(at_home & (rng.random(len(rows)) < ANOTHER_IS_OF_THE_HOUSEHOLD), beside, anyone)
    possible = (council[other] == council[person[rows]]) & (other != person[rows])
    reference[rows[possible]] = references.current[other[possible]]


def _harden(records: pd.DataFrame, rows: NDArray[np.bool_], kind: str) -> None:
    records["kind"] = np.where(rows, np.minimum(records["kind"], RANK[kind]), records["kind"]).astype(np.int8)


def _mark_confusions(roster: pd.DataFrame, orders: pd.DataFrame) -> None:
    """Counts as confusions all records whose reference (in one council) is that of two people, by slip or by chance."""
    both = pd.concat([frame[["council", "reference", "person"]] for frame in (roster, orders)], ignore_index=True)
    filled = both[both["reference"] != ""]
    holders = filled.groupby(["council", "reference"], sort=False)["person"]
    confused = np.zeros(len(both), dtype=np.bool_)
    confused[filled.index] = (holders.transform("min") != holders.transform("max")).to_numpy()
    _harden(roster, confused[: len(roster)], "confusion")
    _harden(orders, confused[len(roster) :], "confusion")
