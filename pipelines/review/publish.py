"""Publish a night's report under ``HOME/reports/YYYY-MM-DD/``, all of it at once.

Each version of a report is a folder of its own; the day's name is a link that is swung over in one step, so a reader
never sees half a report, and the same contents are the same version: publishing them again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection
from dataclasses import asdict
from datetime import date
from pathlib import Path

from pipelines.publishing.rows import uncollected, write_rows
from pipelines.publishing.versions import VERSIONS, publish_version
from pipelines.review import contents
from pipelines.review.evidence import gather_cases, gather_summary
from pipelines.review.forgotten import without
from pipelines.review.page import render_page
from pipelines.review.published import NoReportError, last_night, read_report
from pipelines.review.workbook import write_corrections, write_workbook
from pipelines.settings import Settings
from pipelines.turns import my_turn
from pipelines.warehouse import open_warehouse

__all__ = ["NoReportError", "last_night", "publish_report", "read_report", "rebuild_report"]

log = logging.getLogger(__name__)

_FILES = (
    "run.json",
    "candidates.parquet",
    "clusters.parquet",
    "references.json",
    "index.html",
    "candidates.xlsx",
    "corrections",
)


def publish_report(settings: Settings, day: date) -> Path:
    """Gather the night's report from the warehouse and publish it; gives the folder of the day.

    Raises NoReportError when no night has run in this home.
    """
    with uncollected(), my_turn(settings.reports):
        return _publish(settings, _gathered(settings, day))


def rebuild_report(settings: Settings, day: date) -> Path:
    """Write the report of a past night again, from what was published that night.

    Raises NoReportError when that night published none.
    """
    with uncollected(), my_turn(settings.reports):
        return _publish(settings, read_report(settings, day))


def publish_without(settings: Settings, day: date, client_refs: Collection[str]) -> contents.Report:
    """Publish the report of a past night again without the cases of these client records; gives it.

    Raises NoReportError when that night published none that this version can read.
    """
    with uncollected(), my_turn(settings.reports):
        report = without(read_report(settings, day), client_refs)
        _publish(settings, report)
    return report


def _gathered(settings: Settings, day: date) -> contents.Report:
    """The night's report; without its cases when it is published already."""
    with open_warehouse(settings) as warehouse:
        if not warehouse.exists("staged.clients"):
            raise NoReportError("No night has run in this home yet. Run: oneclient nightly", code="R1")
        summary = gather_summary(settings, warehouse, day)
        return summary if _is_whole(_folder(settings, summary)) else gather_cases(warehouse, summary)


def _publish(settings: Settings, report: contents.Report) -> Path:
    day = report.run.day.isoformat()
    mask, most = settings.report.mask, settings.report.candidates_on_page

    def write(folder: Path) -> None:
        (folder / "run.json").write_text(_run_json(report) + "\n", encoding="utf-8")
        write_rows(contents.Candidate, report.candidates, folder / "candidates.parquet")
        write_rows(contents.Cluster, report.clusters, folder / "clusters.parquet")
        (folder / "references.json").write_text(_references_json(report) + "\n", encoding="utf-8")
        (folder / "index.html").write_text(render_page(report, most=most, mask=mask), encoding="utf-8")
        write_workbook(report, folder / "candidates.xlsx", mask=mask)
        write_corrections(report, folder / "corrections", mask=mask)
        log.info("published the report of %s, %d candidates", day, len(report.candidates))

    return publish_version(settings.reports / day, _folder(settings, report).name, _FILES, write)


def _folder(settings: Settings, report: contents.Report) -> Path:
    """Where this version of the night's report stands; it follows from the summary alone (``run.evidence_hash``)."""
    shown = json.dumps([_run_json(report), _references_json(report), settings.report.model_dump()], sort_keys=True)
    version = hashlib.sha256(shown.encode()).hexdigest()[:12]
    return settings.reports / VERSIONS / f"{report.run.day.isoformat()}-{version}"


def _is_whole(folder: Path) -> bool:
    return all((folder / name).exists() for name in _FILES)


def _run_json(report: contents.Report) -> str:
    return json.dumps(asdict(report.run), default=str, indent=2, sort_keys=True, ensure_ascii=False)


def _references_json(report: contents.Report) -> str:
    said = {"misses": list(map(vars, report.misses)), "confusions": list(map(vars, report.confusions))}
    return json.dumps(said, ensure_ascii=False)
