"""Keep the original of every file, byte for byte, except that never-stored columns are blanked before the first write.

A column is hidden from the cell that holds such a heading downwards, wherever in the file that cell stands. In a row
that does not fit the header the cells may have shifted, so its neighbours are blanked too.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter
from pydantic import SecretStr
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum
from xlsxwriter.exceptions import XlsxWriterException

from pipelines.ingest.encoding import has_endless_line, read_text
from pipelines.ingest.layout import DELIMITERS, Layout, filled_width
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.split import SWALLOWED, Records, as_record, filled_width_of, surplus_of
from pipelines.ingest.workbook import WORKBOOKS, merged_places
from pipelines.ingest.workbook_parts import SheetFacts, read_facts
from pipelines.private import make_folder, whole_file
from pipelines.sealing import sealing
from pipelines.sources import heading_key

Write = Callable[[BinaryIO], object]

_LETTERS = bytes(b if chr(b).isalnum() and b < 128 else 0 for b in range(256)).lower()
_OTHERS = bytes(b for b in range(256) if not _LETTERS[b])
_BLOCK = 1 << 22
_MADE_AT = dt.datetime(2000, 1, 1)  # so that one workbook always makes the same copy
_CELLS = {"default_date_format": "yyyy-mm-dd", "nan_inf_to_errors": True}


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
        mentioned = _mentions(file, never_stored)
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
    workbook = CalamineWorkbook.from_path(str(original))
    facts = read_facts(original)
    sheets = [
        _SheetToCopy(one.name, one.visible, workbook.get_sheet_by_name(one.name), facts.of_sheet(place))
        for place, one in enumerate(workbook.sheets_metadata)
        if one.typ in (SheetTypeEnum.WorkSheet, None)
    ]
    nothing_hidden = Redaction(never_stored, ",")
    if not any(nothing_hidden.headings_among(row) for sheet in sheets for row in sheet.rows):
        return as_it_is(original)
    options = {"constant_memory": not in_memory, "in_memory": in_memory, "date_1904": facts.date_1904}

    def write(out: BinaryIO) -> None:
        with xlsxwriter.Workbook(out, {**options, **_CELLS}) as copy:
            copy.set_properties({"created": _MADE_AT})
            shown = False
            for sheet in sheets:
                page = _add_sheet(copy, sheet.name)
                if sheet.visible == SheetVisibleEnum.Hidden:
                    page.hide()
                elif sheet.visible == SheetVisibleEnum.VeryHidden:
                    page.very_hidden()
                elif not shown:
                    page.activate()
                    page.set_first_sheet()
                    shown = True
                page.merge.extend([*top, *bottom] for top, bottom in sheet.ranges)
                for n, row in enumerate(sheet.blanked(Redaction(never_stored, ","))):
                    for m, cell in enumerate(row):
                        _write_cell(page, n, m, cell)

    return write


class _SheetToCopy:
    """One sheet whose cells are written again."""

    def __init__(self, name: str, visible: SheetVisibleEnum, sheet: CalamineSheet, facts: SheetFacts) -> None:
        self.name, self.visible = name, visible
        self.rows: list[list[object]] = sheet.to_python(skip_empty_area=False)  # type: ignore[assignment]
        height, width = len(self.rows), max(map(len, self.rows), default=0)
        self.ranges = sheet.merged_cell_ranges or []
        for places, as_cell in (
            (facts.errors, _AsText),
            (facts.shown, _AsText),
            (dict.fromkeys(facts.without_value, "=NA()"), _AsFormula),
        ):
            for (r, c), text in places.items():
                if r < height:
                    self.rows[r].extend([""] * (c + 1 - len(self.rows[r])))
                    self.rows[r][c] = as_cell(text)
        self.own = [list(row) for row in self.rows]
        for (r, c), (top, left) in merged_places(self.ranges, height, width):
            if c < len(self.rows[r]) and left < len(self.rows[top]):
                self.rows[r][c] = self.rows[top][left]

    def blanked(self, redaction: Redaction) -> Iterator[list[object]]:
        """The cells that the sheet itself holds, without those below a never-stored heading, be it merged."""
        for own, row in zip(self.own, _blank_rows(self.rows, redaction), strict=True):
            yield ["" if now == "" else cell for cell, now in zip(own, row, strict=False)]


class _AsText(str):
    """A number as the sheet shows it, or the name of an error."""

    __slots__ = ()


class _AsFormula(str):
    """A formula that has no value."""

    __slots__ = ()


def _write_cell(page: Any, row: int, column: int, cell: object) -> None:
    if isinstance(cell, _AsFormula):
        page.write_formula(row, column, str(cell), None, "")
    elif isinstance(cell, str) and cell:
        page.write_string(row, column, str(cell))
    elif cell not in {"", None}:
        page.write(row, column, cell)


def _add_sheet(copy: xlsxwriter.Workbook, name: str) -> Any:
    """A sheet of that name; of another, where no spreadsheet program could have given it."""
    try:
        return copy.add_worksheet(name)
    except XlsxWriterException:
        return copy.add_worksheet(f"oneclient {len(copy.worksheets())}")


def _blank_rows(rows: Iterable[Sequence[object]], redaction: Redaction) -> Iterator[list[object]]:
    """Rows of a sheet; one that ends early has empty cells at its end, and is none the less whole."""
    for row in rows:
        width = max(filled_width(row), redaction.width)
        cells = [*row, *[""] * (width - len(row))][:width]
        blanked = redaction.blank([c if isinstance(c, str) else "value" for c in cells])
        yield [now if now == "" else cell for cell, now in zip(cells, blanked, strict=True)]
