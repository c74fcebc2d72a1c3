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
from pipelines.feeds import FEEDS
from pipelines.schema import migrate, newest_schema, pending, schema_of, see_that_it_is_not_newer
from pipelines.settings import Settings
from pipelines.sources import load_sources
from pipelines.warehouse import Warehouse, open_warehouse

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]

_ONE_NOTATION = 3
"""The schema from which raw rows are in one notation."""
_OLD_MACROS = (
    "old_text(cell) as nullif(trim(regexp_replace(regexp_replace(cell, '\\p{Cf}+', '', 'g'),"
    " '[\\s\\p{Z}\\p{Cc}]+', ' ', 'g')), '')",
    "old_id(cell) as nullif(trim(cell, concat(' ', chr(9), chr(10), chr(13), chr(160))), '')",
    "old_time(cell) as strftime(date '2000-01-01' + try_strptime(old_id(cell),"
    " ['%H:%M', '%H:%M:%S', '%H.%M', '%I:%M %p', '%Y-%m-%d %H:%M:%S'])::time, '%H:%M:%S')",
    "old_amount(cell) as case when regexp_full_match(regexp_replace(cell, '[£\\s\\p{Z}]', '', 'g'),"
    " '[-+]?(\\d*|\\d{1,3}(,\\d{3})+)(\\.\\d*)?')"
    " then try_cast(regexp_replace(cell, '[£,\\s\\p{Z}]', '', 'g') as decimal(18, 4)) end",
    "old_number(cell) as case when old_amount(cell) between -10000000 and 10000000"
    " then regexp_replace(old_amount(cell)::varchar, '\\.?0+$', '') end",
)
"""How the first two schemas read their raw rows, written out since the macros of today may change."""


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
        _prepare_old_rows(warehouse, settings)
        steps = _rehearse(warehouse, before, progress) if dry_run else _upgrade(warehouse, before, progress)
    steps += [Step("decisions", schema, why) for schema, why in pending_of_store(decisions)]
    if not dry_run:
        with open_warehouse(settings), open_database(settings, older="upgraded"):
            log.info("the home is of schemas %s and %s", newest_schema(), NEWEST_SCHEMA)
    return Upgraded(dry_run, before, newest_schema(), decisions, NEWEST_SCHEMA, steps)


def _prepare_old_rows(warehouse: Warehouse, settings: Settings) -> None:
    """What schema 3 reads the raw rows of older schemas by, as they were read: the macros ``old_text``, ``old_id``,
    ``old_time`` and ``old_number``, and the temporary table ``old_dates`` (source, cell, day). A source whose mapping
    is gone is read by the built-in one of its feed."""
    for macro in _OLD_MACROS:
        warehouse.execute(f"create or replace temp macro {macro}")
    warehouse.execute("create or replace temp table old_dates (source varchar, cell varchar, day date)")
    found = schema_of(warehouse)
    if found is None or found >= _ONE_NOTATION or not warehouse.exists("raw.files"):
        return
    mappings = load_sources(settings.sources)
    for name, feed in warehouse.rows(
        "select distinct source, feed from raw.files where status = 'loaded' order by all"
    ):
        if feed not in FEEDS or not warehouse.exists(f"raw.{feed}"):
            continue
        of_feed = [mapping for mapping in mappings if mapping.feed == feed]
        mapping = next((mapping for mapping in of_feed if mapping.name == name), of_feed[-1])
        cells = " union ".join(
            f"select {field.name} as cell from raw.{feed} join raw.files using (file_id) where source = $source"
            for field in FEEDS[feed].fields
            if field.type == "date"
        )
        warehouse.execute(
            f"insert into old_dates select distinct $source, cell, read_date(cell, $formats, $serials) from ({cells})"
            " where read_date(cell, $formats, $serials) is not null",
            {"source": name, "formats": list(mapping.date_formats), "serials": mapping.excel_serial_dates},
        )


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
