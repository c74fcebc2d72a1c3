"""Let go what is older than the settings keep it. What was counted stays counted: the line of every file in
``raw.files`` with its hash and counts, and the place of every rejected row.

The warehouse lets go first, and a file is deleted only because of what it says; so a killed process does no harm, and
the next night lets go the rest.
"""

from __future__ import annotations

import calendar
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.feeds import FEEDS
from pipelines.ingest.originals import kept
from pipelines.publishing.versions import VERSIONS
from pipelines.review.desk.access_log import FOLDER
from pipelines.settings import Settings
from pipelines.turns import my_turn
from pipelines.warehouse import Warehouse, open_warehouse, rewrite_warehouse

log = logging.getLogger(__name__)


@dataclass
class Retired:
    """What was let go: loaded files with their rows, reports, refused files and months of the access log."""

    files: int = 0
    rows: int = 0
    originals: int = 0
    reports: int = 0
    quarantined: int = 0
    access_logs: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON and XCom: counts only."""
        return asdict(self)


def retire(settings: Settings, day: date | None = None, *, dry_run: bool = False) -> Retired:
    """Let go what is too old on ``day`` (default: the last night), or with ``dry_run`` only count it."""
    limits, gone = settings.retention, Retired()
    if limits.raw_days is not None:
        with my_turn(settings.archive):
            _retire_rows(settings, day, gone, dry_run)
    day = day or datetime.now(ZoneInfo(settings.timezone)).date()
    if limits.report_days is not None and settings.reports.exists():
        with my_turn(settings.reports):
            gone.reports = _retire_reports(settings, day - timedelta(days=limits.report_days), dry_run)
    if limits.quarantine_days is not None:
        notes = list(_old_notes(settings, day - timedelta(days=limits.quarantine_days)))
        gone.quarantined = _delete(iter(notes), _delete_with_its_file, dry_run)
    if limits.access_log_days is not None:
        old = _old_months(settings.home / FOLDER, day - timedelta(days=limits.access_log_days))
        gone.access_logs = _delete(old, Path.unlink, dry_run)
    log.info("let go %d files with %d rows, %d reports", gone.files, gone.rows, gone.reports)
    return gone


def _retire_rows(settings: Settings, day: date | None, gone: Retired, dry_run: bool) -> None:
    with open_warehouse(settings) as warehouse:
        if not warehouse.exists("raw.files"):
            return
        last = day or warehouse.one("select coalesce(max(taken_on), date '1900-01-01') from staged.taken_files")
        before = last - timedelta(days=settings.retention.raw_days or 0)
        gone.files = warehouse.work("retiring", "raw.retiring", {"before": before})
        gone.rows = sum(
            warehouse.one(f"select count(*) from raw.{feed} semi join retiring using (file_id)") for feed in FEEDS
        )
        if gone.files and not dry_run:
            with warehouse.transaction():
                _let_go(warehouse, last)
    originals = list(_originals(settings))
    gone.originals = len(originals) + (gone.files if dry_run else 0)
    if originals and not dry_run:  # they go last: while there are any, the warehouse may not have been written anew
        rewrite_warehouse(settings)
        for path in originals:
            path.unlink()


def _let_go(warehouse: Warehouse, day: date) -> None:
    warehouse.work("first_rows", "raw.first_rows")
    warehouse.append("raw.first_rows", "first_rows")
    for feed in FEEDS:
        warehouse.execute(f"delete from raw.{feed} where file_id in (select file_id from retiring)")
    for table, cell in (("rejected_rows", "row_as_sent"), ("unread_values", "value_as_sent")):
        warehouse.execute(f"update raw.{table} set {cell} = null where file_id in (select file_id from retiring)")
    warehouse.execute("insert into raw.retired_files select file_id, $day from retiring", {"day": day})


def _originals(settings: Settings) -> Iterator[Path]:
    """The originals, still there, of files that the warehouse has let go."""
    with open_warehouse(settings) as warehouse:
        retired = warehouse.rows(
            "select f.feed, f.source, f.content_hash from raw.files as f"
            " semi join raw.retired_files as r using (file_id) order by all"
        ) if warehouse.exists("raw.files") else []  # fmt: skip
    yield from (path for one in retired if (path := kept(settings, *one)))


def _retire_reports(settings: Settings, before: date, dry_run: bool) -> int:
    """Delete the reports of nights before a day but for the newest, and versions to which no link leads any more."""
    links = sorted(settings.reports.glob("????-??-??"))
    old = [link for link in links[: -settings.retention.reports_kept] if date.fromisoformat(link.name) < before]
    if not dry_run:
        for link in old:
            link.unlink()
        stay = {link.readlink().name for link in links if link not in old}
        for folder in (settings.reports / VERSIONS).iterdir():
            if folder.name not in stay and folder.name[:10] < before.isoformat():
                shutil.rmtree(folder)
    return len(old)


def _old_notes(settings: Settings, before: date) -> Iterator[Path]:
    for note in sorted(settings.quarantine.glob("*.reason.json")):
        if date.fromisoformat(json.loads(note.read_text(encoding="utf-8"))["night"]) < before:
            yield note


def _delete_with_its_file(note: Path) -> None:
    """The note goes last, so that what a killed process left is found again."""
    for path in note.parent.glob(f"{note.name.removesuffix('.reason.json')}.*"):
        if path != note:
            path.unlink()
    note.unlink()


def _old_months(folder: Path, before: date) -> Iterator[Path]:
    for file in sorted(folder.glob("????-??.jsonl")):
        year, month = map(int, file.stem.split("-"))
        if date(year, month, calendar.monthrange(year, month)[1]) < before:
            yield file


def _delete(paths: Iterator[Path], delete: Callable[[Path], None], dry_run: bool) -> int:
    found = list(paths)
    if not dry_run:
        for path in found:
            delete(path)
    return len(found)
