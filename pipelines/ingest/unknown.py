"""The first rows of a file whose layout nobody has described yet."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.ingest.layout import DELIMITERS, HEADER_SEARCH_ROWS, Header, filled_width, header_among, text_encoding
from pipelines.ingest.read import WORKBOOKS, refuse_empty, workbook_rows
from pipelines.ingest.refusal import ASK_AGAIN, FileRefusedError, NotTextError
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
        sheets = [(name, rows) for name, rows in workbook_rows(path, limits) if any(filled_width(row) for row in rows)]
        found = [(name, _table(rows, vocabulary)) for name, rows in sheets]
        tables = [(name, table) for name, table in found if table]
        if not tables:
            raise FileRefusedError(f"No sheet of the workbook holds a table with headings. {ASK_AGAIN}", code="F6")
        name, best = max(tables, key=lambda each: _fit(each[1], vocabulary))
        return FirstRows(best.header, best.rows, name if len(tables) > 1 else None, best.more)
    text = _text(path)
    of_text = [table for one in DELIMITERS if (table := _table(list(_records(text, one)), vocabulary, of_text=True))]
    if not of_text:
        raise FileRefusedError(f"The file holds no table with headings. {ASK_AGAIN}", code="F6")
    return max(of_text, key=lambda table: _fit(table, vocabulary))


def _text(path: Path) -> str:
    with path.open("rb") as file:
        sample = file.read(MOST_BYTES)
        more = bool(file.read(1))
    text = sample.decode(text_encoding(sample, more=more), errors="replace")
    if "\0" in text:
        raise NotTextError(f"The file is not text as its name says: it holds binary zeros. {ASK_AGAIN}")
    return text[: text.rfind("\n") + 1] if more else text


def _records(text: str, delimiter: str) -> Iterator[tuple[str, ...]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells, _ in zip(reader, range(MOST_ROWS + HEADER_SEARCH_ROWS + 1), strict=False):
            yield tuple(cells)
    except csv.Error:
        return


def _table(rows: Sequence[Sequence[str]], vocabulary: Sequence[str], *, of_text: bool = False) -> FirstRows | None:
    widths = Counter(width for row in rows[:200] if (width := filled_width(row)) > 1)
    if not widths:
        return None
    header = header_among(rows, vocabulary)
    if header is None or len(set(header.keys) & set(vocabulary)) < _TELLING_HEADINGS:
        header = _looks_like_headings(rows, max(widths)) or header
    if header is None:
        return None
    if of_text:
        header = replace(header, headings=tuple(rows[header.row - 1]))
    width = len(header.headings)
    below = [tuple(row[: max(width, filled_width(row))]) for row in rows[header.row :] if filled_width(row)]
    return FirstRows(header, tuple(below[:MOST_ROWS]), more=len(below) > MOST_ROWS)


def _looks_like_headings(rows: Sequence[Sequence[str]], widest: int) -> Header | None:
    """The first row that fills most of the table's width with different words and holds no number."""
    for number, row in enumerate(rows[:HEADER_SEARCH_ROWS], start=1):
        cells = [cell.strip() for cell in row[: filled_width(row)]]
        words = [cell for cell in cells if heading_key(cell) and not cell[0].isdigit()]
        if len(words) > max(1, 0.7 * widest) and len(set(words)) == len(words) == len(cells):
            return Header(tuple(cells), number, number)
    return None


def _fit(table: FirstRows, vocabulary: Sequence[str]) -> tuple[int, int, int]:
    """How good a table is: known headings, then rows of one width, then columns."""
    width = len(table.headings)
    return len(set(table.header.keys) & set(vocabulary)), sum(len(r) == width for r in table.rows), width
