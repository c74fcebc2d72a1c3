"""How a file is written: the encoding, the delimiter, and which row is the header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.ingest.encoding import Text, read_text
from pipelines.ingest.refusal import FileRefusedError
from pipelines.sources import heading_key

HEADER_SEARCH_ROWS = 30
DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_BYTES = 1 << 18


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


def text_layout(path: Path, wanted: Sequence[str], encoding: str | None = None, delimiter: str | None = None) -> Layout:
    """Encoding, delimiter and header of a text file; the header is the row with most of the ``wanted`` heading keys.

    Raises FileRefusedError for a file that is not text, or in whose first rows there is none of those headings.
    """
    return layout_of(read_text(path, encoding), wanted, delimiter)


def layout_of(text: Text, wanted: Sequence[str], delimiter: str | None = None) -> Layout:
    """The same of a text that was read already."""
    head, _ = text.head(_SAMPLE_BYTES)
    found = [
        (len(set(map(heading_key, cells)) & set(wanted)), candidate, Header(tuple(cells), row, last_line))
        for candidate in ([delimiter] if delimiter else DELIMITERS)
        for row, (cells, last_line) in enumerate(_first_records(head, candidate), start=1)
    ]
    hits, delimiter, header = max(found, key=lambda f: f[0], default=(0, ",", Header((), 0, 0)))
    if not hits:
        raise FileRefusedError(
            f"None of the first {HEADER_SEARCH_ROWS} rows holds the headings that this source sends. "
            "If the layout is new, write a source mapping (oneclient map FILE); else ask the sender for the right "
            "file.",
            code="F6",
        )
    return Layout(text.encoding, delimiter, header)


def header_among(rows: Iterable[Sequence[str]], wanted: Sequence[str]) -> Header | None:
    """The row, among the first of a sheet, with most of the wanted heading keys (None: no row has any)."""
    best = (0, Header((), 0, 0))
    for number, row in enumerate(rows, start=1):
        if number > HEADER_SEARCH_ROWS:
            break
        hits = headings_met(row, wanted)
        best = max(best, (hits, Header(tuple(row[: filled_width(row)]), number, number)), key=lambda b: b[0])
    return best[1] if best[0] else None


def filled_width(row: Sequence[object]) -> int:
    """How many cells a row of a sheet has, up to its last filled one."""
    return max((n for n, cell in enumerate(row, start=1) if cell not in {"", None}), default=0)


def headings_met(row: Sequence[str], wanted: Sequence[str]) -> int:
    """How many of the wanted heading keys a row holds."""
    return len({heading_key(cell) for cell in row} & set(wanted))


def _first_records(text: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for _, cells in zip(range(HEADER_SEARCH_ROWS), reader, strict=False):
            yield cells, reader.line_num
    except csv.Error:
        return
