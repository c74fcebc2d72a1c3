"""Who was forgotten: an append-only record beside the log of decisions, each entry with the hash of the one before.

It says which client records, by whom, when and why, and holds no personal data: rostering ids are tokens by then. That
is enough for a home that is rebuilt from its archive and this record not to bring anybody back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, Engine, Integer, Table, Text, insert, select

from pipelines.decisions.database import METADATA, reading, writing
from pipelines.decisions.entry import FIRST_HASH
from pipelines.decisions.statement import canonical_json

# One row is one person who was forgotten.
FORGETTINGS = Table(
    "forgettings",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("forgotten", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(_Kept):
    """A source row of the person: where it stands from now on, and the record that it is linked to for ever.

    ``record_id`` is that of an order line, or the token that stands for a rostering id.
    """

    feed: str
    issuer: str
    record_id: str
    client_ref: str
    how_linked: str


class Forgotten(_Kept):
    """What one forgetting covers: the client records, their source rows, and the contents (SHA-256) of the files that
    held them when they came. ``stem`` begins every token; ``as_of`` is the night that the register stood at."""

    client_refs: tuple[str, ...]
    stem: str
    as_of: date
    rows: tuple[Row, ...] = ()
    contents: tuple[str, ...] = ()

    def as_json(self) -> str:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))


@dataclass(frozen=True)
class Forgetting:
    """One entry, numbered from 1 without gaps. ``recorded_at`` is UTC in ISO 8601."""

    number: int
    who: str
    reason: str
    forgotten: Forgotten
    recorded_at: str = ""
    previous_hash: str = ""
    hash: str = ""

    def row(self) -> dict[str, object]:
        """As the table holds it."""
        return {**vars(self), "forgotten": self.forgotten.as_json()}


def record_forgetting(engine: Engine, who: str, reason: str, forgotten: Forgotten) -> Forgetting:
    """Record that somebody is to be forgotten, unless it is recorded already; gives the entry."""
    with writing(engine) as connection:
        rows = [_read(row) for row in connection.execute(select(FORGETTINGS).order_by(FORGETTINGS.c.number))]
        for before in rows:
            if set(forgotten.client_refs) <= set(before.forgotten.client_refs):
                return before
        last = rows[-1] if rows else None
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        previous_hash = last.hash if last else FIRST_HASH
        made = Forgetting(last.number + 1 if last else 1, who, reason, forgotten, now, previous_hash)
        made = replace(made, hash=_hash(made))
        connection.execute(insert(FORGETTINGS).values(made.row()))
        return made


def read_forgettings(engine: Engine) -> list[Forgetting]:
    """Every entry, oldest first."""
    with reading(engine) as connection:
        return [_read(row) for row in connection.execute(select(FORGETTINGS).order_by(FORGETTINGS.c.number))]


def first_broken_forgetting(entries: Iterable[Forgetting]) -> int | None:
    """The number of the first entry that is not as it was recorded, or that the one before does not lead to."""
    before = FIRST_HASH
    for number, entry in enumerate(entries, start=1):
        if entry.number != number or entry.previous_hash != before or entry.hash != _hash(entry):
            return number
        before = entry.hash
    return None


def scrub(engine: Engine) -> None:
    """Leave no byte of what was erased in the file of the store. (A Postgres does so by itself, by and by.)"""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("pragma secure_delete = on")
        cursor.execute("vacuum")
        cursor.execute("pragma wal_checkpoint(truncate)")


def _read(row: object) -> Forgetting:
    fields = dict(row._mapping)  # type: ignore[attr-defined]
    return Forgetting(**{**fields, "forgotten": Forgotten.model_validate_json(fields["forgotten"])})


def _hash(entry: Forgetting) -> str:
    fields = {name: value for name, value in entry.row().items() if name != "hash"}
    return hashlib.sha256(canonical_json(fields).encode()).hexdigest()
