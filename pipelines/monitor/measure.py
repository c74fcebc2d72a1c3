"""The end of a night: count what it came to, publish the page of trends, and tell Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from pipelines.decisions.crosswalk import signed_off
from pipelines.decisions.store import open_decisions
from pipelines.monitor.clock import seconds_spent, start_anew
from pipelines.monitor.figures import Figure, figures, keep_figures, total
from pipelines.monitor.metrics import Told, write_metrics
from pipelines.monitor.trends import publish_trends
from pipelines.review.published import NoReportError, read_run
from pipelines.settings import TIERS, Settings
from pipelines.warehouse import open_warehouse

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Measured:
    """One night in counts, with the folder of its report: what may be told outside the home."""

    day: str
    provider: str
    files_loaded: int
    files_quarantined: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    cells_unread: int
    new_records: int
    duplicates_found: int
    waiting: dict[str, int]
    merges_standing: int
    train_again: int
    report: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON and XCom."""
        return asdict(self)


def measure_night(settings: Settings, day: date) -> Measured:
    """Keep the figures of the night of ``day`` and write what follows from all of them; gives the night in counts.

    Prometheus is told last, so that it takes no night for done that is not.
    """
    with open_warehouse(settings) as warehouse:
        keep_figures(warehouse, day)
        counted = figures(warehouse)
    with open_decisions(settings) as store:
        plans = [entry.signed_plan for entry in signed_off(store.entries())]
    newest = max((one.night for one in counted if one.figure == "records"), default=day)
    told = Told(
        day=newest,
        counted=_of(counted, newest),
        signed_off=len({merge.merge_id for plan in plans for merge in plan.merges}),
        undone=sum(len(plan.undoes) for plan in plans),
        seconds=seconds_spent(settings),
        contradictions=_contradictions(settings, newest),
    )
    publish_trends(settings, counted)
    write_metrics(settings, told, datetime.now(UTC))
    start_anew(settings)
    log.info("told of the night of %s", day)
    return in_counts(settings, day, counted)


def in_counts(settings: Settings, day: date, counted: Iterable[Figure]) -> Measured:
    """One night of all that were counted."""
    night = _of(counted, day)
    return Measured(
        day=day.isoformat(),
        provider=settings.provider,
        files_loaded=total(night, "files", detail="loaded"),
        files_quarantined=total(night, "files", detail="quarantined"),
        rows_read=total(night, "rows read"),
        rows_loaded=total(night, "rows loaded"),
        rows_rejected=total(night, "rows rejected"),
        cells_unread=total(night, "unread"),
        new_records=total(night, "made"),
        duplicates_found=total(night, "found"),
        waiting={tier: total(night, "waiting", detail=tier) for tier in TIERS},
        merges_standing=total(night, "merges"),
        train_again=total(night, "reasons to train"),
        report=str(settings.reports / day.isoformat()),
    )


def _contradictions(settings: Settings, day: date) -> int:
    """How much contradicts standing merges, by the report of that night; 0 without one."""
    try:
        lines = read_run(settings, day).watch
    except NoReportError:
        return 0
    return sum(line.merges for line in lines if line.contradicts)


def _of(counted: Iterable[Figure], day: date) -> Sequence[Figure]:
    return tuple(one for one in counted if one.night == day)
