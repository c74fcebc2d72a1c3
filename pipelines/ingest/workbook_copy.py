"""Write a workbook again cell by cell: no comment, cache or formula is kept, and it reads as the original does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum
from xlsxwriter.exceptions import XlsxWriterException

from pipelines.ingest.workbook import merged_places
from pipelines.ingest.workbook_parts import SheetFacts, read_facts

_MADE_AT = dt.datetime(2000, 1, 1)  # so that one workbook always makes the same copy
_CELLS = {"default_date_format": "yyyy-mm-dd", "nan_inf_to_errors": True}


class NoValue(str):
    """A cell with a formula that has no value; as text it is the formula."""

    __slots__ = ()


class SheetCopy:
    """The cells of one sheet: ``rows`` with merged cells filled, ``own`` as the sheet itself holds them.

    Errors and numbers whose format shows zeros or letters are text, as the sheet shows them.
    """

    def __init__(self, name: str, visible: SheetVisibleEnum, sheet: CalamineSheet, facts: SheetFacts) -> None:
        self.name, self.visible = name, visible
        self.own: list[list[object]] = sheet.to_python(skip_empty_area=False)  # type: ignore[assignment]
        height, width = len(self.own), max(map(len, self.own), default=0)
        self.ranges = sheet.merged_cell_ranges or []
        no_value = {at: NoValue(formula) for at, formula in facts.without_value.items()}
        for (r, c), cell in {**facts.errors, **facts.shown, **no_value}.items():
            if r < height:
                self.own[r].extend([""] * (c + 1 - len(self.own[r])))
                self.own[r][c] = cell
        self.rows = [list(row) for row in self.own]
        for (r, c), (top, left) in merged_places(self.ranges, height, width):
            if c < len(self.rows[r]) and left < len(self.rows[top]):
                self.rows[r][c] = self.rows[top][left]


class WorkbookCopy:
    """The sheets of a workbook that can be read. Raises CalamineError, OSError and ValueError for any other."""

    def __init__(self, path: Path) -> None:
        workbook = CalamineWorkbook.from_path(str(path))
        facts = read_facts(path)
        self.date_1904 = facts.date_1904
        self.sheets = [
            SheetCopy(about.name, about.visible, workbook.get_sheet_by_index(place), facts.of_sheet(place))
            for place, about in enumerate(workbook.sheets_metadata)
            if about.typ in (SheetTypeEnum.WorkSheet, None)
        ]

    def write(self, out: BinaryIO, cells: Mapping[str, Iterable[Sequence[object]]], *, in_memory: bool) -> None:
        """Write the given cells of each sheet; hidden sheets stay hidden, merged ranges merged."""
        options = {"constant_memory": not in_memory, "in_memory": in_memory, "date_1904": self.date_1904}
        with xlsxwriter.Workbook(out, {**options, **_CELLS}) as copy:
            copy.set_properties({"created": _MADE_AT})
            is_first = True
            for sheet in self.sheets:
                page = _add_sheet(copy, sheet.name)
                if sheet.visible == SheetVisibleEnum.Hidden:
                    page.hide()
                elif sheet.visible == SheetVisibleEnum.VeryHidden:
                    page.very_hidden()
                elif is_first:
                    page.activate()
                    page.set_first_sheet()
                    is_first = False
                page.merge.extend([*top, *bottom] for top, bottom in sheet.ranges)
                for n, row in enumerate(cells[sheet.name]):
                    for m, cell in enumerate(row):
                        _write_cell(page, n, m, cell)


def _add_sheet(copy: xlsxwriter.Workbook, name: str) -> Any:
    """A sheet of that name; of another, where no spreadsheet program could have given it."""
    try:
        return copy.add_worksheet(name)
    except XlsxWriterException:
        return copy.add_worksheet(f"oneclient {len(copy.worksheets())}")


def _write_cell(page: Any, row: int, column: int, cell: object) -> None:
    if isinstance(cell, NoValue):
        page.write_formula(row, column, "=NA()", None, "")
    elif isinstance(cell, str) and cell:
        page.write_string(row, column, cell)
    elif cell not in {"", None}:
        page.write(row, column, cell)
