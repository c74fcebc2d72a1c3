"""From the cells of a file to the fields of a feed, as the source mapping says: columns, splits, constants, words.

Every rule is applied to the distinct cells of a column, since millions of rows share some thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ingest.read import read_table
from pipelines.ingest.table import Contents, Table, UnreadCell
from pipelines.sections import IngestSettings
from pipelines.sources import Source, Split, heading_key
from pipelines.sources.full_addresses import split_addresses
from pipelines.sources.full_names import Parts, split_names
from pipelines.sources.mapping import word_key
from pipelines.sources.moments import split_moments
from pipelines.sources.phones import split_phones

_Columns = dict[str, pa.ChunkedArray]


def read_file(path: Path, source: Source, limits: IngestSettings) -> Contents:
    """Read a file through its source mapping.

    Raises FileRefusedError when it is empty, cut off, not what its name says, or too large once unpacked.
    """
    return by_field(read_table(path, source, limits), source)


def by_field(table: Table, source: Source) -> Contents:
    """The rows of a table by field; where a heading occurs twice, the first cell that is filled counts.

    A cell that cannot be taken apart is an unread cell, and leaves its fields empty.
    """
    carried = {heading_key(heading): column for heading, column in source.columns.items()}
    cells = _cells_by_heading(table, carried)
    numbers = table.cells.column("row_number")
    columns: _Columns = {}
    unread: list[UnreadCell] = []
    for key, column in cells.items():
        carries = carried[key]
        if isinstance(carries, str):
            columns[carries] = column
        else:
            parts, not_read = _split(column, carries, source, numbers)
            columns |= parts
            unread += not_read
    rows = table.cells.num_rows
    for field, value in source.constants.items():
        columns[field] = pa.chunked_array([pa.repeat(pa.scalar(value, pa.string()), rows)])
    for field, words in source.vocabularies.items():
        if field in columns:
            columns[field] = _translated(columns[field], words)
    nothing = pa.nulls(rows, pa.string())
    by_name = {name: columns.get(name, nothing) for name in source.definition.field_names}
    headings = zip(table.header.headings, table.header.keys, strict=True)
    return Contents(
        pa.table({"row_number": numbers, **by_name}),
        table.header,
        table.layout,
        table.broken,
        (*_of_fields(table.unread, source), *unread),
        table.notes,
        tuple(heading for heading, key in headings if key and key not in carried),
        table.date_1904,
        table.sheets,
    )


def _cells_by_heading(table: Table, carried: Mapping[str, str | Split]) -> _Columns:
    """The column of each mapped heading key that the table has."""
    found: _Columns = {}
    for place, key in enumerate(table.header.keys):
        if key in carried:
            cells = table.cells.column(f"c{place}")
            found[key] = pc.if_else(pc.equal(found[key], ""), cells, found[key]) if key in found else cells
    return found


def _of_fields(unread: Sequence[UnreadCell], source: Source) -> Iterator[UnreadCell]:
    """Cells that could not be read in the file, by the (first) field that they carry."""
    for cell in unread:
        if fields := source.fields_of(cell.column):
            yield replace(cell, column=_named_for(fields))


def _named_for(fields: Sequence[str]) -> str:
    return "surname" if "surname" in fields else fields[0]


def _splitter(split: Split) -> Callable[[Sequence[str]], list[Parts]]:
    match split.kind:
        case "full_name":
            return partial(split_names, fields=split.fields, order=split.order)
        case "full_address":
            return partial(split_addresses, fields=split.fields)
        case "date_and_time":
            return partial(split_moments, fields=split.fields)
        case "same":
            return lambda cells: [Parts(dict.fromkeys(split.fields, cell)) for cell in cells]
        case _:
            return partial(split_phones, fields=split.fields)


def _split(
    column: pa.ChunkedArray, split: Split, source: Source, numbers: pa.ChunkedArray
) -> tuple[_Columns, list[UnreadCell]]:
    """The fields of a column that carries several, and its cells that have a part without a place in them."""
    fields = split.fields_in(source.definition)
    places, cells = _distinct(column)
    filled = [at for at, cell in enumerate(cells) if cell.strip()]
    parts = dict(zip(filled, _splitter(split)([cells[at] for at in filled]), strict=True))
    nothing = Parts()
    found = {
        name: pa.chunked_array([
            pa.array([parts.get(at, nothing).parts.get(name, "") for at in range(len(cells))], pa.string()).take(places)
        ])
        for name in fields
    }  # fmt: skip
    reasons = {at: each for at, each in parts.items() if each.reason and each.about in (None, *fields)}
    if not reasons:
        return found, []
    rows = pc.indices_nonzero(pc.is_in(places, pa.array(list(reasons), places.type)))
    return found, [
        UnreadCell(number, reasons[place].about or _named_for(fields), str(reasons[place].reason), cells[place])
        for number, place in zip(numbers.take(rows).to_pylist(), places.take(rows).to_pylist(), strict=True)
    ]


def _translated(column: pa.ChunkedArray, words: Mapping[str, str]) -> pa.ChunkedArray:
    """A column with the words of the source in the words of oneclient."""
    places, cells = _distinct(column)
    return pa.chunked_array([pa.array([words.get(word_key(cell), cell) for cell in cells], pa.string()).take(places)])


def _distinct(column: pa.ChunkedArray) -> tuple[pa.Array, list[str]]:
    """For each row the place of its cell among the distinct cells, and these."""
    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices, encoded.dictionary.to_pylist()
