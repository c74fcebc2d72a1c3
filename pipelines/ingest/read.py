"""Read one delivered file as text: a CSV of any encoding and delimiter, or a workbook.

Every cell stays as sent. What can be read becomes an Arrow table of strings with the row's number in the file; a row
with too few or too many cells is set aside; a file that cannot be trusted as a whole is refused.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from charset_normalizer import from_bytes
from python_calamine import CalamineError, CalamineWorkbook

from pipelines.ingest.refusal import FileRefusedError, NotTextError
from pipelines.settings import IngestSettings
from pipelines.sources import Source, heading_key

HEADER_SEARCH_ROWS = 30
_WORKBOOKS = {".xlsx", ".xlsm"}
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_BYTES = 1 << 18
_WESTERN = ["cp1252", "cp1250", "mac_roman", "cp850", "utf_16", "utf_16_le", "utf_16_be"]
_MAX_CELLS = 80_000_000
_ASK_AGAIN = "Ask the sender for the file again."


@dataclass(frozen=True)
class BrokenRow:
    """A row whose number of cells does not fit the header. ``row_number`` counts from the top of the file, from 1."""

    row_number: int
    cells: int
    text: str


@dataclass(frozen=True)
class Header:
    """Where the table begins: the headings as sent, and the last physical line (CSV) or row (sheet) of the header."""

    headings: tuple[str, ...]
    last_line: int

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(heading_key(h) for h in self.headings)


@dataclass(frozen=True)
class Layout:
    """How a text file is written."""

    encoding: str
    delimiter: str
    header: Header


@dataclass(frozen=True)
class Contents:
    """One file, read: ``rows`` has ``row_number`` (int64) and one string column for each field of the feed."""

    rows: pa.Table
    broken: tuple[BrokenRow, ...]
    header: Header
    layout: Layout | None
    unmapped: tuple[str, ...]


def read_file(path: Path, source: Source, limits: IngestSettings) -> Contents:
    """Read a file through its source mapping.

    Raises FileRefusedError when it is empty, cut off, not what its name says, or too large once unpacked.
    """
    if path.stat().st_size == 0:
        raise FileRefusedError(f"The file is empty. {_ASK_AGAIN}")
    if path.suffix.lower() in _WORKBOOKS:
        return _read_workbook(path, source, limits)
    return _read_csv(path, source)


def find_headings(path: Path, wanted: Sequence[str], limits: IngestSettings) -> tuple[str, ...]:
    """The headings of a file of unknown layout. Raises FileRefusedError when it has none of the wanted ones."""
    if path.suffix.lower() not in _WORKBOOKS:
        return text_layout(path, wanted).header.headings
    for _name, rows in workbook_rows(path, limits):
        if header := header_among(rows, wanted):
            return header.headings
    raise FileRefusedError("No sheet holds headings that any feed is known by.")


def text_layout(path: Path, wanted: Sequence[str], encoding: str | None = None, delimiter: str | None = None) -> Layout:
    """Encoding, delimiter and header of a text file; the header is the row with most of the ``wanted`` heading keys.

    Raises FileRefusedError for a file that is not text, or in whose first rows there is none of those headings.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    if sample[:4] in {b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x7fELF", b"Rar!"} or sample[:2] == b"\x1f\x8b":
        raise NotTextError("The file is not text as its name says, but a workbook, archive or document. Send CSV.")
    encoding = encoding or _encoding(sample)
    text = sample.decode(encoding, errors="replace")
    if "\0" in text:
        raise NotTextError(f"The file is not text as its name says: it holds binary zeros. {_ASK_AGAIN}")
    found = [
        (len(set(map(heading_key, cells)) & set(wanted)), candidate, Header(tuple(cells), line))
        for candidate in ([delimiter] if delimiter else _DELIMITERS)
        for cells, line in _first_records(text, candidate)
    ]
    hits, delimiter, header = max(found, key=lambda f: f[0], default=(0, ",", Header((), 0)))
    if not hits:
        raise FileRefusedError(
            f"None of the first {HEADER_SEARCH_ROWS} rows holds the headings that this source sends. "
            "If the layout is new, write a source mapping (oneclient map FILE); else ask the sender for the right file."
        )
    return Layout(encoding, delimiter, header)


def workbook_rows(path: Path, limits: IngestSettings, sheet: str | None = None) -> Iterator[tuple[str, list[list[str]]]]:
    """Each sheet of a workbook as (name, rows of text cells).

    Raises FileRefusedError for what is not a whole, readable workbook of a bearable size.
    """
    _refuse_unsafe_zip(path, limits)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names = [sheet] if sheet else workbook.sheet_names
        for name in names:
            yield name, [list(map(_cell_text, row)) for row in workbook.get_sheet_by_name(name).to_python(False)]
    except (CalamineError, OSError, ValueError) as error:
        raise FileRefusedError(f"The workbook cannot be read: it is damaged, or protected. {_ASK_AGAIN}") from error


def header_among(rows: Iterable[Sequence[str]], wanted: Sequence[str]) -> Header | None:
    """The row, among the first of a sheet, with most of the wanted heading keys (None: no row has any)."""
    best = (0, Header((), 0))
    for number, row in enumerate(rows, start=1):
        if number > HEADER_SEARCH_ROWS:
            break
        hits = len({heading_key(cell) for cell in row} & set(wanted))
        best = max(best, (hits, Header(tuple(row), number)), key=lambda b: b[0])
    return best[1] if best[0] else None


def _read_csv(path: Path, source: Source) -> Contents:
    wanted = [heading_key(h) for h in source.columns]
    layout = text_layout(path, wanted, source.encoding, source.delimiter)
    _require_headings(layout.header, source)
    try:
        table, broken = _parse_csv(path, layout)
    except pa.ArrowInvalid as error:
        if "UTF8" not in str(error):
            raise FileRefusedError(f"The file cannot be read as a table: its quoting is broken. {_ASK_AGAIN}") from error
        layout = Layout(_encoding(path.read_bytes()), layout.delimiter, layout.header)
        table, broken = _parse_csv(path, layout)
    _refuse_cut_off(path, layout, table, broken)
    first = layout.header.last_line + 1
    total = table.num_rows + len(broken)
    set_aside = {row.row_number for row in broken}
    numbers = pa.array(np.setdiff1d(np.arange(first, first + total), sorted(set_aside)), pa.int64())
    rows, unmapped = _by_field(table, numbers, layout.header, source)
    return Contents(rows, broken, layout.header, layout, unmapped)


def _parse_csv(path: Path, layout: Layout) -> tuple[pa.Table, tuple[BrokenRow, ...]]:
    broken: list[BrokenRow] = []

    def set_aside(row: Any) -> str:
        broken.append(BrokenRow(row.number, row.actual_columns, row.text))
        return "skip"

    names = [f"c{n}" for n in range(len(layout.header.headings))]
    table = pacsv.read_csv(
        path,
        read_options=pacsv.ReadOptions(
            use_threads=False, skip_rows=layout.header.last_line, column_names=names, encoding=layout.encoding
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=layout.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=set_aside,
        ),
        convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )
    return table, tuple(broken)


def _refuse_cut_off(path: Path, layout: Layout, table: pa.Table, broken: tuple[BrokenRow, ...]) -> None:
    with path.open("rb") as file:
        quotes = sum(block.count(b'"') for block in iter(lambda: file.read(1 << 24), b""))
        file.seek(-1, io.SEEK_END)
        ends_with_newline = file.read(1) in b"\r\n"
    if quotes % 2:
        raise FileRefusedError(f"A quoted value is never closed: the file is cut off, or its quoting is broken. {_ASK_AGAIN}")
    if ends_with_newline:
        return
    last_row = layout.header.last_line + table.num_rows + len(broken)
    if any(row.row_number == last_row and row.cells < len(layout.header.headings) for row in broken):
        raise FileRefusedError(f"The file ends in the middle of row {last_row}: it is half-written or cut off. {_ASK_AGAIN}")
    if table.num_rows > 1:
        column = table.column(table.num_columns - 1)
        last, others = column[-1].as_py(), column.slice(0, table.num_rows - 1)
        begun = pc.any(pc.starts_with(others, last)).as_py() and not pc.any(pc.equal(others, last)).as_py()
        if begun:
            raise FileRefusedError(
                f"The last cell of row {last_row} is only the beginning of a value, and no line end follows: "
                f"the file is half-written or cut off. {_ASK_AGAIN}"
            )


def _read_workbook(path: Path, source: Source, limits: IngestSettings) -> Contents:
    wanted = [heading_key(h) for h in source.columns]
    for _name, rows in workbook_rows(path, limits, source.sheet):
        header = header_among(rows, wanted)
        if header is None:
            continue
        _require_headings(header, source)
        width = len(header.headings)
        body = list(enumerate(rows[header.last_line :], start=header.last_line + 1))
        broken = tuple(
            BrokenRow(n, len(row), ",".join(row)) for n, row in body if any(cell for cell in row[width:])
        )
        set_aside = {row.row_number for row in broken}
        kept = [(n, row) for n, row in body if n not in set_aside]
        table = pa.table(
            {f"c{i}": pa.array([row[i] if i < len(row) else "" for _, row in kept], pa.string()) for i in range(width)}
        )
        numbers = pa.array([n for n, _ in kept], pa.int64())
        fields, unmapped = _by_field(table, numbers, header, source)
        return Contents(fields, broken, header, None, unmapped)
    raise FileRefusedError(
        "No sheet holds the headings that this source sends. If the layout is new, write a source mapping "
        "(oneclient map FILE); else ask the sender for the right file."
    )


def _by_field(
    table: pa.Table, numbers: pa.Array, header: Header, source: Source
) -> tuple[pa.Table, tuple[str, ...]]:
    """Columns by field name, blank rows dropped; where a heading stands twice, the first that is filled counts."""
    field_of = {heading_key(heading): field for heading, field in source.columns.items()}
    columns: dict[str, pa.ChunkedArray] = {}
    for i, key in enumerate(header.keys):
        if (field := field_of.get(key)) is None:
            continue
        cells = table.column(i)
        columns[field] = pc.if_else(pc.equal(columns[field], ""), cells, columns[field]) if field in columns else cells
    filled = None
    for cells in table.columns:
        here = pc.not_equal(cells, "")
        filled = here if filled is None else pc.or_(filled, here)
        if pc.all(filled).as_py():
            break
    nothing = pa.nulls(table.num_rows, pa.string())
    rows = pa.table({"row_number": numbers, **{f: columns.get(f, nothing) for f in source.definition.field_names}})
    unmapped = tuple(h for h, key in zip(header.headings, header.keys, strict=True) if key and key not in field_of)
    return rows.filter(filled) if table.num_rows else rows, unmapped


def _require_headings(header: Header, source: Source) -> None:
    required = {field.name for field in source.definition.fields if field.required}
    missing = [h for h, field in source.columns.items() if field in required and heading_key(h) not in header.keys]
    if missing:
        raise FileRefusedError(
            f"The table has no heading {', '.join(missing)}, so it is not the {source.feed} file that its name says. "
            "Ask the sender for the right file, or correct the source mapping."
        )


def _encoding(sample: bytes) -> str:
    if sample[:3] == b"\xef\xbb\xbf":
        return "utf-8-sig"
    if sample[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    try:
        sample[:-3].decode("utf-8") if len(sample) == _SAMPLE_BYTES else sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:
            best = from_bytes(sample[:_SAMPLE_BYTES], cp_isolation=_WESTERN).best()
            return best.encoding if best else "cp1252"
    return "utf-8"


def _first_records(text: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for _, cells in zip(range(HEADER_SEARCH_ROWS), reader, strict=False):
            yield cells, reader.line_num
    except csv.Error:
        return


def _refuse_unsafe_zip(path: Path, limits: IngestSettings) -> None:
    """Refuse a workbook that is no whole zip, or that would fill the memory once unpacked (counted, not believed)."""
    most = limits.max_unpacked_megabytes << 20
    unpacked, cells = 0, 0
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                widest, lowest, tail = 0, 0, b""
                with archive.open(member) as stream:
                    while block := stream.read(1 << 20):
                        unpacked += len(block)
                        if unpacked > most or unpacked > max(path.stat().st_size * limits.max_compression_ratio, 64 << 20):
                            raise FileRefusedError(
                                f"The workbook unpacks to more than {unpacked >> 20} MB, far more than a real one of its size. "
                                "It was not opened. Ask the sender what it is; a real one can be let in by "
                                "ingest.max_unpacked_megabytes and ingest.max_compression_ratio."
                            )
                        for column, row in re.findall(rb'<c r="([A-Z]{1,3})(\d{1,7})"', tail + block):
                            widest, lowest = max(widest, _column_number(column)), max(lowest, int(row))
                        tail = block[-32:]
                cells = max(cells, widest * lowest)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise FileRefusedError(
            f"The file is not a whole workbook: it is cut off, damaged, protected, or not a workbook at all. {_ASK_AGAIN}"
        ) from error
    if cells > _MAX_CELLS:
        raise FileRefusedError(
            f"A sheet of the workbook spans {cells:,} cells, nearly all empty. Ask the sender to save only the table."
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _cell_text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).upper()
        case float() if cell.is_integer():
            return str(int(cell))
        case dt.datetime() if cell.time() == dt.time():
            return cell.date().isoformat()
        case dt.datetime():
            return cell.isoformat(sep=" ")
        case dt.time():
            return cell.strftime("%H:%M")
        case _:
            return str(cell)
