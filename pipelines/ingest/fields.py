"""From the cells of a file to the fields of a feed, as the source mapping says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ingest.read import read_table
from pipelines.ingest.table import Contents, Table
from pipelines.sections import IngestSettings
from pipelines.sources import Source, heading_key


def read_file(path: Path, source: Source, limits: IngestSettings) -> Contents:
    """Read a file through its source mapping.

    Raises FileRefusedError when it is empty, cut off, not what its name says, or too large once unpacked.
    """
    return by_field(read_table(path, source, limits), source)


def by_field(table: Table, source: Source) -> Contents:
    """The rows of a table by field; where a heading occurs twice, the first cell that is filled counts."""
    field_of = {heading_key(heading): field for heading, field in source.columns.items()}
    columns: dict[str, pa.ChunkedArray] = {}
    for place, key in enumerate(table.header.keys):
        if (field := field_of.get(key)) is None:
            continue
        cells = table.cells.column(f"c{place}")
        columns[field] = pc.if_else(pc.equal(columns[field], ""), cells, columns[field]) if field in columns else cells
    nothing = pa.nulls(table.cells.num_rows, pa.string())
    rows = pa.table(
        {
            "row_number": table.cells.column("row_number"),
            **{name: columns.get(name, nothing) for name in source.definition.field_names},
        }
    )
    headings = zip(table.header.headings, table.header.keys, strict=True)
    return Contents(
        rows,
        table.header,
        table.layout,
        table.broken,
        tuple(
            replace(cell, column=field_of[heading_key(cell.column)])
            for cell in table.unread
            if heading_key(cell.column) in field_of
        ),
        table.notes,
        tuple(heading for heading, key in headings if key and key not in field_of),
    )
