"""The files that are kept as they came: in the archive, in quarantine, and decisions that were handed back."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.custody.personal import ERASED, TOKEN, KnownBy
from pipelines.custody.rewrite import rewrite
from pipelines.ingest.fields import read_file
from pipelines.ingest.layout import Header
from pipelines.ingest.originals import CannotBeReadError, kept, plain
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.split import filled_width_of
from pipelines.ingest.table import SheetRead
from pipelines.settings import Settings
from pipelines.sources import Source, heading_key, load_sources
from pipelines.stage.forgotten import FORGOTTEN
from pipelines.warehouse import Warehouse

_NAMELESS = frozenset({"roster_visits", "roster_enrolments"})


class OriginalDiffersError(FileRefusedError):
    """A kept original is not the file that was loaded from it, so nobody can tell which rows to erase."""

    code = "F13"


@dataclass(frozen=True)
class Original:
    """One loaded file of which rows are to be erased: by row number the id as sent and the id that it keeps."""

    path: Path
    source: Source
    rows: Mapping[int, tuple[str, str]]
    rejected: frozenset[int]


@dataclass
class Found:
    """How many rows of kept files were erased, and how many files are damaged, so that nobody can search them."""

    rows: int = 0
    files: int = 0
    not_searched: list[str] = field(default_factory=list)


def originals_of(settings: Settings, warehouse: Warehouse, rejected: Mapping[int, set[int]]) -> list[Original]:
    """The kept files with rows of the person in ``rows_to_erase``, or among ``rejected`` (file id → row numbers)."""
    sources = {source.name: source for source in reversed(load_sources(settings.sources))}
    rows: dict[int, dict[int, tuple[str, str]]] = {}
    for file_id, number, record_id, kept_id in warehouse.rows(
        "select file_id, row_number, record_id, kept_id from rows_to_erase"
    ):
        rows.setdefault(file_id, {})[number] = (record_id, kept_id)
    files = warehouse.rows(
        "select file_id, source, feed, content_hash from raw.files"
        " where status = 'loaded' and file_id not in (select file_id from raw.retired_files)"
    )
    return [
        Original(path, sources[source], rows.get(file_id, {}), frozenset(rejected.get(file_id, ())))
        for file_id, source, feed, content_hash in files
        if file_id in rows or file_id in rejected
        if (path := kept(settings, feed, source, content_hash))
    ]


def contents_of(settings: Settings, originals: Iterable[Original]) -> list[str]:
    """SHA-256 of each kept file as it can be read: without never-stored columns it is not the one that came."""
    found = []
    for original in originals:
        with plain(settings, original.path) as path, path.open("rb") as file:
            found.append(hashlib.file_digest(file, "sha256").hexdigest())
    return found


def erase_original(settings: Settings, original: Original) -> int:
    """Erase the person's cells in one kept file; every other cell, and the number of rows, stays. Gives the rows.

    Raises OriginalDiffersError, and changes nothing, when a row is not the one that was loaded.
    """
    with plain(settings, original.path) as path:
        contents = read_file(path, original.source, settings.ingest)
    sheets = {sheet.name: sheet for sheet in contents.sheets} or {"": SheetRead("", contents.header)}
    erased = ERASED[original.source.feed]

    def change(name: str, number: int, cells: list[str]) -> Sequence[str] | None:
        if name not in sheets:
            return None
        fields = _fields(original.source, sheets[name].header)
        number += sheets[name].first_number
        if not (number in original.rows or number in original.rejected):
            return None
        if number in original.rejected:
            return [FORGOTTEN if field == "surname" else "" for field in fields] if "surname" in fields else [FORGOTTEN]
        as_sent, kept_id = original.rows[number]
        _check(original, fields, cells, as_sent, kept_id)
        return [_erased(erased, field, cell, kept_id) for field, cell in zip(fields, cells, strict=False)]

    layout = contents.layout
    encoding, delimiter = (layout.encoding, layout.delimiter) if layout else (None, None)
    width = filled_width_of(layout) if layout else None
    return rewrite(settings, original.path, change, encoding, delimiter, width)


def erase_elsewhere(settings: Settings, known: KnownBy) -> Found:
    """Erase the rows about the person in quarantine and in decisions that were handed back."""
    feeds = {source.name: source.feed for source in load_sources(settings.sources)}
    found = Found()
    decisions = settings.archive / "decisions"
    for path in sorted((*settings.quarantine.glob("*"), *decisions.glob("*"))):
        if not path.is_file() or path.name.startswith(".") or path.suffix == ".json":
            continue
        nameless = feeds.get(path.name.partition(".")[0].rpartition("-")[0]) in _NAMELESS

        def change(_: str, __: int, cells: list[str], number_alone: bool = nameless) -> Sequence[str] | None:
            return [""] * len(cells) if known.are_meant(cells, number_alone=number_alone) else None

        try:
            rows = rewrite(settings, path, change)
        except CannotBeReadError:
            found.not_searched.append(path.relative_to(settings.home).as_posix())
            continue
        found.rows += rows
        found.files += bool(rows)
    return found


def rejected_rows(warehouse: Warehouse, known: KnownBy) -> dict[int, set[int]]:
    """The rows about the person among those that could not be loaded: file id → row numbers."""
    found: dict[int, set[int]] = {}
    for file_id, number, text, feed in warehouse.rows(
        "select r.file_id, r.row_number, r.row_as_sent, f.feed from raw.rejected_rows as r"
        " join raw.files as f using (file_id) where r.row_as_sent is not null"
    ):
        if known.are_meant(_cells(text), number_alone=feed in _NAMELESS):
            found.setdefault(file_id, set()).add(number)
    return found


def _cells(text: str) -> Iterable[str]:
    """The cells of a row as ``raw.rejected_rows`` holds it: JSON by field, or the line itself."""
    try:
        row: Any = json.loads(text)
    except ValueError:
        row = None
    if isinstance(row, dict):
        return [str(cell) for cell in row.values() if cell is not None]
    delimiter = max((",", ";", "\t", "|"), key=text.count)
    return [cell for cells in csv.reader(text.splitlines(), delimiter=delimiter) for cell in cells]


def _fields(source: Source, header: Header) -> list[str]:
    """The field that each column carries; empty: a column that no mapping reads.

    A column of several fields counts as its surname, so that a whole name is read as one word afterwards.
    """
    carried = {heading_key(heading): source.fields_of(heading) for heading in source.columns}
    by_key = {key: "surname" if "surname" in fields else fields[0] for key, fields in carried.items()}
    return [by_key.get(key, "") for key in header.keys]


def _erased(erased: Mapping[str, str], field: str, cell: str, kept_id: str) -> str:
    if not field:
        return ""
    if field not in erased or (field != "surname" and not cell.strip()):
        return cell
    return kept_id if erased[field] == TOKEN else erased[field]


def _check(original: Original, fields: Sequence[str], cells: Sequence[str], as_sent: str, kept_id: str) -> None:
    """See that the row is the one that was loaded."""
    row = dict(zip(fields, (cell.strip() for cell in cells), strict=False))
    if original.source.feed == "purchase_orders":
        right = as_sent.startswith(f"{row.get('purchase_order_number')}/")
    else:
        right = row.get("client_id") in {as_sent, kept_id}
    if not right:
        raise OriginalDiffersError(
            f"A kept original of {original.source.name} is not as it was when it was loaded, and was not changed. "
            "Restore archive/ from its last backup, and run the same command again."
        )
