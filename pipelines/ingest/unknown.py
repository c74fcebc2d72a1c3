"""The first rows of a file whose layout nobody has described yet."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.ingest.encoding import read_text
from pipelines.ingest.layout import DELIMITERS, HEADER_SEARCH_ROWS, Header, Layout, filled_width, header_among
from pipelines.ingest.read import refuse_empty, table_of_text, with_errors_listed
from pipelines.ingest.refusal import ASK_AGAIN, FileRefusedError
from pipelines.ingest.sheets import Wanted, below_each_other, table_of_sheet
from pipelines.ingest.table import Table
from pipelines.ingest.workbook import SHEET_STEP, WORKBOOKS, Workbook, read_workbook
from pipelines.sections import IngestSettings
from pipelines.sources import heading_key

MOST_ROWS = 5_000
MOST_BYTES = 1 << 23
_TELLING_HEADINGS = 2


@dataclass(frozen=True)
class FirstRows:
    """The headings of a file, the row that they stand in, and its first rows, each of any number of cells.

    ``sheet`` is named where a workbook has others with a table, too.
    """

    header: Header
    rows: tuple[tuple[str, ...], ...]
    sheet: str | None = None
    more: bool = False
    notes: tuple[str, ...] = ()

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings as sent, each on one line."""
        return tuple(" ".join(heading.split()) for heading in self.header.headings)

    def column(self, place: int) -> list[str]:
        """The cells under one heading, of the rows that have as many cells as the header."""
        return [row[place] for row in self.rows if len(row) == len(self.headings)]


def read_first_rows(path: Path, vocabulary: Sequence[str], limits: IngestSettings) -> FirstRows:
    """At most MOST_ROWS rows of a CSV of any encoding and delimiter, or of a workbook.

    The header is the row with most headings of the ``vocabulary``; where no row has two, the first that looks like one.
    Raises FileRefusedError for what is no table.
    """
    refuse_empty(path)
    if path.suffix.lower() in WORKBOOKS:
        return _first_of_workbook(read_workbook(path, limits), vocabulary)
    text = read_text(path)
    head, more = text.head(MOST_BYTES)
    head = head[: max(head.rfind("\n"), head.rfind("\r")) + 1] if more else head
    found = [
        (_fit(header, rows, vocabulary), delimiter, header)
        for delimiter in DELIMITERS
        if (rows := list(_records(head, delimiter))) and (header := _header_of_text(rows, head, delimiter, vocabulary))
    ]
    if not found:
        raise FileRefusedError(f"The file holds no table with headings. {ASK_AGAIN}", code="F6")
    _, delimiter, header = max(found, key=lambda each: each[0])
    first = replace(text, data=head.encode()) if more or text.data is not None else text
    table = table_of_text(first, Layout(text.encoding, delimiter, header), _wanted(header, vocabulary))
    return _first_rows(with_errors_listed(table), delimiter, more=more)


def _wanted(header: Header, vocabulary: Sequence[str]) -> Wanted:
    """What can be said of a table whose mapping is still to be written: its first column is its key."""
    return Wanted(frozenset({*vocabulary, *header.keys}) - {""}, frozenset(header.keys[:1]), frozenset(header.keys))


def _first_of_workbook(workbook: Workbook, vocabulary: Sequence[str]) -> FirstRows:
    sheets = [sheet for sheet in workbook.sheets if sheet.is_visible and any(map(any, sheet.rows))]
    found = [(sheet, header) for sheet in sheets if (header := _header(sheet.rows, vocabulary))]
    if not found:
        raise FileRefusedError(f"No visible sheet of the workbook holds a table with headings. {ASK_AGAIN}", code="F6")
    sheet, header = max(found, key=lambda each: _fit(each[1], each[0].rows, vocabulary))
    wanted = _wanted(header, vocabulary)
    ours = set(header.keys)
    alike = [(s, h) for s, h in found if s is sheet or set(h.keys) == ours]
    tables = [
        with_errors_listed(table_of_sheet(s, h, wanted, place * SHEET_STEP)) for place, (s, h) in enumerate(alike)
    ]
    table = tables[0] if len(tables) == 1 else below_each_other(tables)
    named = sheet.name if len(alike) < len(found) and len(alike) == 1 else None
    return _first_rows(table, ",", sheet=named)


def _first_rows(table: Table, delimiter: str, *, sheet: str | None = None, more: bool = False) -> FirstRows:
    """The rows of a table, those with too few or too many cells among them, by their numbers."""
    width = len(table.header.headings)
    cells = table.cells.slice(0, MOST_ROWS)
    whole = [(number, tuple(row)) for number, *row in (tuple(each.values()) for each in cells.to_pylist())]
    broken = [(row.row_number, _ragged(row.text, delimiter, width)) for row in table.broken]
    rows = sorted([*whole, *broken], key=lambda row: row[0])
    return FirstRows(
        table.header,
        tuple(row for _, row in rows[:MOST_ROWS]),
        sheet,
        more or len(rows) > MOST_ROWS or table.cells.num_rows > MOST_ROWS,
        table.notes,
    )


def _ragged(text: str, delimiter: str, width: int) -> tuple[str, ...]:
    """The cells of a row that is not loaded, never as many as the header has."""
    cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    while cells and not cells[-1]:
        cells.pop()
    return (*cells, "") if len(cells) == width else tuple(cells)


def _records(text: str, delimiter: str) -> Iterator[tuple[str, ...]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells, _ in zip(reader, range(MOST_ROWS + HEADER_SEARCH_ROWS + 1), strict=False):
            yield tuple(cells)
    except csv.Error:
        return


def _header(rows: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> Header | None:
    widths = Counter(width for row in rows[:200] if (width := filled_width(row)) > 1)
    if not widths:
        return None
    header = header_among(rows, vocabulary)
    if header is None or len(set(header.keys) & set(vocabulary)) < _TELLING_HEADINGS:
        header = _looks_like_headings(rows, max(widths)) or header
    return header


def _header_of_text(
    rows: Sequence[Sequence[str]], text: str, delimiter: str, vocabulary: Sequence[str]
) -> Header | None:
    header = _header(rows, vocabulary)
    if header is None:
        return None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for _ in range(header.row):
        next(reader)
    return Header(tuple(rows[header.row - 1]), header.row, reader.line_num)


def _looks_like_headings(rows: Sequence[Sequence[str]], widest: int) -> Header | None:
    """The first row that fills most of the table's width with different words and holds no number."""
    for number, row in enumerate(rows[:HEADER_SEARCH_ROWS], start=1):
        cells = [cell.strip() for cell in row[: filled_width(row)]]
        words = [cell for cell in cells if heading_key(cell) and not cell[0].isdigit()]
        if len(words) > max(1, 0.7 * widest) and len(set(words)) == len(words) == len(cells):
            return Header(tuple(cells), number, number)
    return None


def _fit(header: Header, rows: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> tuple[int, int, int]:
    """How good a table is: known headings, then rows of one width, then columns."""
    width = len(header.headings)
    fitting = sum(len(row) == width for row in rows[header.row :])
    return len(set(header.keys) & set(vocabulary)), fitting, width
