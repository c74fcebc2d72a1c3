"""Which record should stay, and why: the first criterion on which one record is ahead of all others decides.

The criteria stand in the order in which a mistake would cost: an order on a merged-away record brings it back to life,
a reference that leads nowhere makes the next duplicate, an empty profile costs a telephone call. A recommendation only:
the analyst may choose another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipelines.merge.record import COUNCIL_REFERENCE, ROSTER_ID, Record


@dataclass(frozen=True)
class Reason:
    """One criterion by which the records differ. ``speaks_for`` is the record that is ahead on it."""

    criterion: str
    speaks_for: str
    words: str


@dataclass(frozen=True)
class Recommendation:
    """The survivor, and every reason for and against it; the first is the one that decided."""

    survivor_ref: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class _Criterion:
    """``measure``: the more, the better. ``words`` say what a record of that measure has."""

    name: str
    measure: Callable[[Record], int]
    words: Callable[[int], str]


def _filled(record: Record) -> int:
    """How many different things the record says of its client: profile fields, kinds of contact and of number."""
    said = {detail.field for detail in record.profile} | {contact.kind for contact in record.contacts}
    return len(said | {reference.kind for reference in record.references})


def _has(one: str, many: str) -> Callable[[int], str]:
    return lambda number: f"has {number:,} {one if number == 1 else many}"


AGE = _Criterion("age of the record", lambda record: -record.client_id, lambda _: "is the older record")
CRITERIA = (
    _Criterion(
        "active orders",
        lambda record: len(record.active_orders),
        _has("active purchase order line", "active purchase order lines"),
    ),
    _Criterion(
        "orders to come",
        lambda record: len(record.orders) - len(record.active_orders),
        _has("purchase order line to come", "purchase order lines to come"),
    ),
    _Criterion(
        "live council reference",
        lambda record: len(record.live_references(COUNCIL_REFERENCE)),
        _has("live council reference", "live council references"),
    ),
    _Criterion(
        "live rostering id",
        lambda record: len(record.live_references(ROSTER_ID)),
        _has("live rostering id", "live rostering ids"),
    ),
    _Criterion("completeness", _filled, lambda number: f"fills {number} fields"),
    _Criterion("visits to come", lambda record: record.upcoming_visits, _has("visit to come", "visits to come")),
    _Criterion("past visits", lambda record: record.past_visits, _has("past visit", "past visits")),
    AGE,
)


def recommend(records: Sequence[Record]) -> Recommendation:
    """The record that should stay, the same whatever the order of ``records`` (at least one, ids all different)."""
    survivor = max(records, key=lambda record: tuple(criterion.measure(record) for criterion in CRITERIA))
    others = [record for record in records if record is not survivor]
    contenders = list(others)
    decided, supported, against = [], [], []
    for criterion in CRITERIA:
        own = criterion.measure(survivor)
        beaten = [record for record in contenders if criterion.measure(record) < own]
        contenders = [record for record in contenders if record not in beaten]
        ahead = min(others, key=lambda record: (-criterion.measure(record), record.client_id), default=survivor)
        if beaten:
            decided.append(_reason(criterion, survivor, max(map(criterion.measure, beaten))))
        elif criterion is AGE:
            continue
        elif criterion.measure(ahead) < own:
            supported.append(_reason(criterion, survivor, criterion.measure(ahead)))
        elif criterion.measure(ahead) > own:
            against.append(_reason(criterion, ahead, own))
    return Recommendation(survivor.client_ref, (*decided, *supported, *against))


def _reason(criterion: _Criterion, record: Record, next_most: int) -> Reason:
    most = criterion.measure(record)
    words = criterion.words(most)
    if criterion is not AGE:
        words += f", not {next_most:,}" if next_most else ""
    return Reason(criterion.name, record.client_ref, words)
