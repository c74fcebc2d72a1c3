"""Which cells of a file cannot be read, and which rows are rejected for it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipelines.feeds import Feed, Field
from pipelines.ingest.archive import blank_record
from pipelines.ingest.table import Contents
from pipelines.warehouse import Warehouse

_READABLE: dict[str, str] = {
    "text": "true",
    "date": "read_date({0}, $date_formats, $serials) is not null",
    "time": "read_time({0}) is not null",
    "integer": "read_integer({0}) is not null",
    "decimal": "read_decimal({0}) is not null",
}
_KIND: dict[str, str] = {
    "date": "not a date in any format of this source",
    "time": "not a time of day",
    "integer": "not a whole number",
    "decimal": "not a number",
}


def find_faults(warehouse: Warehouse, feed: Feed, parameters: dict[str, Any]) -> None:
    """Temporary table ``faults``: one row for each cell that is missing though required, or cannot be read.

    Millions of rows share some thousand dates and times, so each distinct cell is read once.
    """
    typed = [field for field in feed.fields if field.type != "text"]
    checked = [field for field in feed.fields if field.required or field.type != "text"]
    cells = [f"select distinct '{f.name}' as column_name, {f.name} as cell from landing" for f in typed]
    unreadable = [
        f"select column_name, cell from cells where column_name = '{f.name}' and {_filled('cell')}"
        f" and not ({_READABLE[f.type].format('cell')})"
        for f in typed
    ]
    used = {k: v for k, v in parameters.items() if any(f"${k}" in select for select in unreadable)}
    warehouse.execute(f"create or replace temp table cells as {' union all '.join(cells)}")
    warehouse.execute(f"create or replace temp table unreadable as {' union all '.join(unreadable)}", used)
    faulty = {f.name: _faulty(f) for f in checked}
    warehouse.execute(
        f"create or replace temp table suspects as select * from landing where {' or '.join(faulty.values())}"
    )
    each = [
        f"select row_number, {position} as position, '{field.name}' as column_name,"
        f" if({_filled(field.name)}, '{_KIND.get(field.type, 'missing')}', 'missing') as reason,"
        f" {field.name} as value_as_sent, {field.required} as required from suspects where {faulty[field.name]}"
        for position, field in enumerate(feed.fields)
        if field in checked
    ]
    warehouse.execute(f"create or replace temp table faults as {' union all '.join(each)}")


def _filled(cell: str) -> str:
    return f"coalesce(regexp_matches({cell}, '[^\\s\\p{{Z}}]'), false)"


def _faulty(field: Field) -> str:
    """A SQL condition that is true or false, never null."""
    missing = f"not {_filled(field.name)}" if field.required else "false"
    if field.type == "text":
        return missing
    unread = f"{field.name} in (select cell from unreadable where column_name = '{field.name}')"
    return f"({missing} or coalesce({unread}, false))"


def reject(warehouse: Warehouse, contents: Contents, hidden: frozenset[str]) -> None:
    """Temporary tables ``rejected`` (one row a rejected row) and ``unread`` (one row an unread cell elsewhere)."""
    headings = contents.header.headings
    delimiter = contents.layout.delimiter if contents.layout else ","
    broken = pd.DataFrame(
        [(row.row_number, row.reason, blank_record(row.text, delimiter, headings, hidden)) for row in contents.broken],
        columns=["row_number", "reason", "row_as_sent"],
    ).astype({"row_number": "int64", "reason": "str", "row_as_sent": "str"})
    with warehouse.relation("broken", broken):
        warehouse.execute(
            "create or replace temp table rejected as"
            " select row_number, null::varchar as column_name, reason, row_as_sent from broken union all"
            " select f.row_number, f.column_name, f.reason, to_json(s)::varchar from faults as f"
            " join suspects as s using (row_number) where f.required"
            " qualify row_number() over (partition by f.row_number order by f.position) = 1"
        )
    warehouse.execute(
        "create or replace temp table unread as select row_number, column_name, reason, value_as_sent from faults"
        " where not required and row_number not in (select row_number from rejected)"
    )
