"""Land delivered files: read each, check it, keep the original, and put its rows into ``raw``.

The order of the steps makes a crash harmless: the archive copy is complete before the rows are committed, the rows and
their line in the ledger are one transaction, and the file is deleted from the inbox last, once its rows are in the
database file itself. Run again, each step finds what it did.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pyarrow.compute as pc

from pipelines.decisions.forgetting import read_forgettings
from pipelines.decisions.store import open_decisions
from pipelines.feeds import Feed
from pipelines.ingest.archive import keep_copy
from pipelines.ingest.discover import FileState, is_plain_file, kept_suffix, name_of, state_of
from pipelines.ingest.facts import Facts, facts_of
from pipelines.ingest.faults import reject
from pipelines.ingest.fields import read_file
from pipelines.ingest.history import (
    Delivered,
    absent_column,
    content_id,
    delivered_at,
    delivery_id,
    find_repeat,
    is_accepted,
    repeated_reference,
    too_many_missing,
    too_many_new,
)
from pipelines.ingest.keys import find_repeated_keys
from pipelines.ingest.landing import Landing
from pipelines.ingest.ledger import create_raw_tables, write_ledger, write_rows
from pipelines.ingest.notation import read_notation
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.table import Contents
from pipelines.quality import Gate, check_rows
from pipelines.sealing import sealed_name
from pipelines.settings import Settings
from pipelines.sources import Source, load_sources, never_stored, source_for
from pipelines.warehouse import Warehouse, open_warehouse

log = logging.getLogger(__name__)

_NO_MAPPING = (
    "No source mapping fits this file's name. Rename it, or write a mapping for it in HOME/sources "
    "(oneclient map FILE makes a first one), and put it into the inbox again."
)
_NO_FILE = "It is a link, a pipe or a device, so it was not opened. Put the file itself into the inbox instead."
_REPEATED = "The same content was loaded before, and nothing of this source came in between."
_SAME_DAY = "The same content was loaded before, and this delivery of it is known."
_ANOTHER_SENDER = (
    "The same content was loaded before as a file of another sender, so it was not loaded again. If that file had the "
    "wrong name, export it anew under the right one."
)
_AGAIN = "The same content was loaded before. Other content came in between, so it counts again from this day."
_FORGOTTEN_SINCE = (
    "The same content was loaded before and holds a person who was forgotten since. Its other rows are in the archive: "
    "a home that is rebuilt takes the file from there."
)
_STILL_WRITTEN = "The file was changed while it was read. It is loaded next time."


class FileChangedError(Exception):
    """The file is not the one that was read any more."""


@contextmanager
def open_landings(settings: Settings, day: date) -> Iterator[Landings]:
    """Open the warehouse to land files for the night of ``day``. The source mappings are read once."""
    sources = load_sources(settings.sources)
    with open_decisions(settings) as store:
        forgotten = frozenset(hash_ for each in read_forgettings(store.engine) for hash_ in each.forgotten.contents)
    with open_warehouse(settings) as warehouse:
        create_raw_tables(warehouse)
        yield Landings(settings, day, warehouse, sources, never_stored(sources), forgotten)


def land_file(settings: Settings, path: Path, day: date) -> Landing:
    """Land one file of the inbox for the night of ``day``. Bad input ends in quarantine and never raises."""
    with open_landings(settings, day) as landings:
        return landings.land(path)


def archived_as(settings: Settings, landing: Landing, suffix: str) -> Path:
    """Where the original of a loaded file is kept: by feed and content, never by the name that it came with."""
    plain = settings.archive / landing.feed / f"{landing.source}-{landing.content_hash[:16]}{suffix.lower()}"
    return sealed_name(plain, settings.key)


@dataclass(frozen=True)
class Inspected:
    """What a file holds and what would become of it; ``refusal`` is why it would be quarantined."""

    landing: Landing
    gate: Gate
    references: list[str]
    facts: Facts
    refusal: FileRefusedError | None


@dataclass(frozen=True)
class Landings:
    """Lands files into an open warehouse. Make one with ``open_landings``.

    ``never_stored`` are the keys of headings whose cells may not be kept; ``forgotten`` the content hashes of files
    that hold a person who was forgotten.
    """

    settings: Settings
    day: date
    warehouse: Warehouse
    sources: tuple[Source, ...]
    never_stored: frozenset[str]
    forgotten: frozenset[str]

    def land(self, path: Path) -> Landing:
        """Land one file. Bad input ends in quarantine and never raises."""
        name = name_of(path)
        source = source_for(name, self.sources)
        try:
            if not is_plain_file(path):
                return _waiting(_NO_FILE)
            state = state_of(path)
            content_hash = _hash(path)
        except OSError as error:
            cannot = f"The file cannot be opened ({error.strerror}). It is loaded once it can; see who owns it."
            return _waiting(cannot)
        named = (source.feed, source.name, source.issuer_of_file(name)) if source else ("unknown",) * 3
        feed, source_name, issuer = named
        file_id = content_id(content_hash, *named)
        landing = Landing(file_id, content_hash, source_name, feed, issuer, "loaded")
        try:
            landing = self._land(path, state, landing, source)
        except FileChangedError:
            landing = replace(landing, status="waiting", reason=_STILL_WRITTEN)
        log.info(
            "%s file %s: %s, %d rows read, %d loaded, %d rejected",
            landing.source, landing.content_hash[:12], landing.status,
            landing.rows_read, landing.rows_loaded, landing.rows_rejected,
        )  # fmt: skip
        return landing

    def _land(self, path: Path, state: FileState, landing: Landing, source: Source | None) -> Landing:
        if repeated := self._repeat(path, state, landing):
            return repeated
        if landing.content_hash in self.forgotten:
            self._take_out(path, state)
            return replace(landing, status="repeated", reason=_FORGOTTEN_SINCE)
        read = self._read(path, source)
        _see_that_it_is_unchanged(path, state)
        if isinstance(read, FileRefusedError) or source is None:
            refusal = read if isinstance(read, FileRefusedError) else FileRefusedError(_NO_MAPPING, code="F1")
            return self._quarantine(path, state, landing, refusal)
        return self._load(path, state, landing, source, read)

    def _repeat(self, path: Path, state: FileState, landing: Landing) -> Landing | None:
        """Note that content came again (P8). None: it never came, or its rows were retired and are needed again."""
        delivered = delivered_at(path, self.day)
        repeat = find_repeat(self.warehouse, landing, delivered)
        if repeat is None or (repeat.is_news and repeat.rows_of is None):
            return None
        if repeat.is_known:
            landing = replace(landing, status="repeated", reason=_ANOTHER_SENDER if repeat.is_of_another else _SAME_DAY)
        else:
            read, loaded, rejected = repeat.rows if repeat.is_news else (0, 0, 0)
            landing = replace(
                landing,
                file_id=delivery_id(landing.file_id, delivered),
                status="loaded" if repeat.is_news else "repeated",
                reason=_AGAIN if repeat.is_news else _REPEATED,
                rows_read=read,
                rows_loaded=loaded,
                rows_rejected=rejected,
            )
            if repeat.rows_of is not None:
                with self.warehouse.transaction():
                    write_ledger(delivered, self.warehouse, landing, rows_of=repeat.rows_of)
        self._take_out(path, state)
        return landing

    def _read(self, path: Path, source: Source | None) -> Contents | FileRefusedError:
        if source is None:
            return FileRefusedError(_NO_MAPPING, code="F1")
        try:
            return read_file(path, source, self.settings.ingest)
        except FileRefusedError as refusal:
            return refusal

    def inspect(self, delivered: Delivered, landing: Landing, source: Source, contents: Contents) -> Inspected:
        """What would become of a file, with the temporary tables ``rejected`` and ``unread``; writes nothing else.

        The rows of the file have to be there as ``landing``.
        """
        warehouse, feed = self.warehouse, source.definition
        date_1904 = contents.date_1904
        notations = read_notation(warehouse, source, self.day, unread=contents.unread, date_1904=date_1904)
        find_repeated_keys(warehouse, feed)
        reject(warehouse, contents, self.never_stored)
        rejected = warehouse.one("select count(*) from rejected")
        read = contents.rows.num_rows + len(contents.broken)
        landing = replace(landing, rows_read=read, rows_rejected=rejected, rows_loaded=read - rejected)
        gate = check_rows(warehouse, f"raw.{feed.name}", _GATED, landing.content_hash[:12])
        references = _file_references(feed, contents)
        facts = facts_of(warehouse, landing, source, contents, delivered, notations)
        refusal = (
            _failed(gate)
            or repeated_reference(warehouse, landing, source, references)
            or absent_column(warehouse, landing, source, contents, delivered)
        )
        if refusal is None and not is_accepted(warehouse, landing):
            refusal = too_many_missing(facts.missing) or too_many_new(facts.surge)
        return Inspected(landing, gate, references, facts, refusal)

    def _load(self, path: Path, state: FileState, landing: Landing, source: Source, contents: Contents) -> Landing:
        warehouse, delivered = self.warehouse, delivered_at(path, self.day)
        with warehouse.relation("landing", contents.rows):
            inspected = self.inspect(delivered, landing, source, contents)
            landing, gate, facts = inspected.landing, inspected.gate, inspected.facts
            if refusal := inspected.refusal:
                landing = replace(landing, rows_loaded=0, rows_rejected=landing.rows_read)
                return self._quarantine(path, state, landing, refusal, contents=contents, gate=gate, facts=facts)
            archived = archived_as(self.settings, landing, kept_suffix(path))
            keep_copy(path, archived, self.never_stored, readable=True, layout=contents.layout, key=self.settings.key)
            _see_that_it_is_unchanged(path, state, archived)
            with warehouse.transaction():
                write_rows(warehouse, source, landing)
                write_ledger(
                    delivered,
                    warehouse,
                    landing,
                    references=inspected.references,
                    unmapped=contents.unmapped,
                    gate=gate,
                    facts=facts,
                )
        self._take_out(path, state)
        return landing

    def _quarantine(
        self,
        path: Path,
        state: FileState,
        landing: Landing,
        refusal: FileRefusedError,
        *,
        contents: Contents | None = None,
        gate: Gate | None = None,
        facts: Facts | None = None,
    ) -> Landing:
        """Keep the file in quarantine with the reason beside it; one that might hide a never-stored column stays in the
        inbox."""
        name, key = f"{landing.source}-{landing.content_hash[:16]}", self.settings.key
        kept = sealed_name(self.settings.quarantine / f"{name}{kept_suffix(path)}", key)
        layout = contents.layout if contents else None
        copied = keep_copy(path, kept, self.never_stored, readable=contents is not None, layout=layout, key=key)
        if copied:
            _see_that_it_is_unchanged(path, state, kept)
        trouble = refusal.trouble
        landing = replace(
            landing, status="quarantined", reason=str(refusal), code=trouble.code, left_in_inbox=not copied
        )
        note = {
            "file_name": name_of(path),
            "source": landing.source,
            "content_hash": landing.content_hash,
            "night": self.day.isoformat(),
            "reason": landing.reason,
            "code": trouble.code,
            "see": trouble.see,
            "copy": kept.name
            if copied
            else "left in the inbox: it cannot be searched for columns that must not be stored",
        }
        text = json.dumps(note, indent=2, ensure_ascii=False) + "\n"
        kept.with_name(f"{name}.reason.json").write_text(text, "utf-8")
        delivered = delivered_at(path, self.day)
        landing = replace(landing, file_id=delivery_id(landing.file_id, delivered))
        unmapped = contents.unmapped if contents else ()
        with self.warehouse.transaction():
            write_ledger(delivered, self.warehouse, landing, unmapped=unmapped, gate=gate, facts=facts)
        if copied:
            self._take_out(path, state)
        return landing

    def _take_out(self, path: Path, state: FileState) -> None:
        """Delete a file from the inbox, once what was kept of it no longer depends on the write-ahead log.

        A file that took its place meanwhile stays, and is landed next time.
        """
        self.warehouse.checkpoint()
        if state_of(path) == state:
            path.unlink()


# The rows that the suite of a feed looks at, as sent, and for each whether it could be read. Lines that are no rows (a
# footer) are left out, and a key that is a placeholder was read: it says nothing of the file as a whole.
_GATED = """
    select
        row_number,
        nullif(trim(columns(* exclude (row_number))), ''),
        row_number not in (select row_number from rejected where not could_be_read) as readable
    from landing
    union all by name
    select row_number, false as readable from rejected
    where row_number not in (select row_number from landing) and not contains(reason, 'not a row')
"""


def _waiting(reason: str) -> Landing:
    return Landing(0, "", "unknown", "unknown", "unknown", "waiting", reason)


def _see_that_it_is_unchanged(path: Path, state: FileState, copy: Path | None = None) -> None:
    """Raises FileChangedError, and deletes the copy, if the file is another one than was read, or was changed since."""
    try:
        unchanged = state_of(path) == state
    except OSError:
        unchanged = False
    if not unchanged:
        if copy:
            copy.unlink(missing_ok=True)
        raise FileChangedError


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file_references(feed: Feed, contents: Contents) -> list[str]:
    if feed.reference_field is None:
        return []
    found = pc.unique(contents.rows.column(feed.reference_field)).to_pylist()
    return sorted(value.strip() for value in found if value and value.strip())


def _failed(gate: Gate) -> FileRefusedError | None:
    if gate.success:
        return None
    return FileRefusedError(f"The file failed its checks: {gate.failures()}. Ask the sender about it.", code="F10")
