"""Keep the original of every file, byte for byte, except that never-stored columns are blanked before the first write.

A column is hidden from the cell that holds such a heading downwards, wherever in the file that cell stands. In a row
that does not fit the header the cells may have shifted, so its neighbours are blanked too.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import SecretStr

from pipelines.ingest.encoding import has_endless_line, read_text
from pipelines.ingest.layout import DELIMITERS, Layout, filled_width
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.split import SWALLOWED, Records, as_record, filled_width_of, surplus_of
from pipelines.ingest.workbook import WORKBOOKS
from pipelines.ingest.workbook_copy import SheetCopy, WorkbookCopy
from pipelines.private import make_folder, whole_file
from pipelines.sealing import sealing
from pipelines.sources import heading_key

Write = Callable[[BinaryIO], object]

_LETTERS = bytes(b if chr(b).isalnum() and b < 128 else 0 for b in range(256)).lower()
_OTHERS = bytes(b for b in range(256) if not _LETTERS[b])
_BLOCK = 1 << 22


def keep_copy(
    original: Path,
    copy: Path,
    never_stored: frozenset[str],
    *,
    readable: bool,
    layout: Layout | None = None,
    key: SecretStr | None = None,
) -> bool:
    """Copy ``original`` to ``copy`` so that a crash leaves all of it or none, without the never-stored columns.

    ``readable`` files were read whole, a text file in ``layout``. With a ``key`` the copy is sealed, and nothing of it
    touches the disk before. Gives False, and writes nothing, when the file may hold never-stored columns that cannot be
    told apart.
    """
    make_folder(copy.parent)
    try:
        if original.suffix.lower() in WORKBOOKS:
            write = _workbook(original, never_stored, in_memory=key is not None) if readable else None
        else:
            write = _text(original, never_stored, layout)
        if write is None:
            return False
        with whole_file(copy) as file, sealing(file, key) as out:
            write(out)
    except (FileRefusedError, UnicodeError):
        return False
    return True


def as_it_is(original: Path) -> Write:
    """Writes every byte of a file."""

    def write(out: BinaryIO) -> None:
        with original.open("rb") as file:
            shutil.copyfileobj(file, out, _BLOCK)

    return write


class Redaction:
    """Blanks what stands below never-stored headings, row after row of one table."""

    def __init__(self, never_stored: frozenset[str], delimiter: str, surplus: int = 0) -> None:
        """``surplus``: how many empty cells the rows of the file have more than its header."""
        self.never_stored = never_stored
        self.surplus = surplus
        self.delimiter = delimiter
        self.hidden: set[int] = set()
        self.width = 0
        letters = ("[^a-z0-9]*".join(key) for key in sorted(never_stored))
        self._mentioned = re.compile("|".join(letters) or "(?!)")

    def blank(self, cells: list[str]) -> list[str]:
        """The cells of the next row, with those emptied that must not be stored."""
        headings = self.headings_among(cells)
        if headings:
            self.hidden |= headings
            self.width = len(cells)
            return cells
        if not self.hidden:
            return cells
        shift = abs(len(cells) - self.width)
        if self.surplus and shift == self.surplus and not any(cells[self.width :]):
            shift = 0
        text = "".join(cells)
        if shift or "\n" in text or "\r" in text:
            return ["" if self._may_hold(n, cell, shift) else cell for n, cell in enumerate(cells)]
        for place in self.hidden:
            cells[place] = ""
        return cells

    def headings_among(self, cells: Sequence[object]) -> set[int]:
        """Places of the cells that are never-stored headings."""
        texts = {n: cell for n, cell in enumerate(cells) if isinstance(cell, str)}
        if not self._mentioned.search("".join(texts.values()).lower()):
            return set()
        return {n for n, cell in texts.items() if heading_key(cell) in self.never_stored}

    def _may_hold(self, place: int, cell: str, shift: int) -> bool:
        """In or beside a hidden column, or a cell that swallowed the rest of its row by a stray quotation mark."""
        several_lines = "\n" in cell or "\r" in cell
        return any(abs(place - hidden) <= shift for hidden in self.hidden) or (
            several_lines and (shift > 0 or cell.count(self.delimiter) >= min({*self.hidden, SWALLOWED}))
        )


def blank_record(record: str, delimiter: str, headings: Sequence[str], never_stored: frozenset[str]) -> str:
    """One row of a table as a line of CSV, without what must not be stored."""
    redaction = Redaction(never_stored, delimiter)
    redaction.blank(list(headings))
    if not redaction.hidden:
        return record
    cells = next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])
    return as_record(redaction.blank(cells), delimiter)


def _text(original: Path, never_stored: frozenset[str], layout: Layout | None) -> Write | None:
    with original.open("rb") as file:
        mentioned = mentions(file, never_stored)
    encoding = _lossless(layout.encoding if layout else read_text(original).encoding)
    if not mentioned:
        return as_it_is(original)
    if has_endless_line(original):
        return None
    width = filled_width_of(layout) if layout else None
    surplus = surplus_of(read_text(original), layout) if layout else 0
    redactions = [Redaction(never_stored, d, surplus) for d in ([layout.delimiter] if layout else DELIMITERS)]
    found = {each: _headings_found(original, encoding, each, width, whole=not layout) for each in redactions}
    redaction = max(redactions, key=lambda r: found[r])
    if found[redaction]:
        return lambda out: _rewrite_text(original, out, encoding, redaction, width)
    return as_it_is(original) if layout else None


def mentions(file: BinaryIO, never_stored: frozenset[str]) -> bool:
    """Whether the letters of a never-stored heading stand anywhere in the bytes, whatever stands between them."""
    words = [key.encode() for key in never_stored]
    overlap = max(map(len, words), default=0)
    end = b""
    while block := file.read(_BLOCK):
        letters = end + block.translate(_LETTERS, _OTHERS)
        if any(word in letters for word in words):
            return True
        end = letters[-overlap:]
    return False


def _headings_found(original: Path, encoding: str, redaction: Redaction, width: int | None, *, whole: bool) -> int:
    """How many never-stored headings there are in the ``whole`` file, or in the first row that has any."""
    records = _records(original, encoding, redaction.delimiter, width)
    found = (len(redaction.headings_among(cells)) for cells in records)
    return sum(found) if whole else next(filter(None, found), 0)


def _records(original: Path, encoding: str, delimiter: str, width: int | None) -> Iterator[list[str]]:
    with original.open(encoding=encoding, errors="surrogateescape", newline="") as lines:
        yield from Records(lines, delimiter, width) if width else csv.reader(lines, delimiter=delimiter)


def _lossless(encoding: str) -> str:
    """A codec that gives every byte back: headings, delimiters and quotes are ASCII in all but UTF-16."""
    return encoding if codecs.lookup(encoding).name.startswith("utf-16") else "latin-1"


def _rewrite_text(original: Path, out: BinaryIO, encoding: str, redaction: Redaction, width: int | None) -> None:
    with original.open(encoding=encoding, errors="surrogateescape", newline="") as lines:
        first = re.search("\r\n|\n|\r", lines.readline())
    line_end = first.group() if first else "\n"
    copy = io.TextIOWrapper(out, encoding=encoding, errors="surrogateescape", newline="")
    writer = csv.writer(copy, delimiter=redaction.delimiter, lineterminator=line_end)
    writer.writerows(redaction.blank(cells) for cells in _records(original, encoding, redaction.delimiter, width))
    copy.detach()


def _workbook(original: Path, never_stored: frozenset[str], *, in_memory: bool) -> Write:
    """The workbook itself, or if a sheet has a never-stored heading the cells alone: no comment, cache or formula.

    Such a copy reads as the original does: hidden sheets, merged cells, errors and formulas without a value are in it.
    """
    copy = WorkbookCopy(original)
    nothing_hidden = Redaction(never_stored, ",")
    if not any(nothing_hidden.headings_among(row) for sheet in copy.sheets for row in sheet.rows):
        return as_it_is(original)

    def blanked(sheet: SheetCopy) -> Iterator[list[object]]:
        for own, row in zip(sheet.own, _blank_rows(sheet.rows, Redaction(never_stored, ",")), strict=True):
            yield ["" if now == "" else cell for cell, now in zip(own, row, strict=False)]

    return lambda out: copy.write(out, {sheet.name: blanked(sheet) for sheet in copy.sheets}, in_memory=in_memory)


def _blank_rows(rows: Iterable[Sequence[object]], redaction: Redaction) -> Iterator[list[object]]:
    """Rows of a sheet; one that ends early has empty cells at its end, and is none the less whole."""
    for row in rows:
        width = max(filled_width(row), redaction.width)
        cells = [*row, *[""] * (width - len(row))][:width]
        blanked = redaction.blank([c if isinstance(c, str) else "value" for c in cells])
        yield [now if now == "" else cell for cell, now in zip(cells, blanked, strict=True)]
