"""What each night came to, in counts: for Prometheus, for notices and for the page of trends.

What the tables keep for ever (the ledger of files, when each record was made) is counted when it is asked for; what
they hold only as it is now is kept for each night in ``reviewed.figures``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pipelines.decisions.standing import SETTLED
from pipelines.stage.standardise import know_nicknames
from pipelines.warehouse import Warehouse

_KEY = ("night", "figure", "issuer", "detail")


@dataclass(frozen=True)
class Figure:
    """One count of one night: ``figure`` says of what, ``feed`` and ``issuer`` who sent it, ``detail`` of what kind."""

    night: date
    figure: str
    feed: str
    issuer: str
    detail: str
    count: int


def keep_figures(warehouse: Warehouse, day: date) -> None:
    """Keep what the register and its candidates came to on the night of ``day``, in place of what was kept of it.

    A night that is run again after a later one is left as it is: what it was then cannot be counted any more.
    """
    later = "select exists (from reviewed.figures where night > $day)"
    if not warehouse.exists("matched.candidates") or warehouse.one(later, {"day": day}):
        return
    warehouse.work("reported", "matched.reported", {"day": day, "settled": sorted(SETTLED)})
    warehouse.work("misses", "matched.misses")
    know_nicknames(warehouse)
    warehouse.work("confusions", "matched.confusions")
    warehouse.work("figures", "reviewed.figures", {"day": day})
    with warehouse.transaction():
        warehouse.upsert("reviewed.figures", _KEY, "figures", within="kept.night in (select night from figures)")


def figures(warehouse: Warehouse) -> list[Figure]:
    """Every count of every night, in a total order; none before the first night."""
    if not warehouse.exists("raw.files"):
        return []
    return [Figure(*row) for row in warehouse.work_rows("reviewed.nights")]


def total(counted: Iterable[Figure], figure: str, **of: str) -> int:
    """The sum of a figure, over those of one feed, issuer or detail if it is named."""
    return sum(
        one.count for one in counted if one.figure == figure and all(getattr(one, k) == v for k, v in of.items())
    )
