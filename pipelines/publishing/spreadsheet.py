"""Tables for people's spreadsheets: what a source sent is text there, and never a formula."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import xlsxwriter

from pipelines.publishing.legible import legible

LONGEST_CELL = 32_767
MOST_ROWS = 1_048_575
TEXT_ONLY = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}

_FORMULA = r"^([=+\-@\t\r\n])"  # what a spreadsheet takes for the beginning of a formula in a CSV
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_BETWEEN_THINGS, _WITHIN_A_THING, _WITHIN_A_PART = "; ", ", ", " + "


def csv_of(table: pa.Table) -> bytes:
    """A table as CSV. Lists are joined; a text that begins like a formula gets an apostrophe before it."""
    shown = as_text(table)
    columns = [
        pc.replace_substring_regex(column, _FORMULA, r"'\1") if pa.types.is_string(column.type) else column
        for column in shown.columns
    ]
    sink = pa.BufferOutputStream()
    pacsv.write_csv(pa.table(columns, names=shown.column_names), sink)
    return bytes(sink.getvalue())


def as_text_cell(cell: str) -> str:
    """One cell of a CSV, with an apostrophe before what a spreadsheet would take for a formula."""
    return re.sub(_FORMULA, r"'\1", cell)


def write_sheet(
    table: pa.Table, path: Path, *, title: str, made_on: date, widths: Mapping[str, int], blanks: Sequence[str] = ()
) -> None:
    """Write a table as a workbook of one sheet, the same bytes for the same table, with ``blanks`` to be filled in.

    Raises ValueError when a sheet cannot hold the rows.
    """
    if table.num_rows > MOST_ROWS:
        raise ValueError(f"A sheet holds {MOST_ROWS:,} rows at most; there are {table.num_rows:,}.")
    shown = as_text(table)
    names = [*shown.column_names, *blanks]
    with xlsxwriter.Workbook(str(path), TEXT_ONLY) as file:
        file.set_properties({"title": title, "created": datetime.combine(made_on, time.min)})
        text = file.add_format({"valign": "top", "text_wrap": True, "quote_prefix": True})
        whole = file.add_format({"valign": "top", "num_format": "#,##0"})
        heading = file.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E4EAEF"})
        sheet = file.add_worksheet(title[:31])
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, table.num_rows, len(names) - 1)
        for position, name in enumerate(names):
            sheet.set_column(position, position, widths.get(name, 14))
            sheet.write_string(0, position, name.replace("_", " ").capitalize(), heading)
        for number, row in enumerate(zip(*(column.to_pylist() for column in shown.columns), strict=True), start=1):
            for position, cell in enumerate(row):
                if isinstance(cell, int):
                    sheet.write_number(number, position, cell, whole)
                elif cell:
                    sheet.write_string(number, position, cell_text(str(cell)), text)


def cell_text(text: str) -> str:
    """Text that a cell of a workbook can hold: no character that XML forbids, nothing xlsxwriter takes for markup, not
    too long."""
    text = legible(_FORBIDDEN.sub("\ufffd", text.replace("\r\n", "\n")))
    if text.startswith("<r>"):
        text = f" {text}"
    return text if len(text) <= LONGEST_CELL // 2 else text[: LONGEST_CELL // 2 - 1] + "…"


def as_text(table: pa.Table) -> pa.Table:
    """The same table with whole numbers as they are and everything else as text, column by column."""
    columns = [
        column.combine_chunks() if pa.types.is_integer(column.type) else _text_of(column.combine_chunks())
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def _text_of(values: pa.Array, between: str = _BETWEEN_THINGS) -> pa.Array:
    if pa.types.is_list(values.type):
        parts = _text_of(values.flatten(), _WITHIN_A_PART)
        ends = pc.cumulative_sum(pc.fill_null(pc.list_value_length(values), 0))
        offsets = pa.concat_arrays([pa.array([0], ends.type), ends]).cast(pa.int32())
        return pc.binary_join(pa.ListArray.from_arrays(offsets, parts), between)
    if pa.types.is_struct(values.type):
        fields = [_text_of(pc.struct_field(values, position), _WITHIN_A_PART) for position in range(len(values.type))]
        given = [pc.if_else(pc.equal(field, ""), pa.scalar(None, pa.string()), field) for field in fields]
        return pc.binary_join_element_wise(*given, _WITHIN_A_THING, null_handling="skip")
    return values.cast(pa.string())
