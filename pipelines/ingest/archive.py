"""Keep the original of every file, byte for byte, except that never-stored columns are blanked before the first write.

A column is hidden from the cell that holds such a heading downwards, wherever in the file that cell stands. In a row
that does not fit the header the cells may have shifted, so its neighbours are blanked too.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import xlsxwriter
from python_calamine import CalamineWorkbook

from pipelines.ingest.read import DELIMITERS, SWALLOWED, WORKBOOKS, Layout, as_record, filled_width, text_encoding
from pipelines.ingest.refusal import FileRefusedError
from pipelines.sources import heading_key

_LETTERS = bytes(b if chr(b).isalnum() and b < 128 else 0 for b in range(256)).lower()
_OTHERS = bytes(b for b in range(256) if not _LETTERS[b])
_BLOCK = 1 << 22
_MADE_AT = dt.datetime(2000, 1, 1)  # so that one workbook always makes the same copy


def keep_copy(
    original: Path, copy: Path, never_stored: frozenset[str], *, readable: bool, layout: Layout | None = None
) -> bool:
    """Copy ``original`` to ``copy`` so that a crash leaves all of it or none, without the never-stored columns.

    ``readable`` files were read whole, a text file in ``layout``. Gives False, and writes nothing, when the file may
    hold never-stored columns that cannot be told apart.
    """
    copy.parent.mkdir(parents=True, exist_ok=True)
    partial = copy.with_name(f".{copy.name}.partial")
    try:
        if original.suffix.lower() in WORKBOOKS:
            written = readable and _copy_workbook(original, partial, never_stored)
        else:
            written = _copy_text(original, partial, never_stored, layout)
        if written:
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(copy)
    finally:
        partial.unlink(missing_ok=True)
    return written


class Redaction:
    """Blanks what stands below never-stored headings, row after row of one table."""

    def __init__(self, never_stored: frozenset[str], delimiter: str) -> None:
        self.never_stored = never_stored
        self.delimiter = delimiter
        self.hidden: set[int] = set()
        self.width = 0

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
        return ["" if self._may_hold(n, cell, shift) else cell for n, cell in enumerate(cells)]

    def headings_among(self, cells: Sequence[object]) -> set[int]:
        """Places of the cells that are never-stored headings."""
        return {n for n, c in enumerate(cells) if isinstance(c, str) and heading_key(c) in self.never_stored}

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


def _copy_text(original: Path, partial: Path, never_stored: frozenset[str], layout: Layout | None) -> bool:
    with original.open("rb") as file:
        mentioned = _mentions(file, never_stored)
        file.seek(0)
        start = file.read(_BLOCK)
        more = bool(file.read(1))
    try:
        encoding = layout.encoding if layout else text_encoding(start, more=more)
        if not mentioned:
            shutil.copyfile(original, partial)
            return True
        candidates = [layout.delimiter] if layout else DELIMITERS
        found = {d: _headings_found(original, encoding, Redaction(never_stored, d)) for d in candidates}
        delimiter = max(candidates, key=lambda d: found[d])
        if found[delimiter]:
            _rewrite_text(original, partial, encoding, Redaction(never_stored, delimiter))
        elif layout:
            shutil.copyfile(original, partial)
    except (FileRefusedError, UnicodeError):
        return False
    return bool(layout or found[delimiter])


def _mentions(file: BinaryIO, never_stored: frozenset[str]) -> bool:
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


def _headings_found(original: Path, encoding: str, redaction: Redaction) -> int:
    return sum(len(redaction.headings_among(cells)) for cells in _records(original, encoding, redaction.delimiter))


def _records(original: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    with original.open(encoding=encoding, errors="surrogateescape", newline="") as lines:
        yield from csv.reader(lines, delimiter=delimiter)


def _rewrite_text(original: Path, partial: Path, encoding: str, redaction: Redaction) -> None:
    with original.open(encoding=encoding, errors="surrogateescape", newline="") as lines:
        first = re.search("\r\n|\n|\r", lines.readline())
    line_end = first.group() if first else "\n"
    with partial.open("w", encoding=encoding, errors="surrogateescape", newline="") as copy:
        writer = csv.writer(copy, delimiter=redaction.delimiter, lineterminator=line_end)
        writer.writerows(redaction.blank(cells) for cells in _records(original, encoding, redaction.delimiter))


def _copy_workbook(original: Path, partial: Path, never_stored: frozenset[str]) -> bool:
    """The workbook itself, or if a sheet has a never-stored heading the cells alone: no comment, cache or formula."""
    workbook = CalamineWorkbook.from_path(str(original))
    sheets = {name: workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in workbook.sheet_names}
    nothing_hidden = Redaction(never_stored, ",")
    if not any(nothing_hidden.headings_among(row) for rows in sheets.values() for row in rows):
        shutil.copyfile(original, partial)
        return True
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd", "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(str(partial), options) as copy:
        copy.set_properties({"created": _MADE_AT})
        for name, rows in sheets.items():
            sheet = copy.add_worksheet(name)
            for n, row in enumerate(_blank_rows(rows, Redaction(never_stored, ","))):
                for m, cell in enumerate(row):
                    if isinstance(cell, str) and cell:
                        sheet.write_string(n, m, cell)
                    elif cell not in {"", None}:
                        sheet.write(n, m, cell)
    return True


def _blank_rows(rows: Iterable[Sequence[object]], redaction: Redaction) -> Iterator[list[object]]:
    """Rows of a sheet; one that ends early has empty cells at its end, and is none the less whole."""
    for row in rows:
        width = max(filled_width(row), redaction.width)
        cells = [*row, *[""] * (width - len(row))][:width]
        blanked = redaction.blank([c if isinstance(c, str) else "value" for c in cells])
        yield [now if now == "" else cell for cell, now in zip(cells, blanked, strict=True)]
