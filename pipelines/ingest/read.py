"""Read one delivered file as text: a CSV of any encoding and delimiter, or a workbook.

Every cell stays as sent. What can be read becomes an Arrow table of strings with the row's number in the file; a row
with too few or too many cells is set aside; a file that cannot be trusted as a whole is refused.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from charset_normalizer import from_bytes
from python_calamine import CalamineError, CalamineWorkbook

from pipelines.ingest.discover import name_of
from pipelines.ingest.refusal import ASK_AGAIN, FileRefusedError, NotTextError
from pipelines.ingest.unpacked import refuse_unsafe_zip
from pipelines.settings import IngestSettings
from pipelines.sources import Source, heading_key

HEADER_SEARCH_ROWS = 30
WORKBOOKS = {".xlsx", ".xlsm"}
LONGEST_LINE = 1 << 24
SWALLOWED = 8  # delimiters in a cell of several lines: more than an address has, so it is a piece of the table
DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_BYTES = 1 << 18
_OTHER_WESTERN = ["mac_roman", "cp850", "cp1250", "latin_1"]
_END = "\0end of file\0"


csv.field_size_limit(sys.maxsize)  # a cell that swallowed half a file is judged here, not by the csv module


@dataclass(frozen=True)
class BrokenRow:
    """A row that cannot be told into columns. ``row_number`` is the row that a spreadsheet shows it in, from 1."""

    row_number: int
    reason: str
    text: str


@dataclass(frozen=True)
class Header:
    """The headings as sent, the row of the header, and the last physical line that it takes up in a text file."""

    headings: tuple[str, ...]
    row: int
    last_line: int

    @property
    def keys(self) -> tuple[str, ...]:
        """The headings without case, spaces and punctuation."""
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
    if name_of(path) != path.name:
        raise FileRefusedError("The file's name is not UTF-8. Rename it and put it into the inbox again.", code="F12")
    refuse_empty(path)
    if path.suffix.lower() in WORKBOOKS:
        return _read_workbook(path, source, limits)
    return _read_csv(path, source)


def refuse_empty(path: Path) -> None:
    """Raises FileRefusedError for a file without a byte."""
    if path.stat().st_size == 0:
        raise FileRefusedError(f"The file is empty. {ASK_AGAIN}", code="F2")


def text_layout(path: Path, wanted: Sequence[str], encoding: str | None = None, delimiter: str | None = None) -> Layout:
    """Encoding, delimiter and header of a text file; the header is the row with most of the ``wanted`` heading keys.

    Raises FileRefusedError for a file that is not text, or in whose first rows there is none of those headings.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
        more = bool(file.read(1))
    encoding = encoding or text_encoding(sample, more=more)
    text = sample.decode(encoding, errors="replace")
    if "\0" in text:
        raise NotTextError(f"The file is not text as its name says: it holds binary zeros. {ASK_AGAIN}")
    found = [
        (len(set(map(heading_key, cells)) & set(wanted)), candidate, Header(tuple(cells), row, last_line))
        for candidate in ([delimiter] if delimiter else DELIMITERS)
        for row, (cells, last_line) in enumerate(_first_records(text, candidate), start=1)
    ]
    hits, delimiter, header = max(found, key=lambda f: f[0], default=(0, ",", Header((), 0, 0)))
    if not hits:
        raise FileRefusedError(
            f"None of the first {HEADER_SEARCH_ROWS} rows holds the headings that this source sends. "
            "If the layout is new, write a source mapping (oneclient map FILE); else ask the sender for the right "
            "file.",
            code="F6",
        )
    return Layout(encoding, delimiter, header)


def text_encoding(sample: bytes, *, more: bool) -> str:
    """How a text is encoded, by its mark or its first bytes; ``more``: the file goes on after them.

    Raises FileRefusedError for what is not text, or ends within a letter.
    """
    if sample[:4] in {b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x7fELF", b"Rar!"} or sample[:2] == b"\x1f\x8b":
        raise NotTextError("The file is not text as its name says, but a workbook, archive or document. Send CSV.")
    if sample[:3] == b"\xef\xbb\xbf":
        return "utf-8-sig"
    if sample[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return _western_encoding(sample[max(0, error.start - _SAMPLE_BYTES) : error.start + _SAMPLE_BYTES])
        if not more:
            raise FileRefusedError(
                f"The file ends within a letter: it is half-written or cut off. {ASK_AGAIN}", code="F4"
            ) from error
    return "utf-8"


def _western_encoding(sample: bytes) -> str:
    """cp1252, as Windows writes in Britain, unless it has no letter for one of the bytes."""
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        best = from_bytes(sample, cp_isolation=_OTHER_WESTERN).best()
        return best.encoding if best else "latin-1"
    return "cp1252"


def workbook_rows(
    path: Path, limits: IngestSettings, sheet: str | None = None
) -> Iterator[tuple[str, list[list[str]]]]:
    """Each sheet of a workbook as (name, rows of text cells).

    Raises FileRefusedError for what is not a whole, readable workbook of a bearable size.
    """
    refuse_unsafe_zip(path, limits)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names = [sheet] if sheet else workbook.sheet_names
        for name in names:
            yield name, [list(map(_cell_text, row)) for row in workbook.get_sheet_by_name(name).to_python(False)]
    except (CalamineError, OSError, ValueError) as error:
        raise FileRefusedError(
            f"The workbook cannot be read: it is damaged, or protected. {ASK_AGAIN}", code="F8"
        ) from error


def header_among(rows: Iterable[Sequence[str]], wanted: Sequence[str]) -> Header | None:
    """The row, among the first of a sheet, with most of the wanted heading keys (None: no row has any)."""
    best = (0, Header((), 0, 0))
    for number, row in enumerate(rows, start=1):
        if number > HEADER_SEARCH_ROWS:
            break
        hits = _hits(row, wanted)
        best = max(best, (hits, Header(tuple(row[: filled_width(row)]), number, number)), key=lambda b: b[0])
    return best[1] if best[0] else None


def filled_width(row: Sequence[object]) -> int:
    """How many cells a row of a sheet has, up to its last filled one."""
    return max((n for n, cell in enumerate(row, start=1) if cell not in {"", None}), default=0)


def as_record(cells: Sequence[str], delimiter: str) -> str:
    """One row as a line of CSV, without a line end."""
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(cells)
    return line.getvalue()


def has_endless_line(path: Path) -> bool:
    """Whether a line of a text file is so long that taking it apart would take the memory of many files."""
    begun = 0
    with path.open("rb") as file:
        while block := file.read(LONGEST_LINE):
            first = re.search(rb"[\r\n]", block)
            if begun + (first.start() if first else len(block)) > LONGEST_LINE:
                return True
            begun = len(block) - 1 - max(block.rfind(b"\r"), block.rfind(b"\n")) if first else begun + len(block)
    return False


def _hits(row: Sequence[str], wanted: Sequence[str]) -> int:
    return len({heading_key(cell) for cell in row} & set(wanted))


def _read_csv(path: Path, source: Source) -> Contents:
    wanted = [heading_key(h) for h in source.columns]
    layout = text_layout(path, wanted, source.encoding, source.delimiter)
    _require_headings(layout.header, source)
    if has_endless_line(path):
        raise FileRefusedError(
            f"A line of the file is longer than any table's: it is no table of rows. {ASK_AGAIN}", code="F9"
        )
    try:
        try:
            table, broken = _parse_csv(path, layout)
        except (pa.ArrowInvalid, UnicodeError) as error:
            if "UTF8" not in str(error):
                raise
            layout = replace(layout, encoding=text_encoding(path.read_bytes(), more=False))
            table, broken = _parse_csv(path, layout)
        quotes = _refuse_cut_off(path, layout, table, broken)
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise FileRefusedError(
            f"The file cannot be read as a table: its quoting or its encoding is broken, or it is cut off. {ASK_AGAIN}"
        ) from error
    first = layout.header.row + 1
    numbers = np.arange(first, first + table.num_rows + len(broken))
    numbers = np.delete(numbers, [row.row_number - first for row in broken])
    swallowed = _swallowed(table, layout) if quotes else []
    broken += tuple(
        BrokenRow(
            int(number),
            "a quotation mark that is not closed made one cell of several rows",
            as_record([column[int(at)].as_py() for column in table.columns], layout.delimiter),
        )
        for at, number in zip(swallowed, numbers[swallowed], strict=True)
    )
    if len(swallowed):
        kept = np.delete(np.arange(table.num_rows), swallowed)
        table, numbers = table.take(kept), numbers[kept]
    blank = layout.delimiter + '" '
    broken = tuple(sorted((r for r in broken if r.text.strip(blank)), key=lambda r: r.row_number))
    rows, unmapped = _by_field(table, pa.array(numbers, pa.int64()), layout.header, source)
    return Contents(rows, broken, layout.header, layout, unmapped)


def _parse_csv(path: Path, layout: Layout) -> tuple[pa.Table, tuple[BrokenRow, ...]]:
    """The table below the header, blank rows too, and the rows with too few or too many cells."""
    broken: list[BrokenRow] = []
    width = len(layout.header.headings)
    above = layout.header.last_line - layout.header.row

    def set_aside(row: Any) -> str:
        reason = f"the row has {row.actual_columns} cells, the header {width}"
        broken.append(BrokenRow(row.number - above, reason, row.text))
        return "skip"

    names = [f"c{n}" for n in range(width)]
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


def _swallowed(table: pa.Table, layout: Layout) -> list[int]:
    """Rows in which a stray quotation mark made one cell of several rows: it holds line ends and many delimiters."""
    many = min(len(layout.header.headings) - 1, SWALLOWED)
    found: set[int] = set()
    for column in table.columns:
        several_lines = pc.match_substring_regex(column, "[\r\n]")
        if pc.any(several_lines).as_py():
            delimiters = pc.count_substring(column, layout.delimiter)
            whole_row = pc.greater_equal(delimiters, many)
            found.update(pc.indices_nonzero(pc.and_(several_lines, whole_row)).to_pylist())
    return sorted(found)


def _refuse_cut_off(path: Path, layout: Layout, table: pa.Table, broken: tuple[BrokenRow, ...]) -> int:
    """Refuse a file that ends where no whole file ends; gives the number of quotation marks in it."""
    with path.open("rb") as file:
        quotes = sum(block.count(b'"') for block in iter(lambda: file.read(1 << 24), b""))
        file.seek(-min(2, file.tell()), io.SEEK_END)
        ends_with_newline = file.read().strip(b"\0")[-1:] in {b"\r", b"\n"}
    if (quotes % 2 or (quotes and not ends_with_newline)) and _ends_within_quotes(path, layout):
        raise FileRefusedError(
            f"A quoted value is never closed: the file is cut off, or its quoting is broken. {ASK_AGAIN}", code="F4"
        )
    if ends_with_newline:
        return quotes
    last_row = layout.header.row + table.num_rows + len(broken)
    if any(row.row_number == last_row for row in broken):
        raise FileRefusedError(
            f"The file ends in the middle of row {last_row}: it is half-written or cut off. {ASK_AGAIN}", code="F4"
        )
    if table.num_rows > 1:
        column = table.column(table.num_columns - 1)
        last, others = column[-1].as_py(), column.slice(0, table.num_rows - 1)
        begun = pc.any(pc.starts_with(others, last)).as_py() and not pc.any(pc.equal(others, last)).as_py()
        if begun:
            raise FileRefusedError(
                f"The last cell of row {last_row} is only the beginning of a value, and no line end follows: "
                f"the file is half-written or cut off. {ASK_AGAIN}",
                code="F4",
            )
    return quotes


def _ends_within_quotes(path: Path, layout: Layout) -> bool:
    """Whether a line put after the file would be part of its last cell. (An inch mark within a cell opens no quote.)"""
    with path.open(encoding=layout.encoding, newline="") as lines:
        records = csv.reader(chain(lines, [_END]), delimiter=layout.delimiter)
        return deque(records, maxlen=1)[0] != [_END]


def _read_workbook(path: Path, source: Source, limits: IngestSettings) -> Contents:
    wanted = [heading_key(h) for h in source.columns]
    sheets = [(rows, header_among(rows, wanted)) for _, rows in workbook_rows(path, limits, source.sheet)]
    rows, header = max(sheets, key=lambda s: _hits(s[1].headings, wanted) if s[1] else 0, default=([], None))
    if header is None:
        raise FileRefusedError(
            "No sheet holds the headings that this source sends. If the layout is new, write a source mapping "
            "(oneclient map FILE); else ask the sender for the right file.",
            code="F6",
        )
    _require_headings(header, source)
    width = len(header.headings)
    kept: list[tuple[int, list[str]]] = []
    broken: list[BrokenRow] = []
    for number, row in enumerate(rows[header.row :], start=header.row + 1):
        if (cells := filled_width(row)) > width:
            reason = f"the row has {cells} cells, the header {width}"
            broken.append(BrokenRow(number, reason, as_record(row[:cells], ",")))
        else:
            kept.append((number, row))
    table = pa.table(
        {f"c{i}": pa.array([row[i] if i < len(row) else "" for _, row in kept], pa.string()) for i in range(width)}
    )
    fields, unmapped = _by_field(table, pa.array([n for n, _ in kept], pa.int64()), header, source)
    return Contents(fields, tuple(broken), header, None, unmapped)


def _by_field(table: pa.Table, numbers: pa.Array, header: Header, source: Source) -> tuple[pa.Table, tuple[str, ...]]:
    """Columns by field name, blank rows dropped; where a heading stands twice, the first that is filled counts."""
    field_of = {heading_key(heading): field for heading, field in source.columns.items()}
    columns: dict[str, pa.ChunkedArray] = {}
    for i, key in enumerate(header.keys):
        if (field := field_of.get(key)) is None:
            continue
        cells = table.column(i)
        columns[field] = pc.if_else(pc.equal(columns[field], ""), cells, columns[field]) if field in columns else cells
    nothing = pa.nulls(table.num_rows, pa.string())
    rows = pa.table({"row_number": numbers, **{f: columns.get(f, nothing) for f in source.definition.field_names}})
    unmapped = tuple(h for h, key in zip(header.headings, header.keys, strict=True) if key and key not in field_of)
    return _without_blank(rows, table), unmapped


def _without_blank(rows: pa.Table, table: pa.Table) -> pa.Table:
    filled = pa.scalar(False)
    for cells in table.columns:
        filled = pc.or_(filled, pc.not_equal(cells, ""))
        if pc.all(filled).as_py():
            return rows
    return rows.filter(filled)


def _require_headings(header: Header, source: Source) -> None:
    required = {field.name for field in source.definition.fields if field.required}
    missing = [h for h, field in source.columns.items() if field in required and heading_key(h) not in header.keys]
    if missing:
        raise FileRefusedError(
            f"The table has no heading {', '.join(missing)}, so it is not the {source.feed} file that its name says. "
            "Ask the sender for the right file, or correct the source mapping.",
            code="F7",
        )


def _first_records(text: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for _, cells in zip(range(HEADER_SEARCH_ROWS), reader, strict=False):
            yield cells, reader.line_num
    except csv.Error:
        return


def _cell_text(cell: object) -> str:  # noqa: PLR0911 - a table of cases
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
