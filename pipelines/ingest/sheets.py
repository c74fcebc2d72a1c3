"""From the sheets of a workbook to one table: every visible sheet whose headings fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from pipelines.ingest.layout import Header, filled_width, header_among, headings_met
from pipelines.ingest.no_rows import TableShape, without_no_rows
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.split import as_record, without_blank
from pipelines.ingest.table import BrokenRow, SheetRead, Table, UnreadCell
from pipelines.ingest.workbook import SHEET_STEP, Sheet, Unread, Workbook, unread_id

_FEW_HEADINGS = 2


@dataclass(frozen=True)
class Wanted:
    """What a mapping looks for: heading keys, those of them that rows must have, and those that hold text."""

    headings: frozenset[str]
    required: frozenset[str]
    text: frozenset[str]
    footer: tuple[str, ...] = ()

    def shape(self, header: Header) -> TableShape:
        """What the rows below a header are known by."""
        keys = frozenset(place for place, key in enumerate(header.keys) if key in self.required)
        return TableShape(header, keys, self.headings, self.footer)


def table_of_sheets(workbook: Workbook, wanted: Wanted) -> Table | None:
    """One table of all visible sheets with the wanted headings; None: there is no such sheet.

    Raises FileRefusedError for a sheet that holds two tables.
    """
    found = [(sheet, header_among(sheet.rows, tuple(wanted.headings))) for sheet in workbook.sheets if sheet.is_visible]
    met = {sheet.name: headings_met(header.headings, tuple(wanted.headings)) for sheet, header in found if header}
    best = max(met.values(), default=0)
    fitting = [(sheet, header) for sheet, header in found if header and _fits(header, wanted, met[sheet.name], best)]
    if not fitting:
        return None
    several = len(fitting) > 1
    notes = _notes(workbook, {sheet.name for sheet, _ in fitting})
    tables = [
        table_of_sheet(sheet, header, wanted, number * SHEET_STEP, name_it=several)
        for number, (sheet, header) in enumerate(fitting)
    ]
    table = below_each_other(tables) if several else tables[0]
    return replace(table, notes=(*notes, *table.notes), date_1904=workbook.date_1904)


def _fits(header: Header, wanted: Wanted, met: int, best: int) -> bool:
    """Whether a sheet has all the headings that rows must have; the best sheet is judged, and refused, elsewhere."""
    return wanted.required <= set(header.keys) or (met == best and not best < _FEW_HEADINGS)


def _notes(workbook: Workbook, read: set[str]) -> list[str]:
    notes = []
    for sheet in workbook.sheets:
        rows = sum(any(row) for row in sheet.rows)
        if not sheet.is_visible:
            notes.append(f"The sheet '{sheet.name}' is hidden and was not read.")
        elif sheet.name not in read and rows:
            notes.append(f"The sheet '{sheet.name}' has other headings and was not read ({rows} rows).")
        elif sheet.name in read and sheet.hidden_rows:
            notes.append(f"{sheet.hidden_rows} hidden rows of the sheet '{sheet.name}' were read like the others.")
    return notes


def table_of_sheet(
    sheet: Sheet, header: Header, wanted: Wanted, first_number: int = 0, *, name_it: bool = False
) -> Table:
    """The rows of one sheet below its header; ``name_it``: reasons name the sheet."""
    width = len(header.headings)
    shape = wanted.shape(header)
    rows, unread = _with_ids_as_shown(sheet, header, wanted)
    kept: list[tuple[int, list[str]]] = []
    broken: list[BrokenRow] = []
    for number, row in enumerate(rows[header.row :], start=header.row + 1):
        if (cells := filled_width(row)) > width:
            reason = f"the row has {cells} cells, the header {width}"
            broken.append(BrokenRow(first_number + number, reason, as_record(row[:cells], ",")))
        else:
            kept.append((first_number + number, row))
    cells_by_column = {
        f"c{i}": pa.array([row[i] if i < len(row) else "" for _, row in kept], pa.string()) for i in range(width)
    }
    table = pa.table({"row_number": pa.array([n for n, _ in kept], pa.int64()), **cells_by_column})
    listed = {(first_number + r + 1, c): why for (r, c), why in unread.items() if r >= header.row and c < width}
    filled = _filled_rows(table, {number for number, _ in listed})
    rows_only, none = without_no_rows(filled, shape, lambda cells: as_record(cells, ","))
    broken = sorted([*broken, *none], key=lambda row: row.row_number)
    there = set(rows_only.column("row_number").to_pylist())
    cells_unread = tuple(
        UnreadCell(number, header.headings[c], _in_sheet(why.reason, sheet, name_it=name_it), why.value_as_sent)
        for (number, c), why in sorted(listed.items())
        if number in there
    )
    return Table(
        rows_only,
        header,
        None,
        tuple(replace(row, reason=_in_sheet(row.reason, sheet, name_it=name_it)) for row in broken),
        cells_unread,
        sheets=(SheetRead(sheet.name, header, first_number),),
    )


def _in_sheet(reason: str, sheet: Sheet, *, name_it: bool) -> str:
    return f"{reason} (sheet '{sheet.name}')" if name_it else reason


def _with_ids_as_shown(
    sheet: Sheet, header: Header, wanted: Wanted
) -> tuple[list[list[str]], dict[tuple[int, int], Unread]]:
    """The rows with ids as the sheet shows them, and without what cannot be read."""
    rows, unread = sheet.rows, dict(sheet.unread)
    text = {place for place, key in enumerate(header.keys) if key in wanted.text}
    for (r, c), shown in sheet.shown.items():
        if c in text and r >= header.row:
            rows[r][c] = shown
    for r, c in sheet.too_long:
        if c in text and r >= header.row:
            unread[r, c] = unread_id(rows[r][c])
    for r, c in unread:
        if r < len(rows) and c < len(rows[r]):
            rows[r][c] = ""
    return rows, unread


def _filled_rows(table: pa.Table, unread: set[int]) -> pa.Table:
    """The rows that have a filled cell, or one that cannot be read."""
    filled = without_blank(table)
    if filled.num_rows == table.num_rows or not unread:
        return filled
    kept = set(filled.column("row_number").to_pylist()) | unread
    return table.filter(pa.array([number in kept for number in table.column("row_number").to_pylist()], pa.bool_()))


def below_each_other(tables: Sequence[Table]) -> Table:
    """One table with all columns of several; those of the same heading, and the same turn of it, are one."""
    places: dict[tuple[str, int], int] = {}
    headings: list[str] = []
    turns = [_turns(table.header) for table in tables]
    for table, keys in zip(tables, turns, strict=True):
        for heading, key in zip(table.header.headings, keys, strict=True):
            if key not in places:
                places[key] = len(headings)
                headings.append(heading)
    aligned = [
        pa.table(
            {
                "row_number": table.cells.column("row_number"),
                **{
                    f"c{n}": table.cells.column(f"c{keys.index(key)}")
                    if key in keys
                    else pa.array([""] * table.cells.num_rows, pa.string())
                    for key, n in places.items()
                },
            }
        )
        for table, keys in zip(tables, turns, strict=True)
    ]
    first = tables[0].header
    return Table(
        pa.concat_tables(aligned),
        Header(tuple(headings), first.row, first.last_line),
        None,
        tuple(row for table in tables for row in table.broken),
        tuple(cell for table in tables for cell in table.unread),
        tuple(note for table in tables for note in table.notes),
        sheets=tuple(sheet for table in tables for sheet in table.sheets),
    )


def _turns(header: Header) -> list[tuple[str, int]]:
    seen: dict[str, int] = {}
    keys = []
    for key in header.keys:
        seen[key] = seen.get(key, 0) + 1
        keys.append((key, seen[key]))
    return keys


def refuse_side_by_side(table: Table, wanted: Wanted) -> None:
    """Raises FileRefusedError where the headings stand twice in the header: two tables stand beside each other.

    A heading twice with the same values, as a join of two lists has it, is no second table.
    """
    for sheet in table.sheets or (SheetRead("", table.header),):
        keys = [key for key in sheet.header.keys if key in wanted.headings]
        twice = {key for key in keys if keys.count(key) > 1}
        if not twice & wanted.required:
            continue
        if len(twice) > 1 or _differs(table, twice & wanted.required):
            on = f" on the sheet '{sheet.name}'" if sheet.name else ""
            raise FileRefusedError(
                f"Two tables stand beside each other{on}: the headings of a key come twice. "
                "Ask the sender for a file or a sheet of its own for each table.",
                code="F5",
            )


def _differs(table: Table, keys: set[str]) -> bool:
    for key in keys:
        first, *others = (table.cells.column(f"c{n}").to_pylist() for n, k in enumerate(table.header.keys) if k == key)
        if any(a and b and a.strip() != b.strip() for other in others for a, b in zip(first, other, strict=True)):
            return True
    return False
