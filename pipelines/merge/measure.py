"""How much a plan would move: rows by kind and partition, merge by merge, before and after; counted, not guessed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from pipelines.decisions.signoff import SignedPlan
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

KINDS = ("visits", "purchase_orders", "enrolments", "contacts", "aliases", "references", "source_records")
Rows = dict[str, int]


@dataclass(frozen=True)
class Change:
    """How many visits, purchase order lines and enrolments count for one record before and after."""

    client_ref: str
    before: Rows
    after: Rows


@dataclass(frozen=True)
class PartitionRows:
    """How many visits one partition moves, and their planned minutes. ``from_on`` None: what is not of the past."""

    from_on: date | None
    rows: int
    minutes: int


@dataclass
class Measured:
    """What one merge moves and leaves by kind, the minutes and pence a week of it, and what becomes of each record."""

    moves: Rows = field(default_factory=dict)
    left: Rows = field(default_factory=dict)
    minutes: int = 0
    weekly_pence: int = 0
    changes: tuple[Change, ...] = ()


def measure(
    settings: Settings, warehouse: Warehouse, plan: SignedPlan, target: Mapping[str, Mapping[str, str | None]]
) -> tuple[dict[str, Measured], tuple[PartitionRows, ...]]:
    """What each merge would move, by its id, and what each partition would.

    ``target`` says for each merge (or undo) for whom each of its records is to count; None: as it does now.
    """
    show_moving(warehouse, target)
    bounds = {
        "as_of": plan.as_of, "from_on": plan.from_on, "to_on": plan.to_on, "partition": settings.merge.partition,
    }  # fmt: skip
    warehouse.work("moves", "merged.moves", bounds)
    warehouse.work("counting", "merged.counting")
    named = dict(
        warehouse.rows(
            "select client_id, client_ref from staged.client_ids where client_id in"
            " (select unnest([from_id, into_id]) from moves union select client_id from counting)"
        )
    )
    found: dict[str, Measured] = defaultdict(Measured)
    shifts: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    rows = warehouse.rows(
        "select merge_id, kind, from_id, into_id, in_range, sum(rows)::bigint, sum(minutes)::bigint, sum(pence)::bigint"
        " from moves group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5"
    )
    for merge_id, kind, from_id, into_id, in_range, count, minutes, pence in rows:
        one = found[merge_id]
        tally = one.moves if in_range else one.left
        tally[kind] = tally.get(kind, 0) + count
        if in_range:
            one.minutes, one.weekly_pence = one.minutes + minutes, one.weekly_pence + pence
            shifts[merge_id][kind, named[from_id]] -= count
            shifts[merge_id][kind, named[into_id]] += count
    for merge_id, before in _counting(warehouse, named).items():
        found[merge_id].changes = tuple(_changes(before, shifts[merge_id]))
    partitions = warehouse.rows(
        "select from_on, sum(rows)::bigint, sum(minutes)::bigint from moves where kind = 'visits' and in_range"
        " group by 1 order by 1 nulls last"
    )
    return dict(found), tuple(PartitionRows(*partition) for partition in partitions)


def show_moving(warehouse: Warehouse, target: Mapping[str, Mapping[str, str | None]]) -> None:
    """Temporary table ``moving``: for whom each record of each merge is to count; null: as it does now."""
    rows = [(merge_id, ref, into) for merge_id, refs in target.items() for ref, into in refs.items()]
    frame = pd.DataFrame(rows, columns=["merge_id", "client_ref", "target_ref"], dtype="str")
    with warehouse.relation("targets", frame):
        warehouse.execute(
            "create or replace temp table moving as"
            " select t.merge_id, one.client_id, target.client_id as target_id from targets as t"
            " join staged.client_ids as one using (client_ref)"
            " left join staged.client_ids as target on target.client_ref = t.target_ref"
        )


def _counting(warehouse: Warehouse, named: Mapping[int, str]) -> dict[str, dict[str, Rows]]:
    found: dict[str, dict[str, Rows]] = defaultdict(dict)
    for merge_id, kind, client_id, rows in warehouse.rows("select merge_id, kind, client_id, rows from counting"):
        found[merge_id].setdefault(named[client_id], {})[kind] = rows
    return found


def _changes(before: Mapping[str, Rows], shift: Counter[tuple[str, str]]) -> Iterable[Change]:
    refs = sorted({*before, *(ref for _, ref in shift)})
    for ref in refs:
        was = {kind: before.get(ref, {}).get(kind, 0) for kind in ("visits", "purchase_orders", "enrolments")}
        yield Change(ref, was, {kind: count + shift[kind, ref] for kind, count in was.items()})
