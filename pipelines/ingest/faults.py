"""Which rows of a file are rejected, and which cells of the others are unread."""

from __future__ import annotations

import pyarrow as pa

from pipelines.ingest.archive import blank_record
from pipelines.ingest.notation import PLACEHOLDER, ROUNDED
from pipelines.ingest.table import Contents
from pipelines.warehouse import Warehouse


def reject(warehouse: Warehouse, contents: Contents, hidden: frozenset[str]) -> None:
    """Temporary tables ``rejected`` (one row a rejected row) and ``unread`` (one row an unread cell elsewhere).

    ``could_be_read`` says of a rejected row that its cells were read: its key is no usable one, or is used twice.
    """
    headings = contents.header.headings
    delimiter = contents.layout.delimiter if contents.layout else ","
    broken = pa.table(
        {
            "row_number": pa.array([row.row_number for row in contents.broken], pa.int64()),
            "reason": pa.array([row.reason for row in contents.broken], pa.string()),
            "row_as_sent": pa.array(
                [blank_record(row.text, delimiter, headings, hidden) for row in contents.broken], pa.string()
            ),
        }
    )
    with warehouse.relation("broken", broken):
        warehouse.execute(
            "create or replace temp table rejected as"
            " with refused as ("
            " select row_number, column_name, reason, reason in ($placeholder, $rounded) as could_be_read"
            " from faults where required"
            " qualify row_number() over (partition by row_number order by position) = 1"
            " union all select row_number, column_name, reason, true from repeated)"
            " select row_number, null::varchar as column_name, reason, row_as_sent, false as could_be_read from broken"
            " union all select f.row_number, f.column_name, f.reason, to_json(l)::varchar, f.could_be_read"
            " from refused as f join landing as l using (row_number)",
            {"placeholder": PLACEHOLDER, "rounded": ROUNDED},
        )
    warehouse.execute(
        "create or replace temp table unread as select row_number, column_name, reason, value_as_sent from faults"
        " where not required and row_number not in (select row_number from rejected)"
    )
