"""Publish what follows from the merges (``HOME/published/current/``), and plans, to be read before anybody signs them
off (``HOME/published/plans/<hash>/``): all of it at once, and with ``report.mask`` fit to leave the building.

Programs read the Parquet files; what is for people is CSV, and the worklist a workbook too.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import __version__
from pipelines.decisions.store import open_decisions
from pipelines.merge.finding import Finding
from pipelines.merge.masks import masked_rows
from pipelines.merge.plan import Plan
from pipelines.merge.plan_told import Told, plan_lines, plan_page, read_told, tell
from pipelines.merge.status import status_of
from pipelines.publishing.rows import schema_of
from pipelines.publishing.spreadsheet import csv_of, write_sheet
from pipelines.publishing.versions import publish_version
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
    "references_to_carry": 26, "former_references": 22, "to_choose": 40, "done_by": 14, "done_on": 14,
}  # fmt: skip


def publish_merges(settings: Settings) -> Path:
    """Publish who counts for whom, the live records, what staff and support have to do, and that nothing is lost.

    Raises TableGateError when one of them fails its suite; what was published before stands then. NoRegisterError
    before the first night.
    """
    with my_turn(settings.published):
        return _publish(settings)


def _publish(settings: Settings) -> Path:
    with open_warehouse(settings) as warehouse:
        require_register(warehouse)
        day = _gather(settings, warehouse)
        _pass_gates(warehouse)
        tables = {name: _table(warehouse, f"from {name}") for name in _TABLES}
        tables |= _where_they_stand(settings, warehouse)
    if settings.report.mask:
        tables = {name: masked_rows(table) for name, table in tables.items()}
    said = {name: csv_of(table) for name, table in tables.items()}

    def write(folder: Path) -> None:
        for name, text in said.items():
            (folder / f"{name}.csv").write_bytes(text)
        for name in _PARQUET:
            pq.write_table(tables[name], folder / f"{name}.parquet", compression="zstd")
        write_sheet(
            tables["worklist"], folder / "worklist.xlsx", title="Worklist", made_on=day, widths=_WIDTHS,
            blanks=("done_by", "done_on"),
        )  # fmt: skip
        log.info("published %d merged-away records", tables["crosswalk"].num_rows)

    return publish_version(settings.published / "current", _version(said.values()), FILES, write)


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


def _gather(settings: Settings, warehouse: Warehouse) -> date:
    """A temporary table for each that is published, and for what they are made of; gives the night that they tell."""
    day: date = warehouse.one("select coalesce(max(taken_on), date '1900-01-01') from staged.taken_files")
    bounds = {"day": day, "timezone": settings.timezone}
    warehouse.work("involved", "merged.everybody")
    warehouse.work("profiles", "matched.profiles")
    warehouse.work("sides", "matched.sides", bounds)
    warehouse.work("merged_away", "merged.merged_away")
    for name in _TABLES:
        warehouse.work(name, _SQL.get(name, f"merged.{name}"), bounds)
    return day


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


def _where_they_stand(settings: Settings, warehouse: Warehouse) -> dict[str, pa.Table]:
    """What the watch finds, and how far each merge has come."""
    with open_decisions(settings) as store:
        status = status_of(settings, warehouse, store.entries())
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
