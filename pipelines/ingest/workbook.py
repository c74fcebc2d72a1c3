"""The sheets of a workbook as rows of text, as a reader of the sheet sees them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from pipelines.ingest.refusal import ASK_AGAIN, FileRefusedError
from pipelines.ingest.unpacked import refuse_unsafe_zip
from pipelines.ingest.workbook_parts import Place, SheetFacts, WorkbookFacts, read_facts
from pipelines.sections import IngestSettings

WORKBOOKS = {".xlsx", ".xlsm"}
SHEET_STEP = 10_000_000
"""What is added to the row numbers of each further sheet that is read, so that they differ within the file."""

MOST_DIGITS = 15
"""More digits of a number than these a spreadsheet does not keep."""

_ERROR = "an error of the spreadsheet ({}), not a value"
_NO_VALUE = "a formula that no program has worked out: open the workbook, save it, and send it again"
_TOO_LONG = f"a number of more than {MOST_DIGITS} digits, of which a spreadsheet keeps no more; send it as text"


@dataclass(frozen=True)
class Unread:
    """Why a cell cannot be read, and what stands there."""

    reason: str
    value_as_sent: str


@dataclass(frozen=True)
class Sheet:
    """One sheet: ``rows`` of text cells from its first row and column on, merged cells filled.

    ``shown`` are the numbers that their format shows otherwise (``001001``), ``too_long`` those that have lost digits:
    both matter where the number is an id. Places count from 0.
    """

    name: str
    is_visible: bool
    rows: list[list[str]]
    unread: dict[Place, Unread] = field(default_factory=dict)
    shown: dict[Place, str] = field(default_factory=dict)
    too_long: frozenset[Place] = frozenset()
    hidden_rows: int = 0


@dataclass(frozen=True)
class Workbook:
    """The sheets of a workbook, and whether its serial numbers of days count from 1904."""

    sheets: tuple[Sheet, ...]
    date_1904: bool = False


def read_workbook(path: Path, limits: IngestSettings, only: str | None = None) -> Workbook:
    """Every sheet of a workbook, or the one that is named. The rows of hidden sheets are left out unless it is named.

    Raises FileRefusedError for what is not a whole, readable workbook of a bearable size.
    """
    marked = refuse_unsafe_zip(path, limits)
    try:
        facts = read_facts(path, marked)
        workbook = CalamineWorkbook.from_path(str(path))
        sheets = tuple(_sheets(workbook, facts, only))
    except (CalamineError, OSError, ValueError) as error:
        raise FileRefusedError(
            f"The workbook cannot be read: it is damaged, or protected. {ASK_AGAIN}", code="F8"
        ) from error
    return Workbook(sheets, facts.date_1904)


def _sheets(workbook: CalamineWorkbook, facts: WorkbookFacts, only: str | None) -> Iterator[Sheet]:
    if only and only not in workbook.sheet_names:
        workbook.get_sheet_by_name(only)  # says that there is none
    for place, about in enumerate(workbook.sheets_metadata):
        if only and about.name != only:
            continue
        if about.typ not in (SheetTypeEnum.WorkSheet, None):
            continue
        visible = about.visible == SheetVisibleEnum.Visible
        sheet = workbook.get_sheet_by_index(place)
        if not (visible or only):
            has_rows = sheet.start is not None
            yield Sheet(about.name, False, [["hidden"]] if has_rows else [])
            continue
        yield _read_sheet(sheet, facts.of_sheet(place), visible=visible or bool(only))


def _read_sheet(sheet: CalamineSheet, facts: SheetFacts, *, visible: bool) -> Sheet:
    values: list[list[object]] = sheet.to_python(skip_empty_area=False)  # type: ignore[assignment]
    rows = [list(map(cell_text, row)) for row in values]
    height, width = len(rows), max(map(len, rows), default=0)
    unread = {at: Unread(_ERROR.format(error), error) for at, error in facts.errors.items()}
    unread |= {at: Unread(_NO_VALUE, formula) for at, formula in facts.without_value.items()}
    too_long = frozenset(
        (r, c)
        for r, row in enumerate(values)
        for c, value in enumerate(row)
        if type(value) is float and abs(value) >= 10**MOST_DIGITS
    )
    shown = {(r, c): text for (r, c), text in facts.shown.items() if r < height and c < len(rows[r])}
    read = Sheet(sheet.name, visible, rows, unread, shown, too_long, facts.hidden_rows)
    ranges = sheet.merged_cell_ranges or []
    return _with_merged_filled(read, ranges, height, width) if ranges and height else read


def merged_places(ranges: Iterable[tuple[Place, Place]], height: int, width: int) -> Iterator[tuple[Place, Place]]:
    """Each cell of a merged range in a sheet, and the one that holds its value. Raises ValueError on an overlap."""
    left = 2 * height * width
    for (top, start), (bottom, end) in ranges:
        if top < height and start < width:
            for row in range(top, min(bottom, height - 1) + 1):
                for column in range(start, min(end, width - 1) + 1):
                    left -= 1
                    if left < 0:
                        raise ValueError("merged cells overlap")
                    yield (row, column), (top, start)


def _with_merged_filled(sheet: Sheet, ranges: Iterable[tuple[Place, Place]], height: int, width: int) -> Sheet:
    rows = [[*row, *[""] * (width - len(row))] for row in sheet.rows]
    unread, shown, too_long = dict(sheet.unread), dict(sheet.shown), set(sheet.too_long)
    for (r, c), source in merged_places(ranges, height, width):
        rows[r][c] = rows[source[0]][source[1]]
        if source in unread:
            unread[r, c] = unread[source]
        if source in shown:
            shown[r, c] = shown[source]
        if source in too_long:
            too_long.add((r, c))
    return replace(sheet, rows=rows, unread=unread, shown=shown, too_long=frozenset(too_long))


def unread_id(value_as_sent: str) -> Unread:
    """What is said of a number that has lost digits."""
    return Unread(_TOO_LONG, value_as_sent)


def cell_text(cell: object) -> str:  # noqa: PLR0911 - a table of cases
    """A cell of a sheet as text: days as 2026-11-20, times as 06:00:00, whole numbers without a point."""
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).upper()
        case float() if cell.is_integer():
            return str(int(cell))
        case dt.datetime() if cell.time() == dt.time():
            return cell.date().isoformat()
        case dt.datetime():
            rounded = cell + dt.timedelta(microseconds=500_000)
            return rounded.replace(microsecond=0).isoformat(sep=" ")
        case dt.time():
            seconds = cell.hour * 3600 + cell.minute * 60 + cell.second + round(cell.microsecond / 1e6)
            return _clock(min(seconds, 86_399))
        case dt.timedelta():
            return (
                _clock(round(cell.total_seconds()))
                if cell >= dt.timedelta()
                else f"-{_clock(-round(cell.total_seconds()))}"
            )
        case _:
            return str(cell)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
