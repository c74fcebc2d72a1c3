"""One partition of one signed-off plan: rows are brought up to date with the crosswalk, and the ledger says so, in one
transaction. Merging, running again, resuming and undoing are this one statement."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pipelines.decisions.entry import Entry
from pipelines.decisions.signoff import SignedPlan
from pipelines.merge import MergeError
from pipelines.merge.policy import POLICY
from pipelines.warehouse import Warehouse

CURRENT = "current"
_VISITS = "staged.visits"
_CLIENTS = "staged.clients"
_STEP = {"week": "7 days", "month": "1 month", "quarter": "3 months", "year": "1 year"}
_NO_ROWS = {"staged.client_ids"}  # says which records were ever made; nothing in it counts for anybody


class ConservationError(MergeError):
    """Rows were lost, made or changed while they moved; nothing of the partition was kept."""

    code = "M6"


@dataclass(frozen=True)
class Partition:
    """The visits of the past from ``from_on`` until before ``to_on``; without both: all that is of today or to come."""

    from_on: date | None = None
    to_on: date | None = None

    @property
    def name(self) -> str:
        """The first day, or ``current``."""
        return self.from_on.isoformat() if self.from_on else CURRENT


@dataclass(frozen=True)
class Moved:
    """What one partition moved, by table, with the planned minutes of the visits and the pence a week of the orders."""

    partition: Partition
    rows: Mapping[str, int]
    visit_minutes: int = 0
    order_pence: int = 0

    @property
    def all_rows(self) -> int:
        """Rows of all kinds."""
        return sum(self.rows.values())


def partitions_to_do(warehouse: Warehouse, plan: SignedPlan, partition: str) -> list[Partition]:
    """The partitions within the plan's range that hold rows which do not count yet for whom they should (``touched``).

    ``partition`` is the unit of ``merge.partition`` in the settings.
    """
    rows = warehouse.work_rows(
        "merged.partitions",
        {
            "as_of": plan.as_of,
            "from_on": plan.from_on,
            "to_on": plan.to_on,
            "partition": partition,
            "step": _STEP[partition],
        },
    )
    return [Partition(from_on, to_on) for from_on, to_on, _ in rows]


def bring_up_to_date(warehouse: Warehouse, partition: Partition, plan: SignedPlan) -> tuple[Moved, str, str]:
    """Let the partition's rows of the records in ``touched`` count for whom they should; gives what moved and the
    checksums of before and after. Within the caller's transaction.

    Raises ConservationError when anything but whom a row counts for has changed.
    """
    tables = _tables(partition)
    queries = {table: _Query(table, partition, plan) for table in tables}
    before = {table: queries[table].kept(warehouse) for table in tables}
    moved: dict[str, int] = {}
    minutes = pence = 0
    for table in tables:
        count, minutes_of, pence_of = queries[table].amount(warehouse)
        moved[table.removeprefix("staged.")] = count
        minutes, pence = minutes + minutes_of, pence + pence_of
        if count:
            queries[table].move(warehouse)
    after = {table: queries[table].kept(warehouse) for table in tables} if any(moved.values()) else before
    if wrong := [table for table in tables if before[table] != after[table]]:
        raise ConservationError(
            f"Partition {partition.name}: {', '.join(wrong)} is not what it was but for whom its rows count. Nothing "
            "of the partition was kept. This is a fault of the program: keep the home as it is and report it."
        )
    return Moved(partition, moved, minutes, pence), _checksum(before), _checksum(after)


class _Query:
    """What is asked of one table within one partition, of the records in ``touched`` alone."""

    def __init__(self, table: str, partition: Partition, plan: SignedPlan) -> None:
        self.table = table
        self.key, self.counts_for = (
            ("client_id", "survivor_id") if table == _CLIENTS else ("origin_client_id", "client_id")
        )
        self.within, self.bounds = "true", {}
        if table == _VISITS:
            if partition.from_on:
                self.within = "r.visit_on >= $from_on and r.visit_on < $to_on"
                self.bounds = {"from_on": partition.from_on, "to_on": partition.to_on}
            else:
                self.within, self.bounds = "(r.visit_on is null or r.visit_on > $as_of)", {"as_of": plan.as_of}

    def kept(self, warehouse: Warehouse) -> tuple[int, str]:
        """What must be the same before and after: how many rows, and a sum over what they hold and came for."""
        row = (
            "hash(r.issuer, r.visit_id, r.origin_client_id, r.visit_on, r.planned_minutes, r.actual_minutes)"
            if self.table == _VISITS
            else "hash(r)"
        )
        rows = self.table if self.table == _VISITS else f"(select * exclude ({self.counts_for}) from {self.table})"
        count, total = warehouse.rows(
            f"select count(*), sum({row}) from {rows} as r join touched as t on t.client_id = r.{self.key}"
            f" where {self.within}",
            self.bounds,
        )[0]
        return int(count), str(total or 0)

    def amount(self, warehouse: Warehouse) -> tuple[int, int, int]:
        """Rows to move, their planned minutes (visits), their pence a week (orders)."""
        minutes = "sum(r.planned_minutes)" if self.table == _VISITS else "0"
        pence = "sum(weekly_pence(r.rate, r.weekly_units))" if self.table == "staged.purchase_orders" else "0"
        count, minutes_of, pence_of = warehouse.rows(
            f"select count(*), {minutes}, {pence} from {self.table} as r join touched as t"
            f" on t.client_id = r.{self.key} where r.{self.counts_for} <> t.target_id and {self.within}",
            self.bounds,
        )[0]
        return int(count), int(minutes_of or 0), int(pence_of or 0)

    def move(self, warehouse: Warehouse) -> None:
        """Let them count for whom they should."""
        warehouse.execute(
            f"update {self.table} as r set {self.counts_for} = t.target_id from touched as t"
            f" where t.client_id = r.{self.key} and r.{self.counts_for} <> t.target_id and {self.within}",
            self.bounds,
        )


def write_ledger(warehouse: Warehouse, moved: Moved, checksums: tuple[str, str], entry: Entry, run: str) -> None:
    """One line for a partition that moved something, or that has none yet. Within the same transaction."""
    key = {"signed_in": entry.sequence_number, "name": moved.partition.name}
    if not moved.all_rows and warehouse.rows(
        "select 1 from merged.ledger where signed_in = $signed_in and partition_name = $name", key
    ):
        return
    line: dict[str, Any] = {
        "signed_in": entry.sequence_number,
        "plan_hash": entry.plan_hash,
        "partition_name": moved.partition.name,
        "from_on": moved.partition.from_on,
        "to_on": moved.partition.to_on,
        **{kind: moved.rows.get(kind, 0) for kind in LEDGER_KINDS},
        "visit_minutes": moved.visit_minutes,
        "order_pence": moved.order_pence,
        "checksum_before": checksums[0],
        "checksum_after": checksums[1],
        "signed_by": entry.who,
        "applied_in_run": run,
        "applied_at": datetime.now(UTC),
    }
    columns = ", ".join(f'"{name}"' for name in line)
    values = ", ".join(f"${name}" for name in line)
    warehouse.execute(f"insert into merged.ledger ({columns}) values ({values})", line)


def _tables(partition: Partition) -> list[str]:
    """Those of the policy that the partition holds rows of: visits alone, or for what is current all of them."""
    if partition.from_on:
        return [_VISITS]
    return [table for policy in POLICY for table in policy.tables if table not in _NO_ROWS]


LEDGER_KINDS = tuple(table.removeprefix("staged.") for table in _tables(Partition()))


def _checksum(kept: Mapping[str, tuple[int, str]]) -> str:
    """One text for what all tables hold."""
    return hashlib.sha256(repr(sorted(kept.items())).encode()).hexdigest()[:16]
