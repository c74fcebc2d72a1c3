"""Split one delivered file into rows and cells of text: a CSV of any encoding and delimiter, or a workbook.

A row with too few or too many cells is a broken row; a file that cannot be trusted as a whole is refused.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from python_calamine import CalamineError, CalamineWorkbook

from pipelines.ingest.discover import name_of
from pipelines.ingest.layout import (
    Header,
    Layout,
    filled_width,
    header_among,
    headings_met,
    text_encoding,
    text_layout,
)
from pipelines.ingest.refusal import ASK_AGAIN, FileRefusedError
from pipelines.ingest.table import BrokenRow, Table
from pipelines.ingest.unpacked import refuse_unsafe_zip
from pipelines.sections import IngestSettings
from pipelines.sources import Source, heading_key

WORKBOOKS = {".xlsx", ".xlsm"}
LONGEST_LINE = 1 << 24
SWALLOWED = 8  # delimiters in a cell of several lines: more than an address has, so it is a piece of the table
_END = "\0end of file\0"


def read_table(path: Path, source: Source, limits: IngestSettings) -> Table:
    """Split a file into rows and cells, as its source mapping describes it.

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


def _read_csv(path: Path, source: Source) -> Table:
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
    return Table(_numbered(pa.array(numbers, pa.int64()), table), layout.header, layout, broken)


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


def _read_workbook(path: Path, source: Source, limits: IngestSettings) -> Table:
    wanted = [heading_key(h) for h in source.columns]
    sheets = [(rows, header_among(rows, wanted)) for _, rows in workbook_rows(path, limits, source.sheet)]
    rows, header = max(sheets, key=lambda s: headings_met(s[1].headings, wanted) if s[1] else 0, default=([], None))
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
    return Table(_numbered(pa.array([n for n, _ in kept], pa.int64()), table), header, None, tuple(broken))


def _numbered(numbers: pa.Array, table: pa.Table) -> pa.Table:
    """The rows that have a filled cell, each with its number."""
    return _without_blank(table.add_column(0, "row_number", numbers))


def _without_blank(rows: pa.Table) -> pa.Table:
    filled = pa.scalar(False)
    for cells in rows.columns[1:]:
        filled = pc.or_(filled, pc.not_equal(cells, ""))
        if pc.all(filled).as_py():
            return rows
    return rows.filter(filled)


def _require_headings(header: Header, source: Source) -> None:
    missing = [heading for heading in source.required_headings if heading_key(heading) not in header.keys]
    if missing:
        raise FileRefusedError(
            f"The table has no heading {', '.join(missing)}, so it is not the {source.feed} file that its name says. "
            "Ask the sender for the right file, or correct the source mapping.",
            code="F7",
        )


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
