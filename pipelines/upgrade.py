"""A home of an earlier release is brought to this one's schemas: its warehouse first, then its decision store.

Nothing else does that. A change of schema can be taken back by a backup alone, so a person says when; until then every
command but ``backup``, ``restore``, ``fingerprint`` and ``doctor`` refuses the home, and the older oneclient can go on.
Each step is one transaction with the record of it: a process that is killed leaves the old or the new, and the next
``upgrade`` goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.decisions.database import NEWEST_SCHEMA, open_database, pending_of_store, schema_of_store
from pipelines.schema import migrate, newest_schema, pending, schema_of, see_that_it_is_not_newer
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse, open_warehouse

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Step:
    """One schema that a store is brought to: why, and how many rows were remade in which tables."""

    store: str
    schema: str
    why: str
    rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Upgraded:
    """The schemas that a home had and has, and the steps between; a dry run took them back or only names them."""

    dry_run: bool
    warehouse_before: int | None
    warehouse: int
    decisions_before: str | None
    decisions: str
    steps: list[Step]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def upgrade(settings: Settings, *, dry_run: bool = False, progress: Progress = lambda step, done, of: None) -> Upgraded:
    """Bring both stores of a home to the present schemas; one that is there already is left as it is.

    A dry run carries the steps of the warehouse out and takes them back, and names those of the decision store. Raises
    WarehouseShapeError and StoreUnavailableError, before anything is changed, for a store of a newer oneclient.
    """
    with open_warehouse(settings, as_it_is=True) as warehouse, open_database(settings, older="as it is") as store:
        see_that_it_is_not_newer(warehouse)
        before, decisions = schema_of(warehouse), schema_of_store(store)
        steps = _rehearse(warehouse, before, progress) if dry_run else _upgrade(warehouse, before, progress)
    steps += [Step("decisions", schema, why) for schema, why in pending_of_store(decisions)]
    if not dry_run:
        with open_warehouse(settings), open_database(settings, older="upgraded"):
            log.info("the home is of schemas %s and %s", newest_schema(), NEWEST_SCHEMA)
    return Upgraded(dry_run, before, newest_schema(), decisions, NEWEST_SCHEMA, steps)


def _upgrade(warehouse: Warehouse, before: int | None, progress: Progress) -> list[Step]:
    done = []
    for schema, why in _schemas(before):
        progress(f"bringing the warehouse to schema {schema}", schema, newest_schema())
        with warehouse.transaction():
            done.append(Step("warehouse", str(schema), why, migrate(warehouse, schema)))
        warehouse.checkpoint()
    return done


def _rehearse(warehouse: Warehouse, before: int | None, progress: Progress) -> list[Step]:
    with warehouse.rehearsal():
        tried = []
        for schema, why in _schemas(before):
            progress(f"trying schema {schema}", schema, newest_schema())
            tried.append(Step("warehouse", str(schema), why, migrate(warehouse, schema)))
        return tried


def _schemas(before: int | None) -> list[tuple[int, str]]:
    """The schemas that a warehouse lacks, in order, each with its reason."""
    why: dict[int, list[str]] = {}
    for migration in pending(before):
        why.setdefault(migration.schema, []).append(f"{migration.table}: {migration.why}")
    return [(schema, " ".join(each)) for schema, each in why.items()]
