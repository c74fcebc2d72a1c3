"""Opening a warehouse: one process at a time, with its key if it has one, at today's schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from tenacity import RetryError, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from pipelines.schema import newest_schema, record, schema_of, see_that_it_is_newest
from pipelines.settings import KeyRefusedError, Settings, whose
from pipelines.troubles import KnownError
from pipelines.warehouse.tables import Warehouse, define, make_tables, prepare

_REBUILD = (
    "oneclient.duckdb cannot be read. Restore it from its last backup (oneclient restore), then have the files that "
    "came since delivered again. Without one, keep the home: archive/ and the decision store hold what it was made of."
)
_DAMAGED = {
    "replaying WAL": (
        "The last changes to the warehouse (oneclient.duckdb.wal) cannot be read: a process was killed, or the disk "
        "failed. No command had told of them as done. Move that file out of the home, and run the same command again."
    ),
    "Corrupt": _REBUILD,
    "not a valid DuckDB": _REBUILD,
}  # what DuckDB says, and what to do
_CUT_OFF = "Could not read enough bytes"
_REFUSED = {
    "without a key": (
        "This home is encrypted. Set {key} to its key and run again. Without the key nobody can read it."
    ),
    "is not encrypted": (
        "{key} is set, and this home is not encrypted. To encrypt it: take the key away, oneclient backup "
        "--to FILE, set the key, oneclient restore FILE --home NEWHOME; then delete FILE and the old home."
    ),
    "Wrong encryption key": "{key} is not the key of this home. Set the right one and run again.",
}
_NO_CRYPTO = (
    "To encrypt, DuckDB needs its extension httpfs, which is not installed. On a machine with a network, as the user "
    "that runs oneclient: python -c \"import duckdb; duckdb.sql('INSTALL httpfs')\" (it is put into .duckdb in that "
    "user's folder, and can be copied from there). Or, with weaker random numbers, set encryption.weak_randomness = "
    "true in settings.toml."
)
CHECKPOINT_AT = "1 MB"
"""A commit of more than this goes straight into the warehouse file, instead of into the write-ahead log first."""


class WarehouseBusyError(KnownError):
    """Another process has the warehouse open."""

    code = "W1"


class WarehouseDamagedError(KnownError):
    """DuckDB cannot read what a process left behind that was killed, or what the disk gave back."""

    code = "W2"


class WarehouseCutOffError(WarehouseDamagedError):
    """The file of the warehouse ends too early: it was copied half, or the disk was full."""

    code = "W5"


@contextmanager
def open_warehouse(settings: Settings, *, as_it_is: bool = False) -> Iterator[Warehouse]:
    """Open the home's DuckDB file for reading and writing, waiting a while if another process has it.

    ``as_it_is`` opens one of any schema, and makes no table in it: to look at it, copy it or upgrade it.

    Raises WarehouseBusyError when it is still taken after ``warehouse.lock_wait_seconds``, WarehouseDamagedError when
    it cannot be read, KeyRefusedError when it takes a key, another key or none, and, unless ``as_it_is``,
    WarehouseShapeError for one of another schema than ours.
    """
    wait = settings.warehouse.lock_wait_seconds
    try:
        for attempt in Retrying(
            retry=retry_if_exception(_is_locked),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            stop=stop_after_delay(wait),
        ):
            with attempt:
                connection = _open(settings)
    except RetryError as error:
        raise WarehouseBusyError(
            f"The warehouse is open in another process and did not become free in {wait:g} seconds. "
            f"Wait for the running night or merge to end{_process(error)}, or raise warehouse.lock_wait_seconds."
        ) from error
    except duckdb.Error as error:
        _see_that_it_is_not_cut_off(error)
        if said := next((said for sign, said in _DAMAGED.items() if sign in str(error)), None):
            raise WarehouseDamagedError(said) from error
        if said := next((said for sign, said in _REFUSED.items() if sign in str(error)), None):
            raise KeyRefusedError(said.format(key=whose(settings.home).key_variable)) from None
        raise
    try:
        warehouse = Warehouse(connection)
        define(warehouse)
        if not as_it_is:
            _make_tables_of_newest(warehouse)
        yield warehouse
        warehouse.checkpoint()
    except duckdb.Error as error:
        _see_that_it_is_not_cut_off(error)
        raise
    finally:
        connection.close()


@contextmanager
def scratch_warehouse(settings: Settings | None = None) -> Iterator[Warehouse]:
    """A warehouse in memory, for work whose tables are nobody else's business (Splink's, an evaluation's).

    What does not fit into memory goes to the scratch folder of the home, encrypted if the home is.
    """
    connection = _connect(":memory:", settings)
    try:
        warehouse = Warehouse(connection)
        prepare(warehouse)
        yield warehouse
    finally:
        connection.close()


def copy_warehouse(settings: Settings, file: Path, copy: Settings) -> None:
    """Copy the tables of a home's warehouse into a new ``file``, encrypted with the key of ``copy``, or plain."""
    with open_warehouse(settings, as_it_is=True) as warehouse:
        if copy.key:
            _allow_encryption(warehouse.connection, copy)
        here = warehouse.one("select current_database()")
        _attach(warehouse.connection, file, "copy", copy)
        warehouse.execute(f'copy from database "{here}" to copy')
        warehouse.execute("detach copy")


def rewrite_warehouse(settings: Settings) -> None:
    """Write a home's warehouse anew, since DuckDB leaves what was deleted in its file.

    A crash leaves the old file or the new one; nobody else can open either meanwhile.
    """
    new = settings.database.with_name(f".{settings.database.name}.partial")
    for left_by_a_killed_process in (new, new.with_name(f"{new.name}.wal")):
        left_by_a_killed_process.unlink(missing_ok=True)
    with open_warehouse(settings) as warehouse:
        warehouse.checkpoint()
        here = warehouse.one("select current_database()")
        _attach(warehouse.connection, new, "rewritten", settings)
        warehouse.execute(f'copy from database "{here}" to rewritten')
        for table in warehouse.tables():
            copied = warehouse.one(f"select count(*) from rewritten.{table}")
            if copied != warehouse.one(f"select count(*) from {table}"):
                raise WarehouseDamagedError(f"{table} could not be copied whole. The warehouse was left as it was.")
        warehouse.execute("checkpoint rewritten")
        new.replace(settings.database)


def _open(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The home's database; an encrypted one can only be attached, so it is made the one that names are looked up in."""
    if settings.key is None:
        return _connect(str(settings.database), settings)
    connection = _connect(":memory:", settings)
    try:
        _attach(connection, settings.database, "home", settings)
        connection.execute("use home")
    except BaseException:
        connection.close()
        raise
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, file: Path, name: str, settings: Settings) -> None:
    if settings.key is None:
        connection.execute(f"attach $file as {name}", {"file": str(file)})
    else:
        connection.execute(
            f"attach $file as {name} (encryption_key $key)",
            {"file": str(file), "key": settings.key.get_secret_value()},
        )


def _connect(database: str, settings: Settings | None) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {}
    if settings:
        config["temp_directory"] = str(settings.scratch)
        config["checkpoint_threshold"] = CHECKPOINT_AT
        if settings.warehouse.threads:
            config["threads"] = settings.warehouse.threads
        if settings.warehouse.memory_limit:
            config["memory_limit"] = settings.warehouse.memory_limit
    connection = duckdb.connect(database, config=config)
    if settings and settings.key:
        try:
            _allow_encryption(connection, settings)
        except BaseException:
            connection.close()
            raise
    return connection


def _allow_encryption(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """DuckDB writes encrypted files, temporary ones too, only with the random numbers of httpfs, or if it is told to do
    without them (github.com/duckdb/duckdb/pull/20148). Raises KeyRefusedError."""
    try:
        connection.execute("load httpfs")
    except duckdb.Error:
        if not settings.encryption.weak_randomness:
            raise KeyRefusedError(_NO_CRYPTO, code="K3") from None
        connection.execute("set force_mbedtls_unsafe = 'true'")
    connection.execute("set temp_file_encryption = true")


def _see_that_it_is_not_cut_off(error: duckdb.Error) -> None:
    if _CUT_OFF in str(error):
        raise WarehouseCutOffError(
            "oneclient.duckdb ends too early: it was copied only in part, or cut off. Keep it, and restore the newest "
            "backup (oneclient restore), then have the files that came since delivered again."
        ) from error


def _process(error: RetryError) -> str:
    """Whose lock it is, as DuckDB has said it."""
    held = re.search(r"\(PID (\d+)\)", str(error.last_attempt.exception()))
    return f" (process {held[1]})" if held else ""


def _is_locked(error: BaseException) -> bool:
    return isinstance(error, duckdb.IOException) and "Could not set lock" in str(error)


def _make_tables_of_newest(warehouse: Warehouse) -> None:
    """See that a home's warehouse has the newest schema, which a new one is given whole or not at all."""
    see_that_it_is_newest(warehouse)
    with warehouse.transaction():
        if schema_of(warehouse) is None:
            record(warehouse, newest_schema())
        make_tables(warehouse)
