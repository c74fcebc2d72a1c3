"""Split text into records and cells, also where a stray quotation mark would make one cell of several rows."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from pipelines.ingest.encoding import Text
from pipelines.ingest.layout import Layout
from pipelines.ingest.table import BrokenRow

SWALLOWED = 8  # delimiters in a cell of several lines: more than an address has, so it is a piece of the table
STRAY_MARK = "A quotation mark that is not closed stands in the file. It was left out, and each line read as a row."
PERHAPS_CUT = "The file ends within row {row}: it is perhaps cut off. Ask the sender whether it is whole."
_END = "\0end of file\0"
_BLANK = " \"'\x1a\ufeff"
_PEEK = 20

csv.field_size_limit(sys.maxsize)  # a cell that swallowed half a file is judged here, not by the csv module


@dataclass(frozen=True)
class Cells:
    """The rows of a text file: ``cells`` has ``row_number`` and a column for each heading; blank rows are left out."""

    cells: pa.Table
    broken: tuple[BrokenRow, ...]
    notes: tuple[str, ...]


def as_record(cells: Sequence[str], delimiter: str) -> str:
    """One row as a line of CSV, without a line end."""
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(cells)
    return line.getvalue()


class Records:
    """The rows of a text, as the csv module splits it but for stray quotation marks.

    Where a quotation mark that is not closed would swallow rows of a table of ``width`` columns, the mark is left out
    and each line is a row of its own; ``left_out`` says whether that happened so far.
    """

    def __init__(self, lines: Iterable[str], delimiter: str, width: int | None = None) -> None:
        self.lines, self.delimiter, self.width = lines, delimiter, width
        self.left_out = False

    def __iter__(self) -> Iterator[list[str]]:
        ahead = _Ahead(self.lines)
        reader = csv.reader(ahead, delimiter=self.delimiter)
        while True:
            ahead.taken.clear()
            cells = next(reader, None)
            if cells is None or cells == [_END]:
                return
            if not (ahead.ended or (len(ahead.taken) > 1 and self._swallows(cells, ahead.taken[0]))):
                yield cells
                continue
            self.left_out = True
            yield _lenient(ahead.taken[0], self.delimiter)
            ahead.push_back()
            reader = csv.reader(ahead, delimiter=self.delimiter)

    def _swallows(self, cells: Sequence[str], first_line: str) -> bool:
        """Whether a record of several lines is several rows."""
        if self.width is None:
            return False
        many = min(self.width - 1, SWALLOWED)
        if any(("\n" in cell or "\r" in cell) and cell.count(self.delimiter) >= many for cell in cells):
            return True
        pieces = len(cells) + sum(cell.count(self.delimiter) for cell in cells)
        is_several = len(cells) < self.width or (len(cells) > self.width and pieces >= self.width + many)
        return is_several and len(_lenient(first_line, self.delimiter)) == self.width


class _Ahead:
    """Lines that can be given back; the end of the file is a line of its own, which an open quotation would take in."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = iter(lines)
        self.taken: list[str] = []
        self.done = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.lines, None)
        if line is None:
            if self.done:
                raise StopIteration
            self.done, line = True, _END
        self.taken.append(line)
        return line

    @property
    def ended(self) -> bool:
        return bool(self.taken) and self.taken[-1] is _END

    def push_back(self) -> None:
        self.lines = chain([line for line in self.taken[1:] if line is not _END], self.lines)
        self.done = False


def _lenient(line: str, delimiter: str) -> list[str]:
    """The cells of one line; a quotation mark that is not closed within it is left out."""
    line = line.rstrip("\r\n")
    mark = re.escape(delimiter)
    cell = re.compile(f'"((?:[^"]|"")*)"(?={mark}|$)|([^{mark}]*)')
    cells: list[str] = []
    place = 0
    while True:
        found = cell.match(line, place)
        if found is None:  # the second form always fits
            return cells
        quoted, plain = found.groups()
        cells.append(quoted.replace('""', '"') if quoted is not None else plain.removeprefix('"'))
        place = found.end() + 1
        if found.end() >= len(line):
            return cells


def split_text(text: Text, layout: Layout) -> Cells:
    """The rows below the header. Raises pa.ArrowInvalid for what cannot be split at all."""
    width, most = filled_width_of(layout), len(layout.header.headings)
    quotes, ends_with_newline = _quotes_and_end(text)
    surplus = surplus_of(text, layout)
    notes = []
    try:
        table, broken = _parse(text, layout, most + surplus)
        stray = bool(quotes) and (
            _has_swallowed(table, layout)
            or any(_several_lines(row.text) for row in broken)
            or _is_open(text, layout, quotes, ends_with_newline=ends_with_newline)
        )
    except pa.ArrowInvalid:
        if not quotes:
            raise
        stray = True
    if stray:
        table, broken, left_out = _parse_slowly(text, layout, most + surplus)
        notes += [STRAY_MARK] if left_out else []
    first = layout.header.row + 1
    count = table.num_rows + len(broken)
    last_row = first + count - 1
    numbers = np.delete(np.arange(first, first + count), [row.row_number - first for row in broken])
    cells = table.add_column(0, "row_number", pa.array(numbers, pa.int64()))
    too_wide, cells = _too_wide(cells, most, layout.delimiter, width)
    rescued, broken = _rescued([*broken, *too_wide], width, most, surplus, layout.delimiter)
    cells = cells.select(range(most + 1))
    if rescued:
        more = pa.table(
            {
                "row_number": pa.array(list(rescued), pa.int64()),
                **{f"c{n}": pa.array([row[n] for row in rescued.values()], pa.string()) for n in range(most)},
            }
        )
        cells = pa.concat_tables([cells, more]).sort_by("row_number")
    broken = [row for row in broken if row.text.strip(layout.delimiter + _BLANK)]
    in_last = any(row.row_number == last_row for row in broken)
    if ends_with_newline:
        is_cut = bool(quotes % 2) and in_last
    else:
        is_cut = in_last or bool(quotes % 2) or _is_begun(cells, last_row)
    if is_cut:
        notes.append(PERHAPS_CUT.format(row=last_row))
    return Cells(without_blank(cells), tuple(sorted(broken, key=lambda row: row.row_number)), tuple(notes))


def filled_width_of(layout: Layout) -> int:
    """The columns of a table as far as the last one that has a heading."""
    headings = layout.header.headings
    return max((n for n, heading in enumerate(headings, start=1) if heading.strip()), default=len(headings))


def without_blank(cells: pa.Table) -> pa.Table:
    """The rows that have a filled cell."""
    filled = pa.scalar(False)
    for column in cells.columns[1:]:
        filled = pc.or_(filled, pc.not_equal(column, ""))
        if pc.all(filled).as_py():
            return cells
    return cells.filter(filled)


def _source(text: Text) -> Any:
    return str(text.path) if text.data is None else pa.BufferReader(text.data)


def _lines(text: Text) -> Iterator[str]:
    if text.data is None:
        with text.path.open(encoding="utf-8-sig", newline="") as lines:
            yield from lines
    else:
        with io.TextIOWrapper(io.BytesIO(text.data), encoding="utf-8", newline="") as lines:
            yield from lines


def _quotes_and_end(text: Text) -> tuple[int, bool]:
    if text.data is not None:
        return text.data.count(b'"'), text.data[-1:] in {b"\r", b"\n", b"\x1a"}
    with text.path.open("rb") as file:
        quotes = sum(block.count(b'"') for block in iter(lambda: file.read(1 << 24), b""))
        file.seek(-1, io.SEEK_END)
        return quotes, file.read() in {b"\r", b"\n", b"\x1a"}


def surplus_of(text: Text, layout: Layout) -> int:
    """How many empty cells most of the first rows have more than the header."""
    head, _ = text.head(1 << 16)
    rows = list(_first(head, layout.delimiter, layout.header.row + _PEEK))[layout.header.row : -1]
    width = len(layout.header.headings)
    more = [len(row) - width for row in rows if len(row) > width and not any(row[width:])]
    return max(set(more), key=more.count) if more and len(more) * 2 > len(rows) else 0


def _first(text: str, delimiter: str, most: int) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for _, cells in zip(range(most), reader, strict=False):
        yield cells


def _parse(text: Text, layout: Layout, width: int) -> tuple[pa.Table, list[BrokenRow]]:
    """The table below the header, blank rows too, and the rows with too few or too many cells."""
    broken: list[BrokenRow] = []
    above = layout.header.last_line - layout.header.row

    def leave_out(row: Any) -> str:
        broken.append(BrokenRow(row.number - above, _wrong_width(row.actual_columns, layout), row.text))
        return "skip"

    names = [f"c{n}" for n in range(width)]
    table = pacsv.read_csv(
        _source(text),
        read_options=pacsv.ReadOptions(use_threads=False, skip_rows=layout.header.last_line, column_names=names),
        parse_options=pacsv.ParseOptions(
            delimiter=layout.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=leave_out,
        ),
        convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )
    return table, broken


def _parse_slowly(text: Text, layout: Layout, width: int) -> tuple[pa.Table, list[BrokenRow], bool]:
    """The same, row by row, of a file in which a quotation mark may not be closed; and whether one is not."""
    header = layout.header
    good: list[list[str]] = []
    broken: list[BrokenRow] = []
    split = Records(_lines(text), layout.delimiter, filled_width_of(layout))
    for number, row in enumerate(split, start=1):
        if number <= header.row:
            continue
        if len(row) == width:
            good.append(row)
        else:
            broken.append(BrokenRow(number, _wrong_width(len(row), layout), as_record(row, layout.delimiter)))
    columns = zip(*good, strict=True) if good else [[]] * width
    table = pa.table({f"c{n}": pa.array(column, pa.string()) for n, column in enumerate(columns)})
    return table, broken, split.left_out


def _wrong_width(cells: int, layout: Layout) -> str:
    return f"the row has {cells} cells, the header {len(layout.header.headings)}"


def _several_lines(text: str) -> bool:
    return "\n" in text.rstrip("\r\n") or "\r" in text.rstrip("\r\n")


def _has_swallowed(table: pa.Table, layout: Layout) -> bool:
    """Whether a cell holds line ends and so many delimiters that it is several rows."""
    many = min(len(layout.header.headings) - 1, SWALLOWED)
    for column in table.columns:
        several_lines = pc.or_(pc.match_substring(column, "\n"), pc.match_substring(column, "\r"))
        if pc.any(several_lines).as_py():
            whole_row = pc.greater_equal(pc.count_substring(column, layout.delimiter), many)
            if pc.any(pc.and_(several_lines, whole_row)).as_py():
                return True
    return False


def _is_open(text: Text, layout: Layout, quotes: int, *, ends_with_newline: bool) -> bool:
    """Whether a quotation is still open at the end of the file. (An inch mark within a cell opens none.)"""
    if quotes % 2 == 0 and ends_with_newline:
        return False
    last: list[str] = []
    for last in csv.reader(chain(_lines(text), [_END]), delimiter=layout.delimiter):  # noqa: B007
        pass
    return last != [_END]


def _too_wide(cells: pa.Table, most: int, delimiter: str, width: int) -> tuple[list[BrokenRow], pa.Table]:
    """Rows with a filled cell beyond the header, and the others."""
    beyond = cells.columns[most + 1 :]
    if not beyond:
        return [], cells
    filled = pc.not_equal(beyond[0], "")
    for column in beyond[1:]:
        filled = pc.or_(filled, pc.not_equal(column, ""))
    found = cells.filter(filled).to_pylist()
    broken = [
        BrokenRow(number, f"the row has {len(row)} cells, the header {width}", as_record(row, delimiter))
        for number, *row in (tuple(each.values()) for each in found)
    ]
    return broken, cells.filter(pc.invert(filled))


def _rescued(
    broken: Iterable[BrokenRow], width: int, most: int, surplus: int, delimiter: str
) -> tuple[dict[int, list[str]], list[BrokenRow]]:
    """Rows that have all their cells and empty ones besides, or a stray quotation mark; and the other broken rows."""
    rescued: dict[int, list[str]] = {}
    left: list[BrokenRow] = []
    for row in broken:
        cells = next(csv.reader(io.StringIO(row.text, newline=""), delimiter=delimiter), [])
        if not width <= len(cells) and '"' in row.text and not _several_lines(row.text):
            cells = _lenient(row.text, delimiter)
        if surplus and len(cells) == most + surplus and not any(cells[most:]):
            cells = cells[:most]
        elif surplus and cells[-1:] == [""]:  # a surplus cell, and one too few before it
            cells = []
        if width <= len(cells) <= most and any(cells):
            rescued[row.row_number] = [*cells, *[""] * (most - len(cells))]
        else:
            left.append(row)
    return rescued, left


def _is_begun(cells: pa.Table, last_row: int) -> bool:
    """Whether the very last cell is only the beginning of what stands in other rows of its column."""
    last = cells.column(cells.num_columns - 1)[-1].as_py() if cells.num_rows else ""
    if not last or cells.num_rows < 2 or cells.column(0)[-1].as_py() != last_row:
        return False
    column = cells.column(cells.num_columns - 1)
    others = column.slice(0, cells.num_rows - 1)
    return bool(pc.any(pc.starts_with(others, last)).as_py() and not pc.any(pc.equal(others, last)).as_py())
