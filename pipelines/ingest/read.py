"""Split one delivered file into rows and cells of text: a CSV of any encoding and delimiter, or a workbook.

A row with too few or too many cells, or a line that is no row, is a broken row; a cell whose value is not certain is
listed; a file that cannot be trusted as a whole is refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ingest.discover import name_of
from pipelines.ingest.encoding import UNREAD_MARKS, Text, read_text, refuse_endless_line
from pipelines.ingest.layout import Header, Layout, layout_of
from pipelines.ingest.no_rows import named, without_no_rows
from pipelines.ingest.refusal import ASK_AGAIN, FileRefusedError
from pipelines.ingest.sheets import Wanted, refuse_side_by_side, table_of_sheets
from pipelines.ingest.split import as_record, split_text
from pipelines.ingest.table import Table, UnreadCell
from pipelines.ingest.workbook import WORKBOOKS, read_workbook
from pipelines.sections import IngestSettings
from pipelines.sources import Source, heading_key

ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!",
          "#GETTING_DATA", "#BLOCKED!", "#CONNECT!", "#BUSY!", "#UNKNOWN!", "#NV", "#BEZUG!", "#WERT!")  # fmt: skip
"""How spreadsheets show a formula that failed, also in the text that they save."""

_ERROR = "an error of the spreadsheet ({}), not a value"
_HASHES = re.compile("#{4,}")
_TOO_NARROW = "the column was too narrow to show the value when the file was saved"


def read_table(path: Path, source: Source, limits: IngestSettings) -> Table:
    """Split a file into rows and cells, as its source mapping describes it.

    Raises FileRefusedError when it is empty, cut off, not what its name says, or too large once unpacked.
    """
    if name_of(path) != path.name:
        raise FileRefusedError("The file's name is not UTF-8. Rename it and put it into the inbox again.", code="F12")
    refuse_empty(path)
    wanted = wanted_of(source)
    if path.suffix.lower() in WORKBOOKS:
        table = table_of_sheets(read_workbook(path, limits, source.sheet), wanted)
        if table is None:
            raise FileRefusedError(
                "No visible sheet holds the headings that this source sends. If the layout is new, write a source "
                "mapping (oneclient map FILE); else ask the sender for the right file.",
                code="F6",
            )
    else:
        text = read_text(path, source.encoding)
        layout = layout_of(text, tuple(wanted.headings), source.delimiter)
        _require_headings(layout.header, source)
        table = table_of_text(text, layout, wanted)
    for header in [sheet.header for sheet in table.sheets] or [table.header]:
        _require_headings(header, source)
    refuse_side_by_side(table, wanted)
    return with_errors_listed(table)


def wanted_of(source: Source) -> Wanted:
    """What a source mapping looks for in a file."""
    types = {field.name: field.type for field in source.definition.fields}
    return Wanted(
        frozenset(map(heading_key, source.columns)),
        frozenset(map(heading_key, source.required_headings)),
        frozenset(
            heading_key(heading)
            for heading in source.columns
            if any(types.get(name, "text") == "text" for name in source.fields_of(heading))
        ),
        source.footer,
    )


def table_of_text(text: Text, layout: Layout, wanted: Wanted) -> Table:
    """The rows of a text below its header.

    Raises FileRefusedError for a line longer than any table's, and for what cannot be split into rows.
    """
    refuse_endless_line(text.path)
    try:
        split = split_text(text, layout)
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise FileRefusedError(
            f"The file cannot be read as a table: its quoting or its encoding is broken, or it is cut off. {ASK_AGAIN}"
        ) from error
    shape = wanted.shape(layout.header)

    def cells_of(record: str) -> Sequence[str]:
        return next(csv.reader(io.StringIO(record, newline=""), delimiter=layout.delimiter), [])

    cells, none = without_no_rows(split.cells, shape, lambda row: as_record(row, layout.delimiter))
    broken = sorted([*named(split.broken, shape, cells_of), *none], key=lambda row: row.row_number)
    table = Table(cells, layout.header, layout, tuple(broken), notes=(*text.notes, *split.notes))
    return _without_marks(table) if text.data is not None else table


def refuse_empty(path: Path) -> None:
    """Raises FileRefusedError for a file without a byte."""
    if path.stat().st_size == 0:
        raise FileRefusedError(f"The file is empty. {ASK_AGAIN}", code="F2")


def _require_headings(header: Header, source: Source) -> None:
    missing = [heading for heading in source.required_headings if heading_key(heading) not in header.keys]
    if missing:
        raise FileRefusedError(
            f"The table has no heading {', '.join(missing)}, so it is not the {source.feed} file that its name says. "
            "Ask the sender for the right file, or correct the source mapping.",
            code="F7",
        )


def with_errors_listed(table: Table) -> Table:
    """Cells that hold the text of a spreadsheet's error are emptied and listed."""

    def why(cell: str) -> str | None:
        if _HASHES.fullmatch(cell.strip()):
            return _TOO_NARROW
        return _ERROR.format(cell.strip()) if cell.strip().upper() in ERRORS else None

    return _listed(table, lambda column: pc.starts_with(column, "#"), why)


def _without_marks(table: Table) -> Table:
    """The marks of words that cannot be read are taken out, their cells emptied and listed."""
    marked = re.compile(f"[{''.join(UNREAD_MARKS)}]")

    def why(cell: str) -> str | None:
        found = marked.search(cell)
        return UNREAD_MARKS[found.group()] if found else None

    listed = _listed(table, lambda column: pc.match_substring(column, "\ufdd0"), why)
    listed = _listed(listed, lambda column: pc.match_substring(column, "\ufdd1"), why)
    return replace(
        listed,
        broken=tuple(replace(row, text=marked.sub("", row.text)) for row in listed.broken),
        unread=tuple(replace(cell, value_as_sent=marked.sub("", cell.value_as_sent)) for cell in listed.unread),
    )


def _listed(
    table: Table, suspect: Callable[[pa.ChunkedArray], pa.ChunkedArray], why: Callable[[str], str | None]
) -> Table:
    """The table with the cells emptied and listed that cannot be read, and why."""
    unread: list[UnreadCell] = []
    cells = table.cells
    numbers = cells.column("row_number")
    for place, heading in enumerate(table.header.headings):
        column = cells.column(f"c{place}")
        found = suspect(column)
        if not pc.any(found).as_py():
            continue
        bad = []
        for at in pc.indices_nonzero(found).to_pylist():
            cell = column[at].as_py()
            if reason := why(cell):
                bad.append(at)
                unread.append(UnreadCell(numbers[at].as_py(), heading, reason, cell))
        if bad:
            emptied = pc.is_in(pa.array(np.arange(cells.num_rows)), value_set=pa.array(bad, pa.int64()))
            cells = cells.set_column(place + 1, f"c{place}", pc.if_else(emptied, "", column))
    if not unread:
        return table
    return replace(
        table, cells=cells, unread=tuple(sorted((*table.unread, *unread), key=lambda c: (c.row_number, c.column)))
    )
