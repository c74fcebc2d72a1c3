"""The decision store as one file in a backup, whatever database it lives in."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import Engine, MetaData, insert, select

from pipelines.custody.refusal import BackupRefusedError
from pipelines.decisions.database import NEWEST_SCHEMA, open_database, reading, schema_of_store, writing
from pipelines.decisions.entry import Entry, first_broken
from pipelines.decisions.snapshot import DecisionsDamagedError
from pipelines.decisions.store import DecisionStore
from pipelines.private import make_folder
from pipelines.settings import Settings

_AT_ONCE = 500


def save_log(settings: Settings, folder: Path) -> int:
    """Copy the store, as of one moment and of the schema that it has, to ``decisions.sqlite`` in ``folder``, which is
    empty; gives the number of its entries.

    Raises DecisionsDamagedError for a log that is not whole: it must not take the place of an earlier backup.
    """
    copied, read = Settings(home=folder), Settings(home=folder / "read")
    with open_database(settings, older="as it is") as store:
        schema = schema_of_store(store) or NEWEST_SCHEMA
        with open_database(copied, older="as it is", made_at=schema) as copy:
            _copy_rows(store, copy)
    make_folder(read.home)
    shutil.copy(copied.decisions_file, read.decisions_file)
    with open_database(read, older="upgraded") as to_be_read:
        return len(_whole(to_be_read))


def put_back_log(saved: Settings, settings: Settings) -> int:
    """See that the store of ``settings`` holds all that the one of ``saved`` does; gives the number of those entries.

    An empty store is filled; one that has gone on since the backup is left as it is. Raises BackupRefusedError for one
    that holds another log, DecisionsDamagedError for a saved log that is not whole.
    """
    with open_database(saved, older="upgraded") as copy, open_database(settings) as store:
        entries = _whole(copy)
        held = DecisionStore(store).entries()
        if not held:
            _copy_rows(copy, store)
        elif held[: len(entries)] != entries:
            raise BackupRefusedError(
                "decisions.url in the backup's settings.toml names a store that holds other decisions than the backup. "
                "Nothing was restored. Empty that store, or let the name lead to the right one, and restore again.",
                code="B3",
            )
        return len(entries)


def _whole(store: Engine) -> list[Entry]:
    entries = DecisionStore(store).entries()
    if broken := first_broken(entries):
        raise DecisionsDamagedError(
            f"Entry {broken} of the decision log is not as it was recorded. Restore the decision store from its last "
            "backup, and find out who changed it."
        )
    return entries


def _copy_rows(store: Engine, copy: Engine) -> None:
    """Every row of every table, of one moment, in the order in which they were recorded."""
    tables = MetaData()
    tables.reflect(copy)
    tables.remove(tables.tables["alembic_version"])
    with reading(store) as taken, writing(copy) as given:
        for table in tables.sorted_tables:
            rows = taken.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            for some in rows.partitions(_AT_ONCE):
                given.execute(insert(table), [dict(row) for row in some])
