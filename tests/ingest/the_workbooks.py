"""Clean feeds as workbooks: typed cells with number formats, or text; several sheets; one hidden; merged homes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from the_clean_feeds import IDS, Cell, Row, types_of
from the_clothes import Style, cell_text, days_since, dress, field_order, footer_row, heading_row, rows_in_order

HOME = ("address_1", "address_2", "town", "postcode")
_DATE_FORMATS = {
    "ISO": "yyyy-mm-dd", "d/m/Y": "dd/mm/yyyy", "d-m-Y": "dd-mm-yyyy", "d.m.Y": "dd.mm.yyyy", "d Mon Y": "d mmm yyyy",
    "m/d/Y": "mm/dd/yyyy", "d/m/y": "dd/mm/yy", "d-Mon-y": "d-mmm-yy", "d/m/Y 00:00": "dd/mm/yyyy hh:mm",
}  # fmt: skip
_TIME_FORMATS = {"HH:MM": "hh:mm", "HH:MM:SS": "hh:mm:ss", "9:30PM": "h:mm AM/PM"}
_NUMBER_FORMATS = {"1,234.50": "#,##0.00", "£1,234.50": "£#,##0.00", "(12.50)": "0.00;(0.00)"}


@dataclass(frozen=True)
class _Cell:
    """A value and its number format; nothing is an empty cell."""

    value: str | float | int | datetime | time | None
    form: str = "General"


@dataclass(frozen=True)
class _Sheet:
    """A sheet's name, its cells row by row, and the ranges (first row, last row, column), from 0, that are merged."""

    name: str
    cells: list[list[_Cell]]
    merged: tuple[tuple[int, int, int], ...] = ()
    hidden: bool = False


def workbook(rows: Sequence[Row], feed: str, style: Style) -> bytes:
    """The bytes of a workbook that holds these rows in this style."""
    sheets = list(_sheets(rows, feed, style))
    return (_by_openpyxl if style.program == "openpyxl" else _by_xlsxwriter)(sheets, style)


def _sheets(rows: Sequence[Row], feed: str, style: Style) -> Iterator[_Sheet]:
    if style.hidden_sheet:
        yield _Sheet("Last year", _table([_outdated(row, feed) for row in rows], feed, style)[0], hidden=True)
    if style.title_sheet:
        yield _Sheet("About", [[_Cell("Weekly export")], [_Cell("Queries to the office")]])
    ordered = rows_in_order(rows, style)
    share = -(-len(ordered) // style.sheets)
    for n in range(style.sheets):
        cells, merged = _table(ordered[n * share : (n + 1) * share], feed, style)
        yield _Sheet(f"Area {n + 1}", cells, merged)


def _outdated(row: Row, feed: str) -> Row:
    types = types_of(feed)
    return {
        field: "Outdated" if cell and types[field] == "text" and field not in IDS else cell
        for field, cell in row.items()
    }


def _table(rows: Sequence[Row], feed: str, style: Style) -> tuple[list[list[_Cell]], tuple[tuple[int, int, int], ...]]:
    order = field_order(feed, style)
    headings = [_Cell(heading) for heading in heading_row(feed, style)]
    body = [[_cell(row[field], field, feed, style) for field in order] for row in rows]
    above = [[_Cell(line)] if line else [] for line in style.above]
    merged: list[tuple[int, int, int]] = []
    first = len(above) + 1
    for n in range(1, len(rows)) if style.merged_homes else ():
        if all(rows[n][field] and rows[n][field] == rows[n - 1][field] for field in HOME):
            merged += [(first + n - 1, first + n, order.index(field)) for field in HOME]
    for at in {(last, column) for _, last, column in merged}:
        body[at[0] - first][at[1]] = _Cell(None)
    inserted = []
    if style.heading_again:
        inserted.append((len(body) // 2, headings))
    if style.blank_row:
        inserted.append((min(3, len(body)), []))
    for middle, line in inserted:
        place = middle + any(second == first + middle for _, second, _ in merged)  # no line stands within a merged home
        body.insert(place, line)
        merged = [(a + 1, b + 1, c) if a >= first + place else (a, b, c) for a, b, c in merged]
    below = [[_Cell(cell or None) for cell in footer_row(line, len(headings), style)] for line in style.below]
    return [*above, headings, *body, *below], tuple(merged)


def _cell(value: Cell, field: str, feed: str, style: Style) -> _Cell:  # noqa: PLR0911 - a table of types
    if value is None:
        return _Cell(None)
    if style.cells == "text":
        return _Cell(cell_text(value, field, feed, style))
    match value:
        case date():
            if style.dates.startswith("serial"):
                return _Cell(days_since(value, date(1904, 1, 1) if style.since_1904 else date(1899, 12, 30)))
            return _Cell(datetime(value.year, value.month, value.day), _DATE_FORMATS.get(style.dates, "dd/mm/yyyy"))
        case time():
            if style.times == "fraction":
                return _Cell((value.hour * 60 + value.minute) / 1440)
            return _Cell(value, _TIME_FORMATS.get(style.times, "hh:mm"))
        case int():
            return _Cell(value)
        case Decimal():
            return _Cell(float(value), _NUMBER_FORMATS.get(style.numbers, "General"))
    if field in IDS and value.isdigit() and style.ids == "plain":
        return _Cell(int(value), "0" * len(value) if value.startswith("0") else "0")
    return _Cell(dress(value, field, style))


def _by_xlsxwriter(sheets: Sequence[_Sheet], style: Style) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "date_1904": style.since_1904, "strings_to_formulas": False})
    forms: dict[str, Any] = {}
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        for at, row in enumerate(sheet.cells):
            for column, cell in enumerate(row):
                if cell.value is not None:
                    form = forms.setdefault(cell.form, None) or book.add_format({"num_format": cell.form})
                    forms[cell.form] = form
                    page.write(at, column, cell.value, form)
        for first, last, column in sheet.merged:
            page.merge_range(first, column, last, column, sheet.cells[first][column].value)
        if sheet.hidden:
            page.hide()
        else:
            page.activate()
            page.set_first_sheet()
    book.close()
    return out.getvalue()


def _by_openpyxl(sheets: Sequence[_Sheet], style: Style) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    if style.since_1904:
        book.epoch = CALENDAR_MAC_1904
    for sheet in sheets:
        page = book.create_sheet(sheet.name)
        for at, row in enumerate(sheet.cells, start=1):
            for column, cell in enumerate(row, start=1):
                if cell.value is not None:
                    written = page.cell(at, column, cell.value)
                    written.number_format = cell.form
                    if isinstance(cell.value, str):
                        written.data_type = "s"
        for first, last, column in sheet.merged:
            page.merge_cells(start_row=first + 1, end_row=last + 1, start_column=column + 1, end_column=column + 1)
        if sheet.hidden:
            page.sheet_state = "hidden"
    book.active = len(sheets) - 1
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
