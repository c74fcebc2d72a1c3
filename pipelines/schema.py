"""Which schema the tables of a warehouse have, as a number, and what makes those of the next one out of them.

Schema 1 is the first release's, which kept no number. Each later schema has in ``sql/migrations`` one file for each
table that it remakes, such as ``0002_staged.clients.sql``: why, and the SELECT that makes the new table of the old
ones. It gives as many rows as the old table had: a migration changes columns, and loses nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import __version__
from pipelines.troubles import KnownError

if TYPE_CHECKING:
    from pipelines.warehouse import Warehouse

MIGRATIONS = Path(__file__).parent.parent / "sql" / "migrations"
FIRST = 1


class WarehouseShapeError(KnownError):
    """The tables of a home are not those that this oneclient works with, and cannot be made so."""

    code = "W3"


@dataclass(frozen=True)
class Migration:
    """What one schema changes about one table. ``select`` is empty for a table that is new: nothing is remade."""

    schema: int
    table: str
    why: str
    select: str


def migrations() -> list[Migration]:
    """Every migration, in the order in which they are run."""
    return [_read(file) for file in sorted(MIGRATIONS.glob("*.sql"))]


def newest_schema() -> int:
    """The schema that this oneclient works with."""
    return max((migration.schema for migration in migrations()), default=FIRST)


def pending(schema: int | None) -> list[Migration]:
    """What a warehouse of ``schema`` lacks; None: one without any table, which lacks nothing."""
    return [migration for migration in migrations() if schema is not None and migration.schema > schema]


def schema_of(warehouse: Warehouse) -> int | None:
    """The schema of a warehouse; None if it has no table yet."""
    if warehouse.exists("main.schemas"):
        return int(warehouse.one("select max(schema_number) from main.schemas"))
    return FIRST if warehouse.tables() else None


def made_by(warehouse: Warehouse) -> str:
    """The oneclient that gave a warehouse the schema that it has."""
    if not warehouse.exists("main.schemas"):
        return "the first release"
    return str(warehouse.one("select made_by from main.schemas order by schema_number desc limit 1"))


def record(warehouse: Warehouse, schema: int) -> None:
    """Write down that a warehouse has come to a schema, in the transaction that brings it there."""
    warehouse.execute(
        "create table if not exists main.schemas (schema_number integer, made_by varchar, made_at timestamptz)"
    )
    warehouse.execute(
        "insert into main.schemas values ($schema, $made_by, now())",
        {"schema": schema, "made_by": f"oneclient {__version__}"},
    )


def see_that_it_is_newest(warehouse: Warehouse) -> None:
    """Raises WarehouseShapeError for a warehouse of a newer oneclient, or of an older one that is not upgraded yet."""
    see_that_it_is_not_newer(warehouse)
    if pending(found := schema_of(warehouse)):
        raise WarehouseShapeError(
            f"The home is of schema {found}, and this oneclient works with schema {newest_schema()}. Nothing was "
            "changed. Make a backup (oneclient backup --to FILE), then run: oneclient upgrade",
            code="W4",
        )


def see_that_it_is_not_newer(warehouse: Warehouse) -> None:
    """Raises WarehouseShapeError for a warehouse of a newer oneclient."""
    found = schema_of(warehouse)
    if found is not None and found > newest_schema():
        raise WarehouseShapeError(
            f"The home is of schema {found}, made by {made_by(warehouse)}, and this is oneclient {__version__}, which "
            f"works with schema {newest_schema()}. Nothing was changed. Run the newer oneclient, or restore the "
            "backup that was made before the upgrade."
        )


def migrate(warehouse: Warehouse, schema: int) -> dict[str, int]:
    """Bring a warehouse of the schema before to ``schema``, within the caller's transaction; gives the rows of each
    table that was remade.

    A table that the home has not made yet is left for today's code to make. Raises WarehouseShapeError for a migration
    that would lose or add rows.
    """
    remade: dict[str, int] = {}
    for migration in migrations():
        if migration.schema != schema or not migration.select or not warehouse.exists(migration.table):
            continue
        table, select = migration.table, migration.select
        before = int(warehouse.one(f"select count(*) from {table}"))
        warehouse.execute(f"create or replace table {table} as {select}")
        remade[table] = int(warehouse.one(f"select count(*) from {table}"))
        if remade[table] != before:
            raise WarehouseShapeError(
                f"The migration of {table} to schema {schema} would make {remade[table]:,} rows of {before:,}. Nothing "
                "was changed. Keep to the oneclient that you had, and report it."
            )
    record(warehouse, schema)
    return remade


def _read(file: Path) -> Migration:
    schema, _, table = file.stem.partition("_")
    lines = file.read_text(encoding="utf-8").splitlines()
    why = [line for line in lines if line.startswith("--")]
    select = "\n".join(line for line in lines if not line.startswith("--")).strip().rstrip(";")
    return Migration(int(schema), table, " ".join(line.lstrip("- ") for line in why), select)
