"""Cells as people write them, read column by column: to the value that is meant, or listed as unread. Never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.keys import find_repeated_keys
from pipelines.ingest.notation import read_notation
from pipelines.settings import Settings, WarehouseSettings
from pipelines.sources import Source, load_sources
from pipelines.warehouse import Warehouse, scratch_warehouse

NIGHT = date(2026, 11, 20)
SOURCES = {source.feed: source for source in load_sources(Path("no mappings of our own"))}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with scratch_warehouse(Settings(home=Path("home"), warehouse=WarehouseSettings(threads=1))) as opened:
        yield opened


def column(
    warehouse: Warehouse, field: str, *cells: str, feed: str = "purchase_orders", source: Source | None = None
) -> list[str | None]:
    """The values of one column of a file; ``None``: missing or unread."""
    used = source or SOURCES[feed]
    names = used.definition.field_names
    empty = pa.array([""] * len(cells), pa.string())
    rows = {name: pa.array(cells, pa.string()) if name == field else empty for name in names}
    with warehouse.relation(
        "landing", pa.table({"row_number": pa.array(range(2, len(cells) + 2), pa.int64()), **rows})
    ):
        read_notation(warehouse, used, NIGHT)
        unread = f"select row_number from faults where column_name = '{field}' and reason not like 'a placeholder%'"
        return [
            value
            for (value,) in warehouse.rows(
                f"select if(row_number in ({unread}), null, {field}) from reading order by row_number"
            )
        ]


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["11/18/2026", "11/05/2026"], ["2026-11-18", "2026-11-05"]),
        (["18/11/2026", "11/05/2026"], ["2026-11-18", "2026-05-11"]),
        (["18/11/2026", "11/18/2026", "05/05/2026", "2026-11-01"], [None, None, "2026-05-05", "2026-11-01"]),
        (["2026-06-30T23:00:00Z", "2026-10-01 00:00:00.000"], ["2026-07-01", "2026-10-01"]),
        (["11/05/2026", "11/18/2026", "31/02/2026"], ["2026-11-05", "2026-11-18", None]),
        (["26-11-20", "20-11-26"], [None, None]),
        (["20/11/26", "31/02/2026"], ["2026-11-20", None]),
        (["1931", "31/12/9999"], [None, None]),
    ],
)
def test_dates_are_read_by_their_column(warehouse: Warehouse, cells: list[str], days: list[str | None]) -> None:
    assert column(warehouse, "start_date", *cells) == days


def test_births_of_two_digits_lie_in_the_past(warehouse: Warehouse) -> None:
    cells = ["12/03/31", "14/03/21", "01/02/17", "01/02/16", "01/02/99"]
    years = [1931, 1921, 1917, 2016, 1999]
    assert [int(str(day)[:4]) for day in column(warehouse, "date_of_birth", *cells)] == years


@pytest.mark.parametrize(
    ("cells", "times"),
    [
        (["0.25", "9.5", "09:30"], ["06:00:00", None, "09:30:00"]),
        (["9.30", "0.30", "21.15"], ["09:30:00", "00:30:00", "21:15:00"]),
        (["9.25", "9.50", "9.75"], [None, None, None]),
        (["9PM", "21:30 PM", "12:15 am", "24:00"], ["21:00:00", "21:30:00", "00:15:00", None]),
        (["930", "2130"], ["09:30:00", "21:30:00"]),
    ],
)
def test_times_are_read_by_their_column(warehouse: Warehouse, cells: list[str], times: list[str | None]) -> None:
    assert column(warehouse, "start_time", *cells, feed="roster_visits") == times


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["27,30", "27,300"], ["27.3", "27.3"]),
        (["1,234.50", "27,300"], ["1234.5", "27300"]),
        (["27,30", "1,234.50"], [None, None]),
        (["27,300"], [None]),
        (["1.234,50", "1.234"], ["1234.5", "1234"]),
        (["(12.50)", "12.50-", "£-5", "-£5", "1e5", "5%"], ["-12.5", "-12.5", "-5", "-5", None, None]),
        (["1 234,50", "1'234.50", "£ 12 "], ["1234.5", "1234.5", "12"]),
    ],
)
def test_numbers_are_read_by_their_column(warehouse: Warehouse, cells: list[str], numbers: list[str | None]) -> None:
    assert column(warehouse, "rate", *cells) == numbers


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("£1,234.50", "1234.5"),
        ("1234.5", "1234.5"),
        ("-3", "-3"),
        ("1,234,567.89", "1234567.89"),
        ("12,50", "12.5"),
        ("twelve", None),
        ("£", None),
        ("", None),
        ("99999999999999999999", None),
    ],
)
def test_amounts(warehouse: Warehouse, cell: str, number: str | None) -> None:
    assert column(warehouse, "rate", cell) == [number]


@pytest.mark.parametrize(
    ("cell", "number"),
    [("30", "30"), ("30.0", "30"), ("1,440", "1440"), ("30.5", None), ("99999999999", None), ("-30", None)],
)
def test_whole_numbers(warehouse: Warehouse, cell: str, number: str | None) -> None:
    assert column(warehouse, "visit_minutes", cell) == [number]


@pytest.mark.parametrize(
    ("cell", "read"),
    [("08:00", "08:00:00"), ("8:5", "08:05:00"), ("08.30", "08:30:00"), ("1:15 PM", "13:15:00"), ("25:00", None)],
)
def test_times(warehouse: Warehouse, cell: str, read: str | None) -> None:
    assert column(warehouse, "start_time", cell, feed="roster_visits") == [read]


STYLES = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d %b %Y", "%d-%b-%Y", "%B %d, %Y", "%A %d %B %Y", "%Y%m%d", "%d.%m.%Y")


@given(st.lists(st.dates(date(1900, 3, 1), date(2060, 1, 1)), min_size=1, max_size=6), st.sampled_from(STYLES))
def test_a_date_in_any_style_is_itself_or_unread(warehouse: Warehouse, days: list[date], style: str) -> None:
    proved = style != "%m/%d/%Y" or any(day.day > 12 for day in days)
    read = column(warehouse, "created", *(day.strftime(style) for day in days))
    if proved:
        assert read == [day.isoformat() for day in days]


@given(st.lists(st.times().map(lambda t: t.replace(microsecond=0)), min_size=1, max_size=6), st.integers(0, 4))
def test_a_time_in_any_style_is_itself(warehouse: Warehouse, times: list[time], style: int) -> None:
    written = [
        [
            t.strftime("%H:%M:%S"),
            t.strftime("%I:%M:%S %p"),
            f"1899-12-30 {t:%H:%M:%S}",
            f"{t:%H:%M:%S}.000",
            f"{timedelta(hours=t.hour, minutes=t.minute, seconds=t.second) / timedelta(days=1):.9f}",
        ][style]
        for t in times
    ]
    assert column(warehouse, "start_time", *written, feed="roster_visits") == [t.isoformat() for t in times]


def test_a_hundred_thousand_rows_of_one_key_take_no_longer_than_others(warehouse: Warehouse) -> None:
    """Each row is compared with two others and not with all: this would not end otherwise."""
    many = 100_000
    warehouse.execute(
        f"create or replace temp table reading as select i as row_number, 'V1' as visit_id, 'C1' as client_id,"
        " null::varchar as purchase_order_number, '2026-11-20' as visit_date, null::varchar as start_time,"
        " i::varchar as planned_minutes, null::varchar as actual_start, null::varchar as actual_minutes,"
        f" null::varchar as carers, null::varchar as status from range({many}) as t(i)"
    )
    warehouse.execute("create or replace temp table faults (row_number bigint, required boolean)")
    find_repeated_keys(warehouse, SOURCES["roster_visits"].definition)
    assert warehouse.rows("select count(*), min(reason) from repeated") == [(many - 1, f"superseded by row {many - 1}")]
