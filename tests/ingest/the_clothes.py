"""The clothes that a clean feed can be sent in: one `Style` says how a file is written, `dressed` writes it.

A style is the clean one but for some changes (`CHANGES`), so that Hypothesis makes a failing one smaller by leaving
changes out, and a message can name what is left. What does not go together (a zero-width sign in cp1252) is settled in
`settled`, before a style is shown or used.
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path

from the_clean_feeds import IDS, NAMES, OPEN_END, Cell, Row, types_of

from pipelines.sources import load_sources

HEADINGS = {
    source.feed: {field: heading for heading, field in source.columns.items()}
    for source in load_sources(Path("no mappings of our own"))
}
CODE_PAGES = {"cp1252": "cp1252", "cp850": "cp850", "mac_roman": "mac_roman", "line by line": "cp1252"}
TWICE, LINE_BY_LINE = "encoded twice", "line by line"


@dataclass(frozen=True)
class Style:
    """How one file is written. The defaults are the clean rendering."""

    kind: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    quoting: str = "where needed"
    line_end: str = "\n"
    last_line_end: bool = True
    surplus_cell: str = "none"
    dates: str = "ISO"
    times: str = "HH:MM"
    numbers: str = "1234.5"
    columns: str = "as is"
    headings: str = "ClientID"
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    footer_cells: str = "one"
    heading_again: bool = False
    ids: str = "plain"
    names: str = "plain"
    repeated_rows: int = 0
    blank_row: bool = False
    rows: str = "as is"
    cells: str = "typed"
    program: str = "xlsxwriter"
    sheets: int = 1
    title_sheet: bool = False
    hidden_sheet: bool = False
    merged_homes: bool = False
    since_1904: bool = False

    def __str__(self) -> str:
        clean = Style()
        changed = (f.name for f in fields(self) if getattr(self, f.name) != getattr(clean, f.name))
        return ", ".join(f"{name.replace('_', ' ')}: {getattr(self, name)!r}" for name in changed) or "clean"


CHANGES: dict[str, tuple[object, ...]] = {
    "encoding": (
        "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp850", "mac_roman", LINE_BY_LINE, TWICE,
    ),
    "delimiter": (";", "\t", "|"),
    "quoting": ("all",),
    "line_end": ("\r\n", "\r"),
    "last_line_end": (False,),
    "surplus_cell": ("rows", "rows and heading"),
    "dates": (
        "d/m/Y", "d-m-Y", "d.m.Y", "d/m/Y unpadded", "d Mon Y", "d-Mon-Y", "d Month Y", "m/d/Y", "m/d/Y unpadded",
        "d/m/y", "d-Mon-y", "ISO 00:00:00", "ISO 00:00:00.000", "ISO T00:00:00", "d/m/Y 00:00", "d/m/Y 00:00:00",
        "serial", "serial.0",
    ),
    "times": ("HH:MM:SS", "HH:MM:SS.000", "9:30PM", "9:30 pm", "H:MM", "HH.MM", "fraction"),
    "numbers": ("1,234.50", "£1,234.50", "1234.5000", "1234,50", "1.234,50", "(12.50)", "12.50-"),
    "columns": ("reversed", "rotated", "shuffled"),
    "headings": ("Client ID", "CLIENT_ID", "client id", " ClientID ", "CLIENTID", "Client\u00a0ID"),
    "above": (("Weekly export",), ("Weekly export", "", "Printed 20/11/2026 06:00")),
    "below": (
        ("Total clients: 12",), ("Printed 20/11/2026",), ("End of report",), ("", "Total: 12", "End of report"),
    ),
    "footer_cells": ("all", "a sum"),
    "heading_again": (True,),
    "ids": (
        "spaces", "byte order mark", "zero-width", "soft hyphen", "no-break space", "direction marks", '="00123"',
        "apostrophe", ".0",
    ),
    "names": ("spaces", "zero-width", "soft hyphen", "no-break space", "direction marks"),
    "repeated_rows": (1, 2),
    "blank_row": (True,),
    "rows": ("reversed",),
    "kind": ("xlsx",),
    "cells": ("text",),
    "program": ("openpyxl",),
    "sheets": (2,),
    "title_sheet": (True,),
    "hidden_sheet": (True,),
    "merged_homes": (True,),
    "since_1904": (True,),
}  # fmt: skip
"""What can be changed of a style, and into what: the simplest first."""

ONLY_TEXT = ("encoding", "delimiter", "quoting", "line_end", "last_line_end", "surplus_cell")
ONLY_WORKBOOK = ("cells", "program", "sheets", "title_sheet", "hidden_sheet", "merged_homes", "since_1904")


def settled(style: Style, feed: str) -> Style:
    """The style without what has no effect on this feed or does not go together."""
    clean, types = Style(), set(types_of(feed).values())
    idle = {*(ONLY_WORKBOOK if style.kind == "csv" else ONLY_TEXT)}
    idle |= {"times"} - ({"times"} if "time" in types else set())
    idle |= {"numbers"} - ({"numbers"} if "decimal" in types else set())
    idle |= {"merged_homes"} if "postcode" not in types_of(feed) or style.rows != "as is" else set()
    idle |= {"footer_cells"} if not style.below else set()
    style = replace(style, **{name: getattr(clean, name) for name in idle})  # type: ignore[arg-type]
    page = CODE_PAGES.get(style.encoding, "ascii" if style.encoding == TWICE else "utf-8")
    for name in ("ids", "names"):
        if not _can_write(DRESSES[getattr(style, name)]("A1 b"), page):
            style = replace(style, **{name: "plain"})  # type: ignore[arg-type]
    if not _can_write(style.headings, page):
        style = replace(style, headings="ClientID")
    return style


def is_promised(style: Style) -> bool:
    """Whether the policy says outright that such a file is read: then nothing of it may be rejected or left unread."""
    return style.encoding not in {TWICE, LINE_BY_LINE}


def dressed(rows: Sequence[Row], feed: str, style: Style) -> tuple[str, bytes]:
    """The ending and the bytes of a file that holds these rows in this style."""
    if style.kind == "xlsx":
        from the_workbooks import workbook

        return ".xlsx", workbook(rows, feed, style)
    return ".csv", encoded(_text(text_table(rows, feed, style), style), style)


def field_order(feed: str, style: Style) -> list[str]:
    """The fields in the order of their columns."""
    order = list(HEADINGS[feed])
    match style.columns:
        case "reversed":
            order.reverse()
        case "rotated":
            order = order[3:] + order[:3]
        case "shuffled":
            random.Random(feed).shuffle(order)  # noqa: S311 - the same on every run
    return order


def heading_row(feed: str, style: Style) -> list[str]:
    """The headings as this style spells them."""
    return [_HEADINGS[style.headings](HEADINGS[feed][field]) for field in field_order(feed, style)]


def rows_in_order(rows: Sequence[Row], style: Style) -> list[Row]:
    """The rows in the style's order, with those that are repeated at the end."""
    ordered = list(reversed(rows)) if style.rows == "reversed" else list(rows)
    return ordered + ordered[: style.repeated_rows]


def cell_text(value: Cell, field: str, feed: str, style: Style) -> str:
    """One cell as text."""
    match value:
        case None:
            return ""
        case date():
            return _DATES[style.dates](value)
        case time():
            return _TIMES[style.times](value)
        case int() | Decimal():
            return _number_text(value, style.numbers, decimal=types_of(feed)[field] == "decimal")
    return dress(value, field, style)


def dress(text: str, field: str, style: Style) -> str:
    """An id or a name with what this style puts about it."""
    how = style.ids if field in IDS else style.names if field in NAMES else "plain"
    return DRESSES[how](text) if text else text


def text_table(rows: Sequence[Row], feed: str, style: Style) -> list[list[str]]:
    """All rows of a text table: what stands above, headings, rows and what stands below."""
    order, headings = field_order(feed, style), heading_row(feed, style)
    body = [[cell_text(row[field], field, feed, style) for field in order] for row in rows_in_order(rows, style)]
    if style.surplus_cell != "none":
        body = [[*row, ""] for row in body]
    if style.heading_again:
        body.insert(len(body) // 2, list(headings))
    if style.blank_row:
        body.insert(3, [])
    width = len(headings)
    below = [footer_row(line, width, style) for line in style.below]
    top = [*headings, ""] if style.surplus_cell == "rows and heading" else headings
    return [*([line] for line in style.above), top, *body, *below]


def footer_row(line: str, width: int, style: Style) -> list[str]:
    """A line below the rows: one cell, or as many as the rows have, or with a sum in the last."""
    if not line or style.footer_cells == "one":
        return [line] if line else []
    return [line, *[""] * (width - 2), "12" if style.footer_cells == "a sum" else ""]


def encoded(text: str, style: Style) -> bytes:
    """A text in this style's encoding."""
    match style.encoding:
        case "line by line":
            lines = re.split(f"(?<={style.line_end})", text)
            return b"".join(line.encode(("utf-8", "cp1252")[n % 2]) for n, line in enumerate(lines))
        case "encoded twice":
            return text.encode().decode("cp1252").encode()
    return text.encode(style.encoding)


def _text(table: Sequence[Sequence[str]], style: Style) -> str:
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if style.quoting == "all" else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=style.delimiter, quoting=quoting, lineterminator=style.line_end)
    for row in table:
        if any(row):
            writer.writerow(row)
        else:
            out.write(style.line_end)
    text = out.getvalue()
    return text if style.last_line_end else text.removesuffix(style.line_end)


def _can_write(text: str, page: str) -> bool:
    try:
        text.encode(page)
    except UnicodeEncodeError:
        return False
    return True


def _spaced(heading: str, by: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])", by, heading)


_HEADINGS: dict[str, Callable[[str], str]] = {
    "ClientID": lambda heading: heading,
    "Client ID": lambda heading: _spaced(heading, " "),
    "Client\u00a0ID": lambda heading: _spaced(heading, "\u00a0"),
    "CLIENT_ID": lambda heading: _spaced(heading, "_").upper(),
    "client id": lambda heading: _spaced(heading, " ").lower(),
    " ClientID ": lambda heading: f" {heading} ",
    "CLIENTID": str.upper,
}

DRESSES: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "spaces": lambda text: f"  {text.replace(' ', '  ')} ",
    "byte order mark": lambda text: f"\ufeff{text}",
    "zero-width": lambda text: f"{text[:1]}\u200b{text[1:]}\u200b",
    "soft hyphen": lambda text: f"{text[:2]}\u00ad{text[2:]}",
    "no-break space": lambda text: f"{text}\u00a0".replace(" ", "\u00a0"),
    "direction marks": lambda text: f"\u200e{text}\u202c",
    '="00123"': lambda text: f'="{text}"',
    "apostrophe": lambda text: f"'{text}",
    ".0": lambda text: f"{text}.0" if text.isdigit() and not text.startswith("0") else text,
}


def days_since(day: date, epoch: date) -> int:
    """Days from an epoch, as a serial number."""
    return (day - epoch).days


def _serial(day: date) -> str:
    return str(days_since(day, date(1899, 12, 30)))


def _short_year(day: date, form: str) -> str:
    """With two digits of the year, but for the open end, which nobody writes so."""
    return day.strftime(form.replace("%y", "%Y") if day == OPEN_END else form)


_DATES: dict[str, Callable[[date], str]] = {
    "ISO": date.isoformat,
    "d/m/Y": lambda day: f"{day:%d/%m/%Y}",
    "d-m-Y": lambda day: f"{day:%d-%m-%Y}",
    "d.m.Y": lambda day: f"{day:%d.%m.%Y}",
    "d/m/Y unpadded": lambda day: f"{day.day}/{day.month}/{day.year}",
    "d Mon Y": lambda day: f"{day:%d %b %Y}",
    "d-Mon-Y": lambda day: f"{day:%d-%b-%Y}",
    "d Month Y": lambda day: f"{day.day} {day:%B %Y}",
    "m/d/Y": lambda day: f"{day:%m/%d/%Y}",
    "m/d/Y unpadded": lambda day: f"{day.month}/{day.day}/{day.year}",
    "d/m/y": lambda day: _short_year(day, "%d/%m/%y"),
    "d-Mon-y": lambda day: _short_year(day, "%d-%b-%y"),
    "ISO 00:00:00": lambda day: f"{day.isoformat()} 00:00:00",
    "ISO 00:00:00.000": lambda day: f"{day.isoformat()} 00:00:00.000",
    "ISO T00:00:00": lambda day: f"{day.isoformat()}T00:00:00",
    "d/m/Y 00:00": lambda day: f"{day:%d/%m/%Y} 00:00",
    "d/m/Y 00:00:00": lambda day: f"{day:%d/%m/%Y} 00:00:00",
    "serial": _serial,
    "serial.0": lambda day: f"{_serial(day)}.0",
}

_TIMES: dict[str, Callable[[time], str]] = {
    "HH:MM": lambda at: f"{at:%H:%M}",
    "HH:MM:SS": lambda at: f"{at:%H:%M:%S}",
    "HH:MM:SS.000": lambda at: f"{at:%H:%M:%S}.000",
    "9:30PM": lambda at: f"{at:%I:%M%p}".lstrip("0"),
    "9:30 pm": lambda at: f"{at:%I:%M %p}".lstrip("0").lower(),
    "H:MM": lambda at: f"{at.hour}:{at:%M}",
    "HH.MM": lambda at: f"{at:%H.%M}",
    "fraction": lambda at: repr((at.hour * 60 + at.minute) / 1440),
}


def _number_text(number: int | Decimal, style: str, *, decimal: bool) -> str:  # noqa: PLR0911 - a table of styles
    if not decimal:
        grouped = style in {"1,234.50", "£1,234.50"}
        return f"{number:,}" if grouped else f"{number}.0" if style == "1234.5000" else str(number)
    size, sign = abs(number), "-" if number < 0 else ""
    match style:
        case "1,234.50":
            return f"{sign}{size:,.2f}"
        case "£1,234.50":
            return f"{sign}£{size:,.2f}"
        case "1234.5000":
            return f"{sign}{size:.4f}"
        case "1234,50":
            return f"{sign}{size:.2f}".replace(".", ",")
        case "1.234,50":
            return f"{sign}{size:,.2f}".translate(str.maketrans(",.", ".,"))
        case "(12.50)":
            return f"({size:.2f})" if sign else f"{size:.2f}"
        case "12.50-":
            return f"{size:.2f}{sign}"
    return str(number)
