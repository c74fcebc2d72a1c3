"""An empty workbook for a sender to fill in: the headings that oneclient knows, formats, lists to choose from, notes.

What is filled in is landed through the built-in mapping of the feed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from pipelines.feeds import FEEDS, Feed, Field, FieldType
from pipelines.private import whole_file
from pipelines.sources import load_sources
from pipelines.sources.template_notes import Note, note_of
from pipelines.troubles import AlreadyThereError

ROWS = 5_000
"""Rows below the headings that have their formats and lists."""

_NUMBER_FORMATS: dict[FieldType, str] = {
    "text": "@", "date": "yyyy-mm-dd", "time": "hh:mm", "integer": "0", "decimal": "0.00",
}  # fmt: skip
_HOW: dict[FieldType, str] = {
    "text": "text",
    "date": "a date, such as 2026-11-20 (year-month-day)",
    "time": "a time of day, such as 08:30",
    "integer": "a whole number",
    "decimal": "a number with a point",
}
_LONGEST_PROMPT = 255


@dataclass(frozen=True)
class Template:
    """The workbook that was written: its headings in order, and those without which a row is not accepted."""

    feed: str
    written: Path
    headings: tuple[str, ...]
    required: tuple[str, ...]
    file_name: str


def write_template(feed_name: str, out: Path, *, made_on: date, force: bool = False) -> Template:
    """Write the empty workbook of a feed. Raises AlreadyThereError for a file that is there, unless ``force``."""
    if out.exists() and not force:
        raise AlreadyThereError(f"{out} is there already. Name another file, or replace it with --force.")
    feed = FEEDS[feed_name]
    source = next(s for s in load_sources(Path("no mappings of our own")) if s.feed == feed_name)
    headings = {field: heading for heading in source.headings for field in source.fields_of(heading)}
    fields = [field for field in feed.fields if field.name in headings]
    with whole_file(out) as file, xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"title": f"{feed_name} for oneclient", "created": datetime.combine(made_on, time.min)})
        _write_table(book, feed, fields, headings)
        _write_notes(book, feed, fields, headings)
    required = tuple(headings[field.name] for field in fields if field.required)
    return Template(feed_name, out, tuple(headings[field.name] for field in fields), required, file_name_for(feed_name))


def file_name_for(feed_name: str) -> str:
    """A name by which a filled-in workbook is known, as an example."""
    issuer = "kent" if feed_name == "purchase_orders" else "careplan"
    return f"{issuer}_{feed_name}_20261120.xlsx"


def _write_table(book: xlsxwriter.Workbook, feed: Feed, fields: list[Field], headings: dict[str, str]) -> None:
    page = book.add_worksheet(feed.name)
    needed = book.add_format({"bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF", "border": 1})
    other = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1})
    formats = {kind: book.add_format({"num_format": form}) for kind, form in _NUMBER_FORMATS.items()}
    for place, field in enumerate(fields):
        heading = headings[field.name]
        page.set_column(place, place, max(12, len(heading) + 3), formats[field.type])
        page.write_string(0, place, heading, needed if field.required else other)
        _validate(page, place, field, note_of(feed.name, field.name))
    page.freeze_panes(1, 0)


def _validate(page: Worksheet, place: int, field: Field, note: Note) -> None:
    """What a spreadsheet says while a cell is filled in, and which values it warns of."""
    rule: dict[str, object] = {
        "input_title": "Needed" if field.required else "If known",
        "input_message": f"{note.what} Example: {note.example}"[:_LONGEST_PROMPT],
        "error_type": "warning",
        "ignore_blank": True,
    }
    if note.words:
        rule |= {"validate": "list", "source": list(note.words)}
    elif field.type == "date":
        rule |= {"validate": "date", "criteria": ">=", "value": date(1900, 1, 2)}
        rule |= {"error_message": "Write a date, such as 2026-11-20."}
    elif field.type == "time":
        rule |= {"validate": "time", "criteria": "between", "minimum": time(0), "maximum": time(23, 59, 59)}
        rule |= {"error_message": "Write a time of day, such as 08:30."}
    elif field.type in ("integer", "decimal"):
        rule |= {"validate": field.type, "criteria": ">=", "value": 0, "error_message": f"Write {_HOW[field.type]}."}
    else:
        rule |= {"validate": "any"}
    page.data_validation(1, place, ROWS, place, rule)


def _write_notes(book: xlsxwriter.Workbook, feed: Feed, fields: list[Field], headings: dict[str, str]) -> None:
    """A second sheet in words. No cell of it is a heading, so that it is never read as a table."""
    page = book.add_worksheet("Notes")
    title, head = book.add_format({"bold": True, "font_size": 14}), book.add_format({"bold": True, "bottom": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    page.set_column(0, 0, 30, wrapped)
    page.set_column(1, 1, 10, wrapped)
    page.set_column(2, 2, 70, wrapped)
    page.set_column(3, 3, 34, wrapped)
    page.set_column(4, 4, 24, wrapped)
    lines = (
        f"Fill in the sheet {feed.name}: one row each, from row 2. Leave the headings as they are.",
        f"Name the file like {file_name_for(feed.name)}: your name, _{feed.name}_ and the day that it speaks for.",
        "Leave a cell empty if you do not know it. Do not write N/A, TBC, 0 or a dash.",
        "Do not add totals, notes or a second table. Never send key safe numbers or door codes.",
    )
    page.write_string(0, 0, f"How to fill in {feed.name}", title)
    for row, line in enumerate(lines, start=2):
        page.write_string(row, 0, line, book.add_format())
    top = len(lines) + 3
    for place, word in enumerate(("The column", "Needed", "What it is", "How to write it", "For example")):
        page.write_string(top, place, word, head)
    for row, field in enumerate(fields, start=top + 1):
        note = note_of(feed.name, field.name)
        how = f"one of: {', '.join(note.words)}" if note.words else _HOW[field.type]
        page.write_string(row, 0, f"Column {headings[field.name]}", wrapped)
        page.write_string(row, 1, "needed" if field.required else "if known", wrapped)
        page.write_string(row, 2, note.what, wrapped)
        page.write_string(row, 3, how, wrapped)
        page.write_string(row, 4, f"for example {note.example}" if note.example else "", wrapped)
