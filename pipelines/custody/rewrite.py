"""Change rows of a kept file, text or workbook, sealed or not; a crash leaves the old file or the new one, whole."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from python_calamine import CalamineError

from pipelines.ingest.encoding import read_text
from pipelines.ingest.layout import DELIMITERS, filled_width
from pipelines.ingest.originals import CannotBeReadError, plain
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.split import Records
from pipelines.ingest.workbook import WORKBOOKS
from pipelines.ingest.workbook_copy import WorkbookCopy
from pipelines.private import whole_file
from pipelines.sealing import is_sealed, sealing
from pipelines.settings import Settings

# Sheet (empty: a text file), row number from 1 and its cells as text → the new cells, or None: leave the row as it is.
Change = Callable[[str, int, list[str]], Sequence[str] | None]
Rows = dict[int, Sequence[str]]

_SAMPLE_BYTES = 1 << 18


def rewrite(
    settings: Settings,
    path: Path,
    change: Change,
    encoding: str | None = None,
    delimiter: str | None = None,
    width: int | None = None,
) -> int:
    """Change the rows of a file in place; gives how many. One in which nothing changes stays byte for byte.

    ``width`` is the number of columns of its table, which tells a stray quotation mark from a cell of several lines.

    Of a workbook with a changed row the cells alone are kept: no comment, cache or formula. Raises CannotBeReadError.
    """
    with plain(settings, path) as original:
        if original.suffix.lower() in WORKBOOKS:
            copy = read_workbook(original)
            changed = _change_sheets(copy, change)
            write = _workbook_of(copy)
        else:
            text = _Text(original, encoding, delimiter, width)
            rows = text.changed(change)
            changed, write = len(rows), text.written_with(rows)
        if changed:
            with whole_file(path) as file, sealing(file, settings.key if is_sealed(path) else None) as out:
                write(out)
    return changed


def read_workbook(path: Path) -> WorkbookCopy:
    """Every sheet of a workbook. Raises CannotBeReadError."""
    try:
        return WorkbookCopy(path)
    except (CalamineError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise CannotBeReadError from error


class _Text:
    def __init__(self, path: Path, encoding: str | None, delimiter: str | None, width: int | None = None) -> None:
        self.path, self.width = path, width
        with path.open("rb") as file:
            sample = file.read(_SAMPLE_BYTES)
        if encoding is None:
            try:
                encoding = read_text(path).encoding
            except FileRefusedError as error:
                if b"\0" in sample:
                    raise CannotBeReadError from error
                encoding = "latin-1"
        self.encoding = encoding
        text = sample.decode(encoding, errors="replace")
        self.delimiter = delimiter or max(DELIMITERS, key=text.count)
        line_end = re.search("\r\n|\n|\r", text)
        self.line_end = line_end.group() if line_end else "\n"

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        try:
            with self.path.open(encoding=self.encoding, errors="surrogateescape", newline="") as lines:
                split = (
                    Records(lines, self.delimiter, self.width)
                    if self.width
                    else csv.reader(lines, delimiter=self.delimiter)
                )
                yield from enumerate(split, start=1)
        except (csv.Error, UnicodeError) as error:
            raise CannotBeReadError from error

    def changed(self, change: Change) -> Rows:
        return {n: now for n, cells in self._records() if (now := change("", n, cells)) is not None}

    def written_with(self, rows: Rows) -> Callable[[BinaryIO], None]:
        def write(out: BinaryIO) -> None:
            copy = io.TextIOWrapper(out, encoding=self.encoding, errors="surrogateescape", newline="")
            writer = csv.writer(copy, delimiter=self.delimiter, lineterminator=self.line_end)
            writer.writerows(rows.get(n, cells) for n, cells in self._records())
            copy.detach()

        return write


def _change_sheets(copy: WorkbookCopy, change: Change) -> int:
    """Change rows in place. In a sheet with a changed row no cell stays merged, so that the others keep its value."""
    changed = 0
    for sheet in copy.sheets:
        before = changed
        for place, row in enumerate(sheet.rows):
            if (now := change(sheet.name, place + 1, [_shown(cell) for cell in row])) is not None:
                sheet.rows[place] = list(now)
                changed += 1
        if changed > before:
            sheet.own, sheet.ranges = sheet.rows, []
    return changed


def _workbook_of(copy: WorkbookCopy) -> Callable[[BinaryIO], None]:
    cells = {sheet.name: [row[: filled_width(row)] for row in sheet.own] for sheet in copy.sheets}
    return lambda out: copy.write(out, cells, in_memory=True)


def _shown(cell: object) -> str:
    match cell:
        case None:
            return ""
        case float() if cell.is_integer():
            return str(int(cell))
        case dt.datetime() if cell.time() == dt.time():
            return cell.date().isoformat()
        case _:
            return str(cell)
