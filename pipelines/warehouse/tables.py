"""The tables of an open warehouse: one file in ``sql/`` for one table, one transaction for one change.

A table is described by the ``SELECT`` in ``sql/<stage>/<table>.sql``. Its rows are *incoming* until ``upsert`` writes
the ones that are new or different, so a night without news writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from pipelines.schema import WarehouseShapeError, newest_schema

if TYPE_CHECKING:
    import pandas as pd

SQL = Path(__file__).parents[2] / "sql"
STAGES = {"raw": "1_raw", "staged": "2_staged", "matched": "3_matched", "reviewed": "4_reviewed", "merged": "5_merged"}
BATCH = 100_000
NOT_STATE = ("_at", "_run")  # endings of columns that say when and in which run, not what

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """How many rows one ``upsert`` added, changed and removed."""

    inserted: int
    updated: int
    deleted: int = 0

    @property
    def rows(self) -> int:
        """All rows written."""
        return self.inserted + self.updated + self.deleted


@cache
def sql_text(table: str) -> str:
    """The SELECT that makes ``stage.table`` (or a working table of that name), from ``sql/<stage>/<table>.sql``."""
    stage, name = table.split(".")
    return (SQL / STAGES[stage] / f"{name}.sql").read_text(encoding="utf-8")


class Warehouse:
    """An open warehouse. Make one with ``open_warehouse``; nothing else in oneclient calls ``duckdb.connect``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """Run one statement with bound parameters; gives all its rows."""
        return self.connection.execute(sql, parameters or None).fetchall()

    def execute(self, sql: str, parameters: Parameters | None = None) -> None:
        """Run one statement for what it does."""
        self.rows(sql, parameters)

    def one(self, sql: str, parameters: Parameters | None = None) -> Any:
        """The first column of the first row of a query that always has one."""
        return self.rows(sql, parameters)[0][0]

    def row(self, sql: str, parameters: Parameters | None = None) -> dict[str, Any]:
        """The first row of a query that always has one, by column."""
        found = self.connection.execute(sql, parameters or None)
        names = [name for name, *_ in found.description or ()]
        return dict(zip(names, found.fetchall()[0], strict=True))

    def frame(self, sql: str, parameters: Parameters | None = None) -> pd.DataFrame:
        """A query as a pandas frame."""
        return self.connection.execute(sql, parameters or None).df()

    @contextmanager
    def relation(self, name: str, rows: Any) -> Iterator[str]:
        """Give a pandas frame or Arrow table a name that SQL can read, for as long as the block lasts."""
        self.connection.register(name, rows)
        try:
            yield name
        finally:
            self.connection.unregister(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block is kept, or nothing is."""
        self.connection.begin()
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Everything in the block is undone when it ends: to see what would be."""
        self.connection.begin()
        try:
            yield
        finally:
            self.connection.rollback()

    @contextmanager
    def scratch(self) -> Iterator[Warehouse]:
        """A warehouse in memory beside this one, for work whose tables are nobody else's business.

        The two share one memory limit; what does not fit goes to the scratch folder of the home. It sees nothing that
        this one has not kept yet: hand rows over with ``batches``.
        """
        with self.connection.cursor() as connection:
            here = connection.execute("select current_database()").fetchall()[0][0]
            connection.execute("attach ':memory:' as scratch")
            connection.execute("use scratch")
            try:
                yield Warehouse(connection)
            finally:
                connection.execute(f'use "{here}"')
                connection.execute("detach scratch")

    def batches(self, sql: str) -> pa.RecordBatchReader:
        """A query as Arrow batches, to be read once, by another warehouse's ``relation``."""
        return self.connection.sql(sql).to_arrow_reader(BATCH)

    def checkpoint(self) -> None:
        """Put all that was kept into the database file itself, so that nothing hangs on the write-ahead log.

        For DuckDB reads a log that was cut off as if less had been kept, and says nothing. So nothing that cannot be
        done again (an original leaves the inbox, a command is reported as done) may come before this.
        """
        self.execute("checkpoint")

    def work(self, name: str, table: str, parameters: Parameters | None = None) -> int:
        """Put the rows of ``sql/<table>.sql`` into the temporary table ``name``; gives their number."""
        sql = sql_text(table)
        self.execute(f"create or replace temp table {name} as {sql}", _bound(sql, parameters))
        return int(self.one(f"select count(*) from {name}"))

    def work_frame(self, table: str, parameters: Parameters | None = None) -> pd.DataFrame:
        """The rows of ``sql/<table>.sql`` as a pandas frame."""
        sql = sql_text(table)
        return self.frame(sql, _bound(sql, parameters))

    def work_rows(self, table: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """The rows of ``sql/<table>.sql``."""
        sql = sql_text(table)
        return self.rows(sql, _bound(sql, parameters))

    def work_empty(self, name: str, select: str, parameters: Parameters | None = None) -> None:
        """An empty temporary table with the columns of a SELECT, to ``append`` to."""
        self.execute(f"create or replace temp table {name} ({self._columns(select, parameters)})")

    def parts(self, table: str, at_once: int) -> int:
        """Into how many parts a table goes of which none has more than about ``at_once`` rows; one at least.

        Take them by a hash or a remainder: in a transaction of DuckDB 2.0.0 row ids do not begin at 0.
        """
        return max(1, -(-int(self.one(f"select count(*) from {table}")) // at_once))

    def append(self, table: str, rows: str, columns: str = "*") -> None:
        """Add ``columns`` of all of ``rows`` (a table with columns of the same names) to ``table``.

        The one way to insert: in DuckDB 2.0.0 an INSERT of no rows, followed in the same transaction by one of more
        than a row group (122,880 rows), leaves a table that reads as empty. So no rows are never inserted.
        """
        if self.one(f"select count(*) from {rows}"):
            self.execute(f"insert into {table} by name select {columns} from {rows}")

    def _columns(self, select: str, parameters: Parameters | None) -> str:
        """Column definitions of a SELECT; making the table from the SELECT itself would be an INSERT of no rows."""
        return ", ".join(f'"{name}" {kind}' for name, kind in self.shape(select, parameters))

    def upsert(
        self,
        table: str,
        key: Sequence[str],
        incoming: str,
        *,
        keep: Sequence[str] = (),
        newest: str | None = None,
        within: str | None = None,
    ) -> Written:
        """Write what is new or different in ``incoming`` (same columns, unique by ``key``) to ``table``.

        ``keep`` names columns that stay as first written when only they differ. ``newest`` names a column whose larger
        value wins: an older incoming row leaves the kept one as it is. ``within`` is a condition on the
        table: its rows that satisfy it and are no longer in ``incoming`` are removed.
        """
        columns = [name for name, *_ in self.rows(f"describe {incoming}")]
        self.create(table, f"select * from {incoming}")
        if not self.one(f"select count(*) from {table}"):
            self.append(table, incoming)
            return Written(int(self.one(f"select count(*) from {incoming}")), 0)
        same_key = " and ".join(f"kept.{c} is not distinct from incoming.{c}" for c in key)
        compared = [c for c in columns if c not in {*key, *keep}]
        differs = " or ".join(f"kept.{c} is distinct from incoming.{c}" for c in compared) or "false"
        deleted = 0
        if within is not None:
            deleted = self.one(
                f"delete from {table} as kept where ({within}) and not exists"
                f" (select 1 from {incoming} as incoming where {same_key})"
            )
        before = self.one(f"select count(*) from {table}")
        updates = ", ".join(f"{c} = incoming.{c}" for c in columns if c not in key)
        not_older = f"incoming.{newest} >= kept.{newest}" if newest else "true"
        written = self.one(
            f"merge into {table} as kept using {incoming} as incoming on ({same_key})"
            + (f" when matched and {not_older} and ({differs}) then update set {updates}" if compared else "")
            + f" when not matched then insert ({', '.join(columns)})"
            f" values ({', '.join(f'incoming.{c}' for c in columns)})"
        )
        inserted = self.one(f"select count(*) from {table}") - before
        return Written(inserted, written - inserted, deleted)

    def create(self, table: str, select: str, parameters: Parameters | None = None) -> None:
        """Make an empty ``table`` with the columns of a SELECT, unless it is there already with just those.

        Raises WarehouseShapeError if it is there with others.
        """
        if not self.exists(table):
            self.execute(f"create table {table} ({self._columns(select, parameters)})")
        elif (found := self.shape(table)) != (wanted := self.shape(select, parameters)):
            raise WarehouseShapeError(
                f"{table} in this home is not as schema {newest_schema()} has it ({_difference(found, wanted)}): it "
                "was altered, or an upgrade forgot it. Keep the home and report it; or restore its last backup."
            )

    def columns(self, table: str) -> list[str]:
        """Names of a table's columns, in order."""
        return [name for name, _ in self.shape(table)]

    def shape(self, table: str, parameters: Parameters | None = None) -> list[tuple[str, str]]:
        """Names and types of the columns of a table, or of a SELECT, in order."""
        return [(name, kind) for name, kind, *_ in self.rows(f"describe {table}", _bound(table, parameters))]

    def exists(self, table: str) -> bool:
        """Whether ``stage.table`` is there."""
        schema, name = table.split(".")
        return bool(
            self.one(
                "select count(*) from duckdb_tables() where schema_name = $schema and table_name = $name",
                {"schema": schema, "name": name},
            )
        )

    def tables(self, *schemas: str) -> list[str]:
        """Names of the kept tables, stage by stage."""
        found = self.rows("select schema_name, table_name from duckdb_tables() where not temporary")
        order = {schema: number for number, schema in enumerate(schemas or STAGES)}
        return [f"{s}.{t}" for s, t in sorted(found, key=lambda r: (order.get(r[0], 99), r[1])) if s in order]


def define(warehouse: Warehouse) -> None:
    """What a connection has to know; nothing of it is kept."""
    warehouse.execute("set TimeZone = 'UTC'")
    for macros in ("macros.sql", "identity.sql"):
        warehouse.execute((SQL / macros).read_text(encoding="utf-8"))


def make_tables(warehouse: Warehouse) -> None:
    """The stages, and the tables that others read before their first row is written."""
    for schema in STAGES:
        warehouse.execute(f"create schema if not exists {schema}")
    warehouse.execute((SQL / "tables.sql").read_text(encoding="utf-8"))


def prepare(warehouse: Warehouse) -> None:
    """All that a new warehouse needs."""
    define(warehouse)
    make_tables(warehouse)


def _bound(sql: str, parameters: Parameters | None) -> dict[str, Any] | None:
    """Only the parameters that the statement names, since DuckDB refuses the others."""
    named = set(re.findall(r"\$([a-z_]+)", sql))
    return {name: value for name, value in (parameters or {}).items() if name in named} or None


def _difference(found: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]]) -> str:
    changed = sorted({str(name) for name, _ in set(found) ^ set(wanted)})
    return f"columns that differ: {', '.join(changed)}" if changed else "the columns are in another order"
