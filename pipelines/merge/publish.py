"""Publish what follows from the merges (``HOME/published/current/``), and plans, to be read before anybody signs them
off (``HOME/published/plans/<hash>/``): all of it at once, and with ``report.mask`` fit to leave the building.

Programs read the Parquet files; what is for people is CSV, and the worklist a workbook too. Every table has a column
``as_of``, the day that it describes; ``contents.json`` gives that day, and the rows and the SHA-256 of each file.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import __version__
from pipelines.decisions.store import DecisionStore, open_decisions
from pipelines.merge.events import publish_events
from pipelines.merge.finding import Finding
from pipelines.merge.masks import masked_rows
from pipelines.merge.plan import Plan
from pipelines.merge.plan_told import Told, plan_lines, plan_page, read_told, tell
from pipelines.merge.status import status_of
from pipelines.publishing.rows import schema_of
from pipelines.publishing.spreadsheet import csv_of, write_sheet
from pipelines.publishing.versions import VERSIONS, publish_version
from pipelines.quality import TableGateError, check, suite_columns
from pipelines.settings import Settings
from pipelines.stage.register import require_register
from pipelines.turns import my_turn
from pipelines.warehouse import Warehouse, open_warehouse

log = logging.getLogger(__name__)

FILES = (
    "crosswalk.csv",
    "crosswalk.parquet",
    "golden_clients.csv",
    "golden_clients.parquet",
    "worklist.csv",
    "worklist.xlsx",
    "support_cases.csv",
    "reconciliation.csv",
    "watch.csv",
    "merges.csv",
    "contents.json",
)
PLAN_ID = re.compile(r"[0-9a-f]{12}")
PLAN_FILES = ("plan.html", "plan.csv", "plan.json")

_STATE = pa.schema({"merge_id": pa.string(), "state": pa.string(), "visits_left": pa.int64()})
_TABLES = ("crosswalk", "golden_clients", "support_cases", "worklist", "reconciliation")
_SQL = {"crosswalk": "merged.published_crosswalk"}
_CHECKED = {
    "golden_clients": "select *, client_ref not in (select client_ref from merged_away) as is_live from golden_clients",
    "worklist": "select *, from_ref <> into_ref as are_two from worklist",
    "support_cases": "select * from support_cases",
    "reconciliation": "select * from reconciliation",
}
_PARQUET = ("crosswalk", "golden_clients")
_WIDTHS = {
    "position": 8, "wave": 10, "merge_id": 14, "into_ref": 26, "into_name": 22, "into_numbers": 26, "from_ref": 26,
    "from_name": 22, "from_numbers": 26, "order_check": 34, "orders_to_move": 26, "reference_check": 34,
    "references_to_carry": 26, "former_references": 22, "to_choose": 40, "as_of": 12, "done_by": 14, "done_on": 14,
}  # fmt: skip


@dataclass(frozen=True)
class Contents:
    """The tables that are published, and the day that they describe."""

    as_of: date
    tables: Mapping[str, pa.Table]

    @cached_property
    def csv(self) -> dict[str, bytes]:
        """Each table as CSV, by the name of its file."""
        return {f"{name}.csv": csv_of(table) for name, table in self.tables.items()}


def publish_merges(settings: Settings, day: date | None = None) -> Path:
    """Publish who counts for whom, the live records, what staff and support have to do, and that nothing is lost; then
    the events that are not in the feed yet. ``day`` is the night that has just run; None: as of the last one.

    The same contents are written once. Raises TableGateError when a table fails its suite; what was published before
    stands then. NoRegisterError before the first night.
    """
    with my_turn(settings.published), open_warehouse(settings) as warehouse, open_decisions(settings) as store:
        contents = contents_now(settings, warehouse, store, day)
        before = settings.published / "current"
        kept = {before.resolve().name}
        link = publish_version(before, _version(contents.csv.values()), FILES, lambda folder: _write(contents, folder))
        _delete_versions(settings.published, kept | {link.resolve().name})
        log.info("published %d merged-away records", contents.tables["crosswalk"].num_rows)
        log.info("published %d events", publish_events(settings, warehouse, store))
    return link


def contents_now(settings: Settings, warehouse: Warehouse, store: DecisionStore, day: date | None = None) -> Contents:
    """What is to be published now. It follows from the warehouse, and from the decisions that the last night read."""
    require_register(warehouse)
    as_of = max(filter(None, (day, _last_night(warehouse), published_as_of(settings))))
    _gather(settings, warehouse, as_of)
    _pass_gates(warehouse)
    tables = {name: _table(warehouse, f"from {name}") for name in _TABLES}
    tables |= _statuses(settings, warehouse, store)
    if settings.report.mask:
        tables = {name: masked_rows(table) for name, table in tables.items()}
    return Contents(as_of, {name: _dated(table, as_of) for name, table in tables.items()})


def published_as_of(settings: Settings) -> date | None:
    """The day that ``published/current`` describes; None if that cannot be read."""
    try:
        said = json.loads((settings.published / "current" / "contents.json").read_text(encoding="utf-8"))
        return date.fromisoformat(said["as_of"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def publication_problem(settings: Settings, contents: Contents) -> str:
    """What is wrong with ``published/current``; empty if it is complete, unchanged and says what ``contents`` say."""
    current = settings.published / "current"
    if missing := [name for name in FILES if not (current / name).exists()]:
        return f"published/current lacks {', '.join(missing[:3])}"
    listed = json.loads((current / "contents.json").read_text(encoding="utf-8"))["files"]
    if changed := [name for name, about in listed.items() if about["sha256"] != _hash(current / name)]:
        return f"{', '.join(changed[:3])} in published/current was changed"
    old = [name for name, text in contents.csv.items() if (current / name).read_bytes() != text]
    return f"{', '.join(old[:3])} in published/current is out of date" if old else ""


def _write(contents: Contents, folder: Path) -> None:
    for name, text in contents.csv.items():
        (folder / name).write_bytes(text)
    for name in _PARQUET:
        pq.write_table(contents.tables[name], folder / f"{name}.parquet", compression="zstd")
    write_sheet(
        contents.tables["worklist"], folder / "worklist.xlsx", title="Worklist", made_on=contents.as_of,
        widths=_WIDTHS, blanks=("done_by", "done_on"),
    )  # fmt: skip
    files = {
        name: {"rows": contents.tables[Path(name).stem].num_rows, "sha256": _hash(folder / name)} for name in FILES[:-1]
    }
    said = {"as_of": contents.as_of.isoformat(), "oneclient_version": __version__, "files": files}
    (folder / "contents.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def _delete_versions(published: Path, kept: set[str]) -> None:
    """Delete what was published before the versions that are kept: who reads the last one may finish."""
    for folder in (published / VERSIONS).iterdir():
        if folder.name not in kept:
            shutil.rmtree(folder)


def _hash(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _dated(table: pa.Table, as_of: date) -> pa.Table:
    return table.append_column(pa.field("as_of", pa.date32()), pa.array([as_of] * table.num_rows, pa.date32()))


def publish_plan(settings: Settings, plan: Plan) -> Path:
    """Publish a plan as a page, a table and JSON, to be read by who is to sign it off; gives its folder."""
    with open_warehouse(settings) as warehouse:
        told = tell(warehouse, plan, mask=settings.report.mask)
    told |= {"provider": settings.provider, "masked": settings.report.mask, "oneclient_version": __version__}
    said = json.dumps(told, default=str, indent=2, ensure_ascii=False)

    def write(folder: Path) -> None:
        (folder / "plan.json").write_text(said + "\n", encoding="utf-8")
        (folder / "plan.html").write_text(plan_page(told, most=settings.report.candidates_on_page), encoding="utf-8")
        (folder / "plan.csv").write_bytes(csv_of(plan_lines(told)))

    name = plan.plan_hash[:12]
    version = _version([said.encode(), str(settings.report.candidates_on_page).encode()])
    plans = settings.published / "plans"
    with my_turn(plans):
        return publish_version(plans / name, f"{name}-{version}", PLAN_FILES, write)


def read_plan(settings: Settings, plan_id: str) -> Told | None:
    """A plan that was published, by the first twelve digits of its hash; None if there is none of that id."""
    if not PLAN_ID.fullmatch(plan_id):
        return None
    try:
        return read_told((settings.published / "plans" / plan_id / "plan.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _last_night(warehouse: Warehouse) -> date:
    last: date = warehouse.one(
        "select greatest((select coalesce(max(taken_on), date '1900-01-01') from staged.taken_files),"
        " (select max(night) from reviewed.figures))"
    )
    return last


def _gather(settings: Settings, warehouse: Warehouse, day: date) -> None:
    """A temporary table for each that is published, and for what they are made of."""
    bounds = {"day": day, "timezone": settings.timezone}
    warehouse.work("involved", "merged.everybody")
    warehouse.work("profiles", "matched.profiles")
    warehouse.work("sides", "matched.sides", bounds)
    warehouse.work("merged_away", "merged.merged_away")
    for name in _TABLES:
        warehouse.work(name, _SQL.get(name, f"merged.{name}"), bounds)


def _pass_gates(warehouse: Warehouse) -> None:
    for name, rows in _CHECKED.items():
        table = f"merged.{name}"
        columns = ", ".join(suite_columns(table))
        gate = check(table, warehouse.frame(f"select {columns} from ({rows})"), table)
        if not gate.success:
            raise TableGateError(
                f"{table} failed its checks: {gate.failures()}. Nothing was published; what was before stands. "
                "This is a fault of the program: keep the home as it is and report it."
            )


def _statuses(settings: Settings, warehouse: Warehouse, store: DecisionStore) -> dict[str, pa.Table]:
    """The status of each merge, and what the watch finds, by the decisions that the warehouse has read."""
    last = warehouse.one("select coalesce(max(sequence_number), 0) from reviewed.decisions")
    read = [entry for entry in store.entries() if entry.sequence_number <= last]
    status = status_of(settings, warehouse, read)
    states = [{field.name: getattr(one, field.name) for field in _STATE} for one in status.merges]
    return {
        "watch": pa.Table.from_pylist([asdict(finding) for finding in status.findings], schema_of(Finding)),
        "merges": pa.Table.from_pylist(states, _STATE),
    }


def _table(warehouse: Warehouse, query: str) -> pa.Table:
    return warehouse.connection.sql(query).to_arrow_table()


def _version(said: Iterable[bytes]) -> str:
    """The same contents are the same version."""
    return sha256(b"\0".join((__version__.encode(), *said))).hexdigest()[:12]
