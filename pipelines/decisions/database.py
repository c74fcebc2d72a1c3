"""The decision database: how it is opened, locked for writing, and brought to the present schema.

SQLite (``HOME/decisions.sqlite``, write-ahead log, one writer at a time by ``BEGIN IMMEDIATE``) unless
``decisions.url`` names a Postgres. Whoever opens it first makes it. An older one is brought to the present schema by
``oneclient upgrade`` alone (``pipelines/upgrade.py``), as the warehouse is: until then the older oneclient can go on.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    URL,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from pipelines.decisions.apart import see_that_it_is_apart
from pipelines.disk import full_disk
from pipelines.settings import Settings, SettingsError
from pipelines.troubles import KnownError

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST_SCHEMA = "0003"
LOCK_WAIT_SECONDS = 60.0
_MIGRATION_LOCK = 7_306_951_204  # any number, but the same for every oneclient on one Postgres

Older = Literal["refused", "as it is", "upgraded"]

METADATA = MetaData()

# One row is one entry of the log; pipelines/decisions/entry.py says what its columns hold.
ENTRIES = Table(
    "entries",
    METADATA,
    Column("sequence_number", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("candidate_id", Text, index=True),
    Column("left_ref", Text),
    Column("right_ref", Text),
    Column("verdict", Text),
    Column("reason", Text),
    Column("choices", Text),
    Column("evidence_hash", Text),
    Column("match_probability", Float(53)),
    Column("match_weight", Float(53)),
    Column("tier", Text),
    Column("model_version", Text),
    Column("score_was_hidden", Boolean),
    Column("seconds_spent", Float(53)),
    Column("undoes", Integer),
    Column("plan", Text),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

# One row is the facts of a pair as somebody saw them, outside the chain, so that they can be erased one day.
EVIDENCE = Table(
    "evidence",
    METADATA,
    Column("evidence_hash", Text, primary_key=True),
    Column("facts", Text, nullable=False),
)


class StoreUnavailableError(KnownError):
    """The decision store cannot be opened or written."""

    code = "L1"


@contextmanager
def open_database(settings: Settings, older: Older = "refused", made_at: str = NEWEST_SCHEMA) -> Iterator[Engine]:
    """The decision database, made (at the present schema, or ``made_at``) if it is not there.

    ``older`` says what becomes of one of an earlier schema. Raises SettingsError for a URL that cannot be used,
    StoreUnavailableError when nobody answers, when it stays locked, and for the schema of a newer oneclient.
    """
    url = _url(settings)
    see_that_it_is_apart(settings, url)
    engine = _engine(url)
    try:
        _see_to_schema(engine, older, made_at)
        yield engine
    except (OperationalError, sqlite3.OperationalError) as error:
        if full := full_disk(error, settings.home):
            raise full from _without_parameters(error)
        raise StoreUnavailableError(
            f"The decision store ({url.render_as_string(hide_password=True)}) does not answer or stays locked. "
            "See that it is running, that decisions.url is right, and that the disk is not full; then run again."
        ) from _without_parameters(error)
    except DatabaseError as error:
        if type(error.orig) is not sqlite3.DatabaseError:  # the kinds of it say that a statement is wrong
            raise
        raise StoreUnavailableError(
            "The decision store (decisions.sqlite) cannot be read: it is damaged. Restore it from its last backup.",
            code="L2",
        ) from _without_parameters(error)
    finally:
        engine.dispose()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the store, whatever others write meanwhile."""
    isolated = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**isolated) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection that alone may write until the block ends; everything in it is kept, or nothing is.

    What was kept is in the database file itself before anything else follows from it: SQLite reads a write-ahead log
    that was cut off as if less had been kept, and says nothing.
    """
    with engine.connect().execution_options(writes=True) as connection:
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text("lock table entries in exclusive mode"))
            yield connection
        if engine.dialect.name == "sqlite":
            connection.connection.cursor().execute("pragma wal_checkpoint(full)")


def _url(settings: Settings) -> URL:
    if settings.decisions.url is None:
        file = settings.decisions_file
        file.touch(mode=0o600, exist_ok=True)
        return URL.create("sqlite", database=str(file))
    try:
        url = make_url(settings.decisions.url.get_secret_value())
    except ArgumentError:
        raise SettingsError(
            "settings.toml: decisions.url is not a database URL. Write postgresql://…", code="S7"
        ) from None
    if url.get_backend_name() not in {"postgresql", "sqlite"}:
        raise SettingsError("settings.toml: decisions.url has to begin with postgresql:// or sqlite:///.", code="S7")
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return url


def _engine(url: URL) -> Engine:
    waits = {"timeout": LOCK_WAIT_SECONDS} if url.get_backend_name() == "sqlite" else {}
    try:
        engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=waits)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise SettingsError(
            "The driver for decisions.url is not there. Install it: pip install psycopg[binary]", code="S7"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says so, not where the driver guesses
    for attempt in Retrying(
        retry=retry_if_exception(_is_locked),
        wait=wait_random_exponential(multiplier=0.05, max=1),
        stop=stop_after_delay(LOCK_WAIT_SECONDS),
        reraise=True,
    ):
        with attempt:
            connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma recursive_triggers = on")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("begin immediate" if connection.get_execution_options().get("writes") else "begin")


def _is_locked(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def schema_of_store(engine: Engine) -> str | None:
    """The schema of a decision database; None if there is nothing in it yet."""
    with reading(engine) as connection:
        return _schema(connection)


def pending_of_store(schema: str | None) -> list[tuple[str, str]]:
    """What a decision database of ``schema`` lacks: number and reason of each migration, the first one first."""
    if schema is None or schema >= NEWEST_SCHEMA:
        return []
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - only an old store needs it

    missing = ScriptDirectory(str(MIGRATIONS)).iterate_revisions(NEWEST_SCHEMA, schema)
    return [(one.revision, one.doc) for one in reversed(list(missing))]


def _see_to_schema(engine: Engine, older: Older, made_at: str) -> None:
    found = schema_of_store(engine)
    if found in {made_at, NEWEST_SCHEMA}:
        return
    if found is not None and found > NEWEST_SCHEMA:
        raise StoreUnavailableError(
            f"The decision store is of schema {found}, made by a newer oneclient: this one works with schema "
            f"{NEWEST_SCHEMA}. Nothing was changed. Run the newer oneclient, or restore the backup that was made "
            "before the upgrade.",
            code="L4",
        )
    if found is not None and older == "refused":
        raise StoreUnavailableError(
            f"The decision store is of schema {found}, and this oneclient works with schema {NEWEST_SCHEMA}. Nothing "
            "was changed. Make a backup (oneclient backup --to FILE), then run: oneclient upgrade",
            code="L5",
        )
    if found is None or older == "upgraded":
        _migrate(engine, made_at)


def _migrate(engine: Engine, schema: str) -> None:
    """Run the migrations that are missing, in one transaction; two processes at once run them once."""
    from alembic import command  # noqa: PLC0415 - only a new or an old store needs it
    from alembic.config import Config  # noqa: PLC0415

    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, schema)
    log.info("the decision store is at schema %s", schema)


def _schema(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    return found


def _without_parameters(error: Exception) -> BaseException | None:
    """The driver's own error, without the statement that SQLAlchemy adds to it."""
    return error.orig if isinstance(error, DBAPIError) else error
