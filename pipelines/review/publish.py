"""Publish a night's report under ``HOME/reports/YYYY-MM-DD/``, all of it at once.

Each version of a report is a folder of its own; the day's name is a link that is swung over in one step, so a reader
never sees half a report, and the same contents are the same version: publishing them again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import asdict
from datetime import date
from pathlib import Path

from pipelines.review import contents
from pipelines.review.evidence import gather_cases, gather_summary
from pipelines.review.page import render_page
from pipelines.review.published import NoReportError, last_night, read_report
from pipelines.review.workbook import write_corrections, write_workbook
from pipelines.rows import uncollected, write_rows
from pipelines.settings import Settings
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
    with uncollected():
        return _publish(settings, _gathered(settings, day))


def rebuild_report(settings: Settings, day: date) -> Path:
    """Write the report of a past night again, from what was published that night.

    Raises NoReportError when that night published none.
    """
    with uncollected():
        return _publish(settings, read_report(settings, day))


def _gathered(settings: Settings, day: date) -> contents.Report:
    """The night's report; without its cases when it is published already."""
    with open_warehouse(settings) as warehouse:
        if not warehouse.exists("staged.clients"):
            raise NoReportError("No night has run in this home yet. Run: oneclient nightly")
        summary = gather_summary(settings, warehouse, day)
        return summary if _is_whole(_folder(settings, summary)) else gather_cases(warehouse, summary)


def _publish(settings: Settings, report: contents.Report) -> Path:
    day = report.run.day.isoformat()
    folder = _folder(settings, report)
    if not _is_whole(folder):
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / "run.json").write_text(_run_json(report) + "\n", encoding="utf-8")
        write_rows(contents.Candidate, report.candidates, partial / "candidates.parquet")
        write_rows(contents.Cluster, report.clusters, partial / "clusters.parquet")
        (partial / "references.json").write_text(_references_json(report) + "\n", encoding="utf-8")
        mask, most = settings.report.mask, settings.report.candidates_on_page
        (partial / "index.html").write_text(render_page(report, most=most, mask=mask), encoding="utf-8")
        write_workbook(report, partial / "candidates.xlsx", mask=mask)
        write_corrections(report, partial / "corrections", mask=mask)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
        log.info("published the report of %s, %d candidates", day, len(report.candidates))
    link = settings.reports / day
    swing = settings.reports / f".{day}.link"
    swing.unlink(missing_ok=True)
    swing.symlink_to(Path(".versions") / folder.name, target_is_directory=True)
    swing.replace(link)
    return link


def _folder(settings: Settings, report: contents.Report) -> Path:
    """Where this version of the night's report stands; it follows from the summary alone (``run.evidence_hash``)."""
    shown = json.dumps([_run_json(report), _references_json(report), settings.report.model_dump()], sort_keys=True)
    version = hashlib.sha256(shown.encode()).hexdigest()[:12]
    return settings.reports / ".versions" / f"{report.run.day.isoformat()}-{version}"


def _is_whole(folder: Path) -> bool:
    return all((folder / name).exists() for name in _FILES)


def _run_json(report: contents.Report) -> str:
    return json.dumps(asdict(report.run), default=str, indent=2, sort_keys=True, ensure_ascii=False)


def _references_json(report: contents.Report) -> str:
    said = {"misses": list(map(vars, report.misses)), "confusions": list(map(vars, report.confusions))}
    return json.dumps(said, ensure_ascii=False)
