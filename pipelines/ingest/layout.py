"""How a file is written: the encoding, the delimiter, and which row is the header."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from pipelines.ingest.refusal import ASK_AGAIN, FileRefusedError, NotTextError
from pipelines.sources import heading_key

HEADER_SEARCH_ROWS = 30
DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_BYTES = 1 << 18
_OTHER_WESTERN = ["mac_roman", "cp850", "cp1250", "latin_1"]

csv.field_size_limit(sys.maxsize)  # a cell that swallowed half a file is judged here, not by the csv module


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
