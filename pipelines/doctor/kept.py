"""What a home keeps in files, held against its warehouse and its decision log: the archive, and what is published."""

from __future__ import annotations

from datetime import date

from pipelines.decisions.store import DecisionStore
from pipelines.doctor.finding import Finding
from pipelines.ingest.originals import compare_archive
from pipelines.merge.events import feed_problem
from pipelines.merge.publish import contents_now, publication_problem
from pipelines.quality import TableGateError
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

_SHOWN = 3


def examine(settings: Settings, warehouse: Warehouse, store: DecisionStore) -> list[Finding]:
    """Every check of kept files; the published ones once a nightly run has come to its end."""
    last: date | None = warehouse.one("select max(night) from reviewed.figures")
    published = [_report(settings, last), _published(settings, warehouse, store)] if last else []
    return [*_archive(settings, warehouse), *published]


def _archive(settings: Settings, warehouse: Warehouse) -> list[Finding]:
    archive = compare_archive(settings, warehouse)
    wrong = [*archive.missing, *archive.changed]
    return [
        Finding(
            "archive", not wrong,
            f"of {archive.known} originals {len(archive.missing)} are missing, {len(archive.changed)} are not as they "
            f"were loaded{_named(wrong)}",
            "Restore archive/ from its last backup, and find out who changed it. The register itself is whole.",
        ),
        Finding(
            "warehouse is newest", not archive.unknown,
            f"{len(archive.unknown)} files in archive/ are not in the ledger of the warehouse{_named(archive.unknown)}",
            "If they still lie in the inbox, run: oneclient nightly. If not, the warehouse is older than its archive: "
            "restore it from the newest backup, or copy these files into the inbox and run oneclient nightly.",
        ),
    ]  # fmt: skip


def _report(settings: Settings, last: date) -> Finding:
    is_there = (settings.reports / last.isoformat() / "run.json").exists()
    found = f"the report of {last} is {'there' if is_there else 'missing'}"
    return Finding("reports", is_there, found, f"Run: oneclient nightly --day {last}")


def _published(settings: Settings, warehouse: Warehouse, store: DecisionStore) -> Finding:
    try:
        contents = contents_now(settings, warehouse, store)
        problem = publication_problem(settings, contents) or feed_problem(settings, warehouse, store)
    except TableGateError as error:
        return Finding("published", False, str(error), "Then run doctor again.")
    return Finding(
        "published", not problem, problem or f"published/ describes {contents.as_of}, complete and unchanged",
        "Delete what was changed in HOME/published, then run: oneclient nightly",
    )  # fmt: skip


def _named(names: list[str] | tuple[str, ...]) -> str:
    return f": {', '.join(names[:_SHOWN])}{' …' if len(names) > _SHOWN else ''}" if names else ""
