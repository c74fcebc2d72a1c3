"""The status of every merge: complete or partial, and what the watch found on merged-away records."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pipelines.decisions.crosswalk import Signed, crosswalk, live_merges, signed_off
from pipelines.decisions.entry import Entry
from pipelines.decisions.snapshot import require_whole_log
from pipelines.decisions.store import open_decisions
from pipelines.merge.finding import Finding
from pipelines.merge.plan import unfinished
from pipelines.merge.selection import candidate_id
from pipelines.merge.watch import watch
from pipelines.settings import Settings
from pipelines.stage.register import require_register
from pipelines.warehouse import Warehouse, open_warehouse


@dataclass(frozen=True)
class MergeStatus:
    """One merge that stands. ``state`` is complete, partial (``visits_left`` are outside every range so far) or not
    begun: signed off, and not carried out by this warehouse."""

    merge_id: str
    state: str
    survivor: str
    merged_away: tuple[str, ...]
    candidate_ids: tuple[str, ...]
    signed_in: int
    signed_by: str
    signed_on: date
    wave: str
    visits_left: int = 0


@dataclass(frozen=True)
class Status:
    """Every merge that stands, how many records count for another, the run that is not finished, and findings."""

    merges: tuple[MergeStatus, ...]
    crosswalk: dict[str, str]
    unfinished: int | None
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def merge_status(settings: Settings, as_of: date | None = None) -> Status:
    """The status of every merge now; or with ``as_of`` which were live at the end of that day, by the log alone.

    Raises DecisionsDamagedError when the log does not hold what an earlier nightly run has read.
    """
    with open_decisions(settings) as store:
        entries = store.entries()
    if as_of:
        entries = [entry for entry in entries if entry.recorded_in(settings.timezone).date() <= as_of]
        live = live_merges(entries)
        return Status(merges_of(settings, live, {}), crosswalk(signed.merge for signed in live.values()), None)
    with open_warehouse(settings) as warehouse:
        require_register(warehouse)
        require_whole_log(warehouse, entries)
        return status_of(settings, warehouse, entries)


def status_of(settings: Settings, warehouse: Warehouse, entries: Sequence[Entry]) -> Status:
    """Where every merge stands now, by the log and an open warehouse."""
    live = live_merges(entries)
    begun = {number for (number,) in warehouse.rows("select signed_in from merged.runs")}
    return Status(
        merges_of(settings, live, dict(warehouse.rows(_LEFT)) if live else {}, begun),
        crosswalk(signed.merge for signed in live.values()),
        unfinished(warehouse, signed_off(entries)),
        tuple(watch(warehouse, entries)),
    )


def merges_of(
    settings: Settings, live: Mapping[str, Signed], left: Mapping[str, int], begun: Collection[int] | None = None
) -> tuple[MergeStatus, ...]:
    """The merges that stand, by id; ``left`` says how many visits each has left outside every range so far, ``begun``
    which sign-offs were carried out (None: all)."""
    return tuple(
        MergeStatus(
            merge_id,
            _state(signed.entry.sequence_number, left.get(merge_id, 0), begun),
            signed.merge.survivor,
            tuple(member.client_ref for member in signed.merge.sources),
            tuple(candidate_id(*pair) for pair in signed.merge.pairs),
            signed.entry.sequence_number,
            signed.entry.who,
            signed.entry.recorded_in(settings.timezone).date(),
            signed.merge.wave,
            left.get(merge_id, 0),
        )
        for merge_id, signed in sorted(live.items())
    )


def _state(signed_in: int, left: int, begun: Collection[int] | None) -> str:
    if begun is not None and signed_in not in begun:
        return "not begun"
    return "partial" if left else "complete"


_LEFT = """
    select m.merge_id, count(*)
    from merged.merges as m
    join merged.crosswalk as x using (client_id)
    join staged.visits as v on v.origin_client_id = m.client_id and v.client_id <> x.survivor_id
    group by m.merge_id
"""
