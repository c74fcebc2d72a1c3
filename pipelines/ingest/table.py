"""What a file is while it is landed: first a table of cells, then the rows of a feed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from pipelines.ingest.layout import Header, Layout


@dataclass(frozen=True)
class BrokenRow:
    """A row that is not loaded, known while the file is split into cells. ``row_number`` is the row that a spreadsheet
    shows it in, from 1."""

    row_number: int
    reason: str
    text: str


@dataclass(frozen=True)
class UnreadCell:
    """A cell whose value is not certain, known before its column is read (an error cell, text that cannot be decoded).

    ``column`` is a heading as sent in a ``Table``, and a field of the feed in ``Contents``.
    """

    row_number: int
    column: str
    reason: str
    value_as_sent: str


@dataclass(frozen=True)
class SheetRead:
    """One sheet of a workbook that rows were read from, and its header.

    ``first_number`` is what its row numbers are counted from: a row of the sheet is ``first_number`` and the number
    that the spreadsheet shows it under.
    """

    name: str
    header: Header
    first_number: int = 0


@dataclass(frozen=True)
class Table:
    """A file as rows and cells.

    ``cells`` has ``row_number`` (int64) and one string column for each heading, in order, named ``c0``, ``c1`` and so
    on; an empty cell is ``""``, and so is one that is listed in ``unread``. ``notes`` say in a sentence each what the
    sender or the operator should know of the file (a hidden sheet that was not read). Days that are serial numbers
    count from 1904 where ``date_1904``. ``sheets`` are those of a workbook that rows were read from.
    """

    cells: pa.Table
    header: Header
    layout: Layout | None
    broken: tuple[BrokenRow, ...] = ()
    unread: tuple[UnreadCell, ...] = ()
    notes: tuple[str, ...] = ()
    date_1904: bool = False
    sheets: tuple[SheetRead, ...] = ()


@dataclass(frozen=True)
class Contents:
    """A file as rows of a feed: ``rows`` has ``row_number`` (int64) and one string column for each field of the feed.

    A field without a heading is null in every row. ``unmapped`` are headings that carry no field.
    """

    rows: pa.Table
    header: Header
    layout: Layout | None
    broken: tuple[BrokenRow, ...] = ()
    unread: tuple[UnreadCell, ...] = ()
    notes: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = field(default=())
    date_1904: bool = False
    sheets: tuple[SheetRead, ...] = ()
