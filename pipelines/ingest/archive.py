"""Keep the original of every file, byte for byte, except that never-stored columns are blanked before the first write."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl

from pipelines.ingest.read import HEADER_SEARCH_ROWS, Header, text_layout
from pipelines.ingest.refusal import FileRefusedError, NotTextError
from pipelines.sources import heading_key


def keep_copy(original: Path, copy: Path, never_stored: frozenset[str], *, readable: bool) -> bool:
    """Copy ``original`` to ``copy`` so that a crash leaves all of it or none, without the never-stored columns.

    Gives False, and writes nothing, when the file is such that its columns cannot be told apart.
    """
    copy.parent.mkdir(parents=True, exist_ok=True)
    partial = copy.with_name(f".{copy.name}.partial")
    try:
        if original.stat().st_size == 0:
            partial.touch()
        elif original.suffix.lower() not in {".xlsx", ".xlsm"}:
            _copy_text(original, partial, never_stored)
        elif readable:
            _copy_workbook(original, partial, never_stored)
        else:
            return False
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(copy)
    except NotTextError:
        return False
    finally:
        partial.unlink(missing_ok=True)
    return True


def blank_cells(record: str, delimiter: str, header: Header, never_stored: frozenset[str]) -> str:
    """One CSV record with the never-stored cells emptied; in a record that does not fit the header, their
    neighbours too, as far as the cells may have shifted."""
    hidden = [i for i, key in enumerate(header.keys) if key in never_stored]
    if not hidden:
        return record
    body = record.rstrip("\r\n")
    quote = '"'
    cells = body.split(delimiter) if quote not in body else re.findall(_cell_pattern(delimiter), body)
    shift = abs(len(cells) - len(header.headings))
    for i in hidden:
        for n in range(max(0, i - shift), min(len(cells), i + shift + 1)):
            cells[n] = ""
    return delimiter.join(cells) + record[len(body) :]


def _copy_text(original: Path, partial: Path, never_stored: frozenset[str]) -> None:
    try:
        layout = text_layout(original, sorted(never_stored))
    except NotTextError:
        raise
    except FileRefusedError:
        shutil.copyfile(original, partial)
        return
    encoding = "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding
    with (
        original.open(encoding=encoding, errors="surrogateescape", newline="") as read,
        partial.open("w", encoding=encoding, errors="surrogateescape", newline="") as write,
    ):
        for last_line, record in _records(read):
            below = last_line > layout.header.last_line
            write.write(blank_cells(record, layout.delimiter, layout.header, never_stored) if below else record)


def _copy_workbook(original: Path, partial: Path, never_stored: frozenset[str]) -> None:
    workbook = openpyxl.load_workbook(original)
    changed = False
    for sheet in workbook.worksheets:
        for cell in [c for row in sheet.iter_rows(max_row=HEADER_SEARCH_ROWS) for c in row]:
            if heading_key(str(cell.value or "")) in never_stored:
                for (below,) in sheet.iter_rows(
                    min_row=cell.row + 1, min_col=cell.column, max_col=cell.column
                ):
                    below.value = None
                    changed = True
    if changed:
        workbook.save(partial)
    else:
        shutil.copyfile(original, partial)


def _records(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """Physical lines joined while a quoted value is open, each with the number of its last line."""
    pending = ""
    number = 0
    for number, line in enumerate(lines, start=1):
        pending += line
        if pending.count('"') % 2 == 0:
            yield number, pending
            pending = ""
    if pending:
        yield number, pending


def _cell_pattern(delimiter: str) -> str:
    d = re.escape(delimiter)
    return rf'(?:^|(?<={d}))(?:"(?:[^"]|"")*"[^{d}]*|[^{d}]*)'
