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
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.review import contents
from pipelines.review.evidence import gather_report
from pipelines.review.page import render_page
from pipelines.review.workbook import write_corrections, write_workbook
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse

log = logging.getLogger(__name__)

_FILES = ("run.json", "candidates.parquet", "references.json", "index.html", "candidates.xlsx", "corrections")


class NoReportError(Exception):
    """There is no report of that night to rebuild."""


def publish_report(settings: Settings, day: date) -> Path:
    """Gather the night's report from the warehouse and publish it; gives the folder of the day.

    Raises NoReportError when no night has run in this home.
    """
    with open_warehouse(settings) as warehouse:
        if not warehouse.exists("staged.clients"):
            raise NoReportError("No night has run in this home yet. Run: oneclient nightly")
        report = gather_report(settings, warehouse, day)
    return _publish(settings, report)


def rebuild_report(settings: Settings, day: date) -> Path:
    """Write the report of a past night again, from what was published that night.

    Raises NoReportError when that night published none.
    """
    return _publish(settings, read_report(settings, day))


def read_report(settings: Settings, day: date) -> contents.Report:
    """What the night of ``day`` published. Raises NoReportError when there is none."""
    folder = settings.reports / day.isoformat()
    if not (folder / "run.json").exists():
        nights = sorted(p.name for p in settings.reports.glob("????-??-??")) if settings.reports.exists() else []
        known = f"Nights with a report: {', '.join(nights)}." if nights else "No night has published one yet."
        raise NoReportError(f"There is no report of {day.isoformat()}. {known}")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    references = json.loads((folder / "references.json").read_text(encoding="utf-8"))
    return contents.Report(
        _run(run),
        tuple(map(_candidate, pq.read_table(folder / "candidates.parquet").to_pylist())),
        tuple(contents.Miss(**miss) for miss in references["misses"]),
        tuple(contents.Confusion(**confusion) for confusion in references["confusions"]),
    )


def last_night(settings: Settings) -> date | None:
    """The latest night that published a report."""
    nights = sorted(p.name for p in settings.reports.glob("????-??-??")) if settings.reports.exists() else []
    return date.fromisoformat(nights[-1]) if nights else None


def _publish(settings: Settings, report: contents.Report) -> Path:
    day = report.run.day.isoformat()
    rows = [asdict(candidate) for candidate in report.candidates]
    run = json.dumps(asdict(report.run), default=str, indent=2, sort_keys=True, ensure_ascii=False)
    references = json.dumps(
        {"misses": [asdict(miss) for miss in report.misses], "confusions": [asdict(c) for c in report.confusions]},
        indent=2,
        ensure_ascii=False,
    )
    shown = json.dumps([run, rows, references, settings.report.model_dump()], default=str, sort_keys=True)
    version = hashlib.sha256(shown.encode()).hexdigest()[:12]
    folder = settings.reports / ".versions" / f"{day}-{version}"
    if not all((folder / name).exists() for name in _FILES):
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / "run.json").write_text(run + "\n", encoding="utf-8")
        pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), partial / "candidates.parquet")
        (partial / "references.json").write_text(references + "\n", encoding="utf-8")
        mask, most = settings.report.mask, settings.report.candidates_on_page
        (partial / "index.html").write_text(render_page(report, most=most, mask=mask), encoding="utf-8")
        write_workbook(report, partial / "candidates.xlsx", mask=mask)
        write_corrections(report, partial / "corrections", mask=mask)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    link = settings.reports / day
    swing = settings.reports / f".{day}.link"
    swing.unlink(missing_ok=True)
    swing.symlink_to(Path(".versions") / folder.name, target_is_directory=True)
    swing.replace(link)
    log.info("published the report of %s, %d candidates", day, len(rows))
    return link


_SIDE = pa.struct(
    [
        ("client_ref", pa.string()),
        ("made_how", pa.string()),
        ("made_on", pa.date32()),
        ("active_orders", pa.int64()),
        ("upcoming_visits", pa.int64()),
        ("past_visits", pa.int64()),
        ("enrolments", pa.int64()),
        ("references", pa.list_(pa.string())),
    ]
)
_COMPARISON = pa.struct(
    [
        ("field", pa.string()),
        ("left", pa.string()),
        ("right", pa.string()),
        ("agreement", pa.string()),
        ("words", pa.string()),
        ("weight", pa.float64()),
    ]
)
_SCHEMA = pa.schema(
    [
        ("candidate_id", pa.string()),
        ("cluster_id", pa.string()),
        ("tier", pa.string()),
        ("match_probability", pa.float64()),
        ("weight", pa.float64()),
        ("relation", pa.string()),
        ("left", _SIDE),
        ("right", _SIDE),
        ("comparisons", pa.list_(_COMPARISON)),
    ]
)


def _run(run: dict[str, Any]) -> contents.Run:
    return contents.Run(
        **{
            **run,
            "day": date.fromisoformat(run["day"]),
            "files": tuple(contents.FileLine(**line) for line in run["files"]),
            "rejects": tuple(contents.Reject(**{**line, "rows": tuple(line["rows"])}) for line in run["rejects"]),
            "gates": tuple(contents.GateLine(**line) for line in run["gates"]),
        }
    )


def _candidate(row: dict[str, Any]) -> contents.Candidate:
    return contents.Candidate(
        **{
            **row,
            "left": contents.Side(**{**row["left"], "references": tuple(row["left"]["references"])}),
            "right": contents.Side(**{**row["right"], "references": tuple(row["right"]["references"])}),
            "comparisons": tuple(contents.Comparison(**line) for line in row["comparisons"]),
        }
    )
