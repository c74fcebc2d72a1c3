"""Land one delivered file: read it, gate it, keep the original, and put its rows as sent into ``raw``.

The order of the steps is what makes a crash harmless: the archive copy is whole before the rows are committed, the
rows and their ledger line are one transaction, and the inbox file goes last, once they are in the database file itself.
Run again, each step finds what it did.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.decisions.forgetting import read_forgettings
from pipelines.decisions.store import open_decisions
from pipelines.feeds import FEEDS, Feed
from pipelines.ingest.archive import keep_copy
from pipelines.ingest.discover import is_plain_file, kept_suffix, name_of
from pipelines.ingest.faults import reject
from pipelines.ingest.fields import read_file
from pipelines.ingest.keys import find_repeated_keys
from pipelines.ingest.notation import read_notation
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.table import Contents
from pipelines.quality import Gate, check, suite_columns
from pipelines.sealing import sealed_name
from pipelines.settings import Settings
from pipelines.sources import Source, load_sources, never_stored, source_for
from pipelines.warehouse import Warehouse, open_warehouse, sql_text

log = logging.getLogger(__name__)

Status = Literal["loaded", "repeated", "quarantined", "waiting"]

_NO_MAPPING = (
    "No source mapping fits this file's name. Rename it, or write a mapping for it in HOME/sources "
    "(oneclient map FILE makes a first one), and put it into the inbox again."
)
_NO_FILE = (
    "It is a link, a pipe or a device and no file, so it was not opened. Put the file itself into the inbox instead."
)
_FORGOTTEN_SINCE = (
    "The same content came before, and holds somebody who was forgotten since. What else it holds is in the archive: "
    "a home that is made again takes the file from there."
)


@dataclass(frozen=True)
class Landing:
    """What became of one delivered file. ``file_id`` comes from its content, so the same file is the same id.

    ``code`` says why a quarantined file was refused (``docs/errors.md``);
    ``repeated`` files were loaded before; ``waiting`` files are still being written and are taken next time.
    """

    file_id: int
    content_hash: str
    source: str
    feed: str
    issuer: str
    status: Status
    reason: str | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    left_in_inbox: bool = False
    code: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON and XCom: no file name, no cell."""
        return asdict(self)


@dataclass(frozen=True)
class _Delivered:
    """A file in the inbox of a home, the night that it is landed for, and the headings that may not be stored."""

    settings: Settings
    path: Path
    day: date
    never_stored: frozenset[str]


def land_file(settings: Settings, path: Path, day: date) -> Landing:
    """Land one file of the inbox for the night of ``day``. Bad input ends in quarantine and never raises."""
    sources = load_sources(settings.sources)
    name = name_of(path)
    source = source_for(name, sources)
    try:
        if not is_plain_file(path):
            return _waiting(_NO_FILE)
        before = path.stat()
        content_hash = _hash(path)
    except OSError as error:
        cannot = f"The file cannot be opened ({error.strerror}). It is taken once it can; see who owns it."
        return _waiting(cannot)
    landing = Landing(
        file_id=int(content_hash[:13], 16),
        content_hash=content_hash,
        source=source.name if source else "unknown",
        feed=source.feed if source else "unknown",
        issuer=source.issuer_of_file(name) if source else "unknown",
        status="loaded",
    )
    read = _read(path, source, settings)
    if (path.stat().st_size, path.stat().st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        return replace(landing, status="waiting", reason="The file was still being written. It is taken next time.")
    delivered = _Delivered(settings, path, day, never_stored(sources))
    with open_warehouse(settings) as warehouse:
        create_raw_tables(warehouse)
        if _loaded_before(warehouse, landing):
            _take_out(path, warehouse)
            landing = replace(landing, status="repeated", reason="The same content was loaded before.")
        elif _holds_somebody_forgotten(settings, landing):
            _take_out(path, warehouse)
            landing = replace(landing, status="repeated", reason=_FORGOTTEN_SINCE)
        elif isinstance(read, FileRefusedError):
            landing = _quarantine(delivered, warehouse, landing, read)
        elif source:
            landing = _load(delivered, warehouse, landing, source, read)
    log.info(
        "%s file %s: %s, %d rows read, %d loaded, %d rejected",
        landing.source, landing.content_hash[:12], landing.status,
        landing.rows_read, landing.rows_loaded, landing.rows_rejected,
    )  # fmt: skip
    return landing


def _waiting(reason: str) -> Landing:
    return Landing(0, "", "unknown", "unknown", "unknown", "waiting", reason)


def archived_as(settings: Settings, landing: Landing, suffix: str) -> Path:
    """Where the original of a loaded file is kept: by feed and content, never by the name that it came with."""
    plain = settings.archive / landing.feed / f"{landing.source}-{landing.content_hash[:16]}{suffix.lower()}"
    return sealed_name(plain, settings.key)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, source: Source | None, settings: Settings) -> Contents | FileRefusedError:
    if source is None:
        return FileRefusedError(_NO_MAPPING, code="F1")
    try:
        return read_file(path, source, settings.ingest)
    except FileRefusedError as refusal:
        return refusal


def create_raw_tables(warehouse: Warehouse) -> None:
    """The landing ledger and one table of text for each feed, empty, unless they are there."""
    nothing = dict.fromkeys(re.findall(r"\$([a-z_]+)", sql_text("raw.files")))
    warehouse.create("raw.files", sql_text("raw.files"), nothing)
    for feed in FEEDS.values():
        fields = ", ".join(f"null::varchar as {name}" for name in feed.field_names)
        select = f"select null::bigint as file_id, null::bigint as row_number, null::varchar as issuer, {fields}"
        warehouse.create(f"raw.{feed.name}", select)
    for work, table, cells in (
        ("rejected", "raw.rejected_rows", "row_as_sent"),
        ("unread", "raw.unread_values", "value_as_sent"),
    ):
        warehouse.execute(
            f"create or replace temp table {work}"
            f" (row_number bigint, column_name varchar, reason varchar, {cells} varchar)"
        )
        warehouse.create(table, sql_text(table), {"file_id": None})


def _loaded_before(warehouse: Warehouse, landing: Landing) -> bool:
    return bool(
        warehouse.one(
            "select count(*) from raw.files where content_hash = $hash and status = 'loaded'",
            {"hash": landing.content_hash},
        )
    )


def _holds_somebody_forgotten(settings: Settings, landing: Landing) -> bool:
    """Whether these bytes came before, here or in the home that this was made again from, and hold such a person."""
    with open_decisions(settings) as store:
        return any(landing.content_hash in each.forgotten.contents for each in read_forgettings(store.engine))


def _load(delivered: _Delivered, warehouse: Warehouse, landing: Landing, source: Source, contents: Contents) -> Landing:
    path, hidden = delivered.path, delivered.never_stored
    feed = source.definition
    with warehouse.relation("landing", contents.rows):
        date_1904 = getattr(contents, "date_1904", False)
        read_notation(warehouse, source, delivered.day, unread=contents.unread, date_1904=date_1904)
        find_repeated_keys(warehouse, feed)
        reject(warehouse, contents, hidden)
        rejected = warehouse.one("select count(*) from rejected")
        read = contents.rows.num_rows + len(contents.broken)
        landing = replace(landing, rows_read=read, rows_rejected=rejected, rows_loaded=read - rejected)
        gate = check(f"raw.{feed.name}", _gate_frame(warehouse, feed, contents), landing.content_hash[:12])
        references = _file_references(feed, contents.rows)
        refusal = _failed(gate) or _repeated_reference(warehouse, landing, source, contents.rows, references)
        if refusal:
            landing = replace(landing, rows_loaded=0, rows_rejected=read)
            return _quarantine(delivered, warehouse, landing, refusal, contents=contents, gate=gate)
        archived = archived_as(delivered.settings, landing, kept_suffix(path))
        keep_copy(path, archived, hidden, readable=True, layout=contents.layout, key=delivered.settings.key)
        with warehouse.transaction():
            _insert(warehouse, f"raw.{feed.name}", *_raw_rows(source, landing))
            for table in ("raw.rejected_rows", "raw.unread_values"):
                _insert(warehouse, table, sql_text(table), {"file_id": landing.file_id})
            _write_ledger(delivered, warehouse, landing, references=references, unmapped=contents.unmapped, gate=gate)
    _take_out(path, warehouse)
    return landing


def _take_out(path: Path, warehouse: Warehouse) -> None:
    """Take an original out of the inbox, once what was kept of it no longer hangs on the write-ahead log."""
    warehouse.checkpoint()
    path.unlink()


def _gate_frame(warehouse: Warehouse, feed: Feed, contents: Contents) -> pd.DataFrame:
    """The columns that the feed's suite looks at (empty cells as null), and for each row whether it is ``readable``."""
    columns = [c for c in suite_columns(f"raw.{feed.name}") if c in feed.field_names]
    unreadable = pa.array(
        [n for (n,) in warehouse.rows("select row_number from rejected where not could_be_read")], pa.int64()
    )
    rows = contents.rows
    frame: pd.DataFrame = pa.table(
        {c: pc.if_else(pc.equal(rows.column(c), ""), None, rows.column(c)) for c in columns}
        | {"readable": pc.invert(pc.is_in(rows.column("row_number"), unreadable))}
    ).to_pandas(types_mapper=pd.ArrowDtype)
    if contents.broken:
        broken = pd.DataFrame({"readable": [False] * len(contents.broken)}, dtype="bool[pyarrow]")
        frame = pd.concat([frame, broken], ignore_index=True)
    return frame


def _file_references(feed: Feed, rows: pa.Table) -> list[str]:
    if feed.reference_field is None:
        return []
    return sorted(v.strip() for v in pc.unique(rows.column(feed.reference_field)).to_pylist() if v and v.strip())


def _failed(gate: Gate) -> FileRefusedError | None:
    if gate.success:
        return None
    return FileRefusedError(f"The file failed its checks: {gate.failures()}. Ask the sender about it.", code="F10")


def _repeated_reference(
    warehouse: Warehouse, landing: Landing, source: Source, rows: pa.Table, references: list[str]
) -> FileRefusedError | None:
    """Law 2: a delivery whose every FileReference was loaded before is the same delivery, whatever its bytes."""
    if not references:
        return None
    known = {
        reference
        for (reference,) in warehouse.rows(
            "select unnest(file_references) from raw.files where status = 'loaded' and feed = $feed"
            " and issuer = $issuer",
            {"feed": source.feed, "issuer": landing.issuer},
        )
    }
    if set(references) <= known:
        return FileRefusedError(
            "Its FileReference was loaded before, from a file with other content, so it was not loaded again. "
            "If it is a correction, ask the sender to give it a FileReference of its own.",
            code="F11",
        )
    return None


def _raw_rows(source: Source, landing: Landing) -> tuple[str, dict[str, Any]]:
    stated = "upper(authority_code)" if "authority_code" in source.definition.field_names else "null"
    return (
        f"select $file_id::bigint as file_id, row_number, coalesce({stated}, $issuer::varchar) as issuer,"
        f" {', '.join(source.definition.field_names)} from reading"
        " where row_number not in (select row_number from rejected)",
        {"file_id": landing.file_id, "issuer": landing.issuer},
    )


def _insert(warehouse: Warehouse, table: str, select: str, parameters: dict[str, Any]) -> None:
    warehouse.create(table, select, parameters)
    warehouse.execute(f"delete from {table} where file_id = $file_id", {"file_id": parameters["file_id"]})
    warehouse.execute(f"insert into {table} {select}", parameters)


def _write_ledger(
    delivered: _Delivered,
    warehouse: Warehouse,
    landing: Landing,
    *,
    references: Sequence[str] = (),
    unmapped: Sequence[str] = (),
    gate: Gate | None = None,
) -> None:
    line = {
        "file_id": landing.file_id,
        "content_hash": landing.content_hash,
        "file_name": name_of(delivered.path),
        "source": landing.source,
        "feed": landing.feed,
        "issuer": landing.issuer,
        "file_references": list(references),
        "delivered_for": delivered.day,
        "status": landing.status,
        "reason": landing.reason,
        "rows_read": landing.rows_read,
        "rows_loaded": landing.rows_loaded,
        "rows_rejected": landing.rows_rejected,
        "headings_unmapped": list(unmapped),
        "gate": json.dumps(gate.as_dict()) if gate else None,
        "landed_at": datetime.now(UTC),
    }
    warehouse.work("ledger_line", "raw.files", line)
    warehouse.upsert("raw.files", ["file_id"], "ledger_line", keep=["file_name", "delivered_for", "landed_at"])


def _quarantine(
    delivered: _Delivered,
    warehouse: Warehouse,
    landing: Landing,
    refusal: FileRefusedError,
    *,
    contents: Contents | None = None,
    gate: Gate | None = None,
) -> Landing:
    """Set the file aside with its reason beside it; one that might hide a never-stored column stays in the inbox."""
    path, name, key = delivered.path, f"{landing.source}-{landing.content_hash[:16]}", delivered.settings.key
    kept = sealed_name(delivered.settings.quarantine / f"{name}{kept_suffix(path)}", key)
    layout = contents.layout if contents else None
    copied = keep_copy(path, kept, delivered.never_stored, readable=contents is not None, layout=layout, key=key)
    trouble = refusal.trouble
    landing = replace(landing, status="quarantined", reason=str(refusal), code=trouble.code, left_in_inbox=not copied)
    note = {
        "file_name": name_of(path),
        "source": landing.source,
        "content_hash": landing.content_hash,
        "night": delivered.day.isoformat(),
        "reason": landing.reason,
        "code": trouble.code,
        "see": trouble.see,
        "copy": kept.name if copied else "left in the inbox: it cannot be searched for columns that must not be stored",
    }
    kept.with_name(f"{name}.reason.json").write_text(json.dumps(note, indent=2, ensure_ascii=False) + "\n", "utf-8")
    with warehouse.transaction():
        _write_ledger(delivered, warehouse, landing, gate=gate)
    if copied:
        _take_out(path, warehouse)
    return landing
