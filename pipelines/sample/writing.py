"""Setting a table of text down as one source would: its encoding, delimiter, dates and bad rows.

A feed is first a table of text, one column a heading; `write_csv` and `write_xlsx` then write it with the few bad rows
that every real export holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.sample.dirt import Rows
from pipelines.sample.names import Texts
from pipelines.sample.numbers import digits

GOOD_ROWS_FOR_EACH_BAD_ONE = 2_000
ROWS_OF_A_FILE_WITH_BAD_ROWS = 500
ROWS_AT_A_TIME = 200_000
IMPOSSIBLE_DATE = "31/02/2026"
EXCEL_SERIALS = 0.15  # of dates, where a source writes them

EPOCH = np.datetime64("1880-01-01", "D")
_ISO = np.datetime_as_string(np.arange(EPOCH, np.datetime64("2080-01-01"))).astype(object)
_SERIALS = np.arange(len(_ISO)) + (EPOCH - np.datetime64("1899-12-30")).astype(np.int64)
_PARTS = pd.Series(_ISO, dtype=object).str
DAY_TEXTS: dict[str, Texts] = {
    "iso": _ISO,
    "uk2": (_PARTS[8:10] + "/" + _PARTS[5:7] + "/" + _PARTS[2:4]).to_numpy(dtype=object),
    "us": (_PARTS[5:7] + "/" + _PARTS[8:10] + "/" + _PARTS[:4]).to_numpy(dtype=object),
    "uk": (_PARTS[8:10] + "/" + _PARTS[5:7] + "/" + _PARTS[:4]).to_numpy(dtype=object),
    "serial": digits(_SERIALS),
}
"""Every day from EPOCH on as text, in each style that a source writes dates in."""


def write_days(days: NDArray[np.datetime64], style: str) -> Texts:
    """Days as text in a style of `DAY_TEXTS`; empty where there is none (NaT)."""
    missing = np.isnat(days)
    offset = np.where(missing, EPOCH, days.astype("datetime64[D]")) - EPOCH
    written: Texts = np.where(missing, "", DAY_TEXTS[style][offset.astype(np.int64)])
    return written


@dataclass(frozen=True)
class Habits:
    """How one source writes its files. `genders`: its words for women and men; `footer`: lines below the rows, in which
    `{rows}` is their number."""

    encoding: str = "utf-8"
    delimiter: str = ","
    days: str = "uk"
    preamble: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()
    upper_case: bool = False
    serials: bool = False
    newlines: bool = False
    pounds: bool = False
    second_phone: bool = False
    genders: tuple[str, str] = ("F", "M")


def write_days_of(rng: Generator, days: pd.Series, habits: Habits) -> Texts:
    """Days as one source writes them, a few as Excel's serial numbers if that is its habit."""
    values = days.to_numpy().astype("datetime64[D]")
    written = write_days(values, habits.days)
    if habits.serials:
        rows = np.flatnonzero(rng.random(len(values)) < EXCEL_SERIALS)
        written[rows] = write_days(values[rows], "serial")
    return written


def write_genders(genders: Texts, habits: Habits) -> Texts:
    """F and M in the words of one source; anything else as it is."""
    written: Texts = np.select([genders == "F", genders == "M"], habits.genders, genders)
    return written.astype(object)


@dataclass(frozen=True)
class BadRows:
    """How to spoil a row of a feed: the heading of its own id (if it has one), of an id that it cannot do without, and
    of a date that it cannot do without (None: it has none, and a workbook's short rows are not broken either), with a
    day that does not exist as this source would write it."""

    own_id: str | None
    needed_id: str
    day: str | None
    impossible: str = IMPOSSIBLE_DATE

    @property
    def ways(self) -> tuple[str, ...]:
        """In which a row of this feed can be spoilt, in turn."""
        always = ("no id", "too many cells")
        return ("impossible date", *always, "too few cells") if self.day else always


def _quoted(column: pa.Array, delimiter: str) -> pa.Array:
    special = pc.match_substring_regex(column, '["\r\n' + ("\\t" if delimiter == "\t" else delimiter) + "]")
    if not pc.any(special).as_py():
        return column
    wrapped = pc.binary_join_element_wise('"', pc.replace_substring(column, '"', '""'), '"', "")
    return pc.if_else(special, wrapped, column)


def _lines(table: pd.DataFrame, delimiter: str) -> list[str]:
    columns = [_quoted(pa.array(table[name].to_numpy(), pa.string()), delimiter) for name in table]
    joined: list[str] = pc.binary_join_element_wise(*columns, delimiter).to_pylist()
    return joined


def spoil(rng: Generator, table: pd.DataFrame, bad: BadRows) -> tuple[Rows, list[list[str]]]:
    """The few bad rows of a file: where they stand among the good ones (rising), and their cells.

    Each is spoilt in the next of the feed's ways.
    """
    count = round(len(table) / GOOD_ROWS_FOR_EACH_BAD_ONE)
    if len(table) > ROWS_OF_A_FILE_WITH_BAD_ROWS:
        count = max(count, 1)
    places = np.sort(rng.integers(0, len(table), count)) if count else np.empty(0, dtype=np.int64)
    rows = []
    for turn, place in enumerate(places):
        row = table.iloc[place].copy()
        if bad.own_id:
            row[bad.own_id] = f"9{turn:03d}{row[bad.own_id]}"
        way = bad.ways[turn % len(bad.ways)]
        if way == "impossible date" and bad.day:
            row[bad.day] = bad.impossible
        elif way == "no id":
            row[bad.needed_id] = ""
        cells = [str(cell) for cell in row]
        if way == "too few cells":
            cells = cells[:-3]
        elif way == "too many cells":
            cells = [*cells, "see", "notes"]
        rows.append(cells)
    return places, rows


def write_csv(rng: Generator, path: Path, table: pd.DataFrame, habits: Habits, bad: BadRows | None = None) -> int:
    """Writes a table of text as one source would and returns how many bad rows went in among the good ones."""
    places, bad_cells = spoil(rng, table, bad) if bad else (np.empty(0, dtype=np.int64), [])
    bad_lines = [_lines(pd.DataFrame([cells], dtype=object), habits.delimiter)[0] for cells in bad_cells]
    encoding = "utf-8" if habits.encoding == "utf-8-sig" else habits.encoding
    heading = list(table.columns) + ["Phone"] * habits.second_phone
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf" * (habits.encoding == "utf-8-sig"))
        for line in (*habits.preamble, habits.delimiter.join(heading)):
            file.write(f"{line}\r\n".encode(encoding))
        for start in range(0, len(table), ROWS_AT_A_TIME):
            lines = _lines(table.iloc[start : start + ROWS_AT_A_TIME], habits.delimiter)
            if habits.second_phone:
                lines = [line + habits.delimiter for line in lines]
            here = [(place - start, line) for place, line in zip(places, bad_lines, strict=True)]
            for place, line in reversed([pair for pair in here if 0 <= pair[0] < ROWS_AT_A_TIME]):
                lines.insert(int(place), line)
            file.write(("\r\n".join(lines) + "\r\n").encode(encoding))
        for line in habits.footer:
            file.write(f"{line.format(rows=len(table))}\r\n".encode(encoding))
    return len(bad_cells)


def write_xlsx(rng: Generator, path: Path, title: str, table: pd.DataFrame, bad: BadRows) -> int:
    """Writes a workbook as an office would: a merged title, true dates, bare numbers for references that look so."""
    places, bad_cells = spoil(rng, table, bad)
    rows = table.to_numpy(dtype=object).tolist()
    for place, cells in reversed(list(zip(places, bad_cells, strict=True))):
        rows.insert(int(place), cells)
    heading = list(table.columns)
    dated = {heading.index(name) for name in ("DateOfBirth", "StartDate", "EndDate")}
    reference = heading.index("SocialServicesRef")
    workbook = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_numbers": False})
    workbook.set_properties({"title": title, "created": datetime(2026, 1, 1)})
    sheet = workbook.add_worksheet("Clients")
    day_format = workbook.add_format({"num_format": "dd/mm/yyyy"})
    bold = workbook.add_format({"bold": True, "align": "center"})
    sheet.merge_range(0, 0, 0, len(heading) - 1, title, bold)
    sheet.write_row(1, 0, heading, bold)
    for number, cells in enumerate(rows, start=2):
        for column, cell in enumerate(cells):
            if not cell:
                continue
            if column in dated and cell[4] == "-" and cell > "1901":
                sheet.write_datetime(number, column, datetime.fromisoformat(cell), day_format)
            elif column == reference and cell.isdigit() and cell[0] != "0":
                sheet.write_number(number, column, int(cell))
            else:
                sheet.write_string(number, column, cell)
    workbook.close()
    return len(bad_cells)
