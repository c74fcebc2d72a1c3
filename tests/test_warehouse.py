"""The warehouse: only what is new or different is written; one writer at a time; other versions' tables are left."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import load_settings
from pipelines.warehouse import (
    Warehouse,
    WarehouseBusyError,
    WarehouseShapeError,
    Written,
    open_warehouse,
    scratch_warehouse,
)

MORE_THAN_A_ROW_GROUP = 200_000
HOLD_OPEN = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with scratch_warehouse() as opened:
        yield opened


def incoming(warehouse: Warehouse, *rows: tuple[int, str, int]) -> str:
    """Visits as they come in: number, status, day on which it was said."""
    warehouse.execute("create or replace temp table incoming (id integer, status varchar, said_on integer)")
    for number, status, said_on in rows:
        warehouse.execute("insert into incoming values ($n, $s, $d)", {"n": number, "s": status, "d": said_on})
    return "incoming"


def kept(warehouse: Warehouse) -> list[tuple[int, str, int]]:
    return warehouse.rows("select * from staged.things order by id")


def test_the_first_rows_make_the_table(warehouse: Warehouse) -> None:
    rows = incoming(warehouse, (1, "Planned", 1), (2, "Planned", 1))
    assert warehouse.upsert("staged.things", ["id"], rows) == Written(inserted=2, updated=0)
    assert kept(warehouse) == [(1, "Planned", 1), (2, "Planned", 1)]


def test_only_what_is_new_or_different_is_written(warehouse: Warehouse) -> None:
    warehouse.upsert("staged.things", ["id"], incoming(warehouse, (1, "Planned", 1), (2, "Planned", 1)))
    again = incoming(warehouse, (1, "Planned", 1), (2, "Completed", 2), (3, "Planned", 2))
    assert warehouse.upsert("staged.things", ["id"], again) == Written(inserted=1, updated=1)
    assert warehouse.upsert("staged.things", ["id"], again) == Written(inserted=0, updated=0)
    assert kept(warehouse) == [(1, "Planned", 1), (2, "Completed", 2), (3, "Planned", 2)]


def test_a_kept_column_stays_as_first_written_when_only_it_differs(warehouse: Warehouse) -> None:
    warehouse.upsert("staged.things", ["id"], incoming(warehouse, (1, "Planned", 1)))
    later = incoming(warehouse, (1, "Planned", 5))
    assert warehouse.upsert("staged.things", ["id"], later, keep=["said_on"]).rows == 0
    assert kept(warehouse) == [(1, "Planned", 1)]


def test_the_newest_wins_whenever_it_comes(warehouse: Warehouse) -> None:
    warehouse.upsert("staged.things", ["id"], incoming(warehouse, (1, "Completed", 5)), newest="said_on")
    late = incoming(warehouse, (1, "Planned", 2))
    assert warehouse.upsert("staged.things", ["id"], late, newest="said_on").rows == 0
    assert kept(warehouse) == [(1, "Completed", 5)]


def test_rows_that_are_gone_are_removed_within_what_was_said(warehouse: Warehouse) -> None:
    warehouse.upsert("staged.things", ["id"], incoming(warehouse, (1, "A", 1), (2, "A", 1), (3, "B", 1)))
    only_the_first = incoming(warehouse, (1, "A", 1))
    written = warehouse.upsert("staged.things", ["id"], only_the_first, within="kept.status = 'A'")
    assert written == Written(inserted=0, updated=0, deleted=1)
    assert kept(warehouse) == [(1, "A", 1), (3, "B", 1)]


def test_an_empty_key_cell_is_a_value_like_any_other(warehouse: Warehouse) -> None:
    warehouse.execute("create temp table nameless as select null::varchar as id, 'x' as status")
    assert warehouse.upsert("staged.nameless", ["id"], "nameless") == Written(inserted=1, updated=0)
    assert warehouse.upsert("staged.nameless", ["id"], "nameless") == Written(inserted=0, updated=0)


def test_no_rows_and_then_a_great_many_in_one_transaction_are_all_there(warehouse: Warehouse) -> None:
    """What DuckDB 2.0.0 loses when no rows are inserted first; see ``Warehouse.append``."""
    warehouse.execute("create table staged.visits (id integer)")
    warehouse.execute("create temp table none_yet (id integer)")
    warehouse.execute(f"create temp table many as select range::integer as id from range({MORE_THAN_A_ROW_GROUP})")
    with warehouse.transaction():
        warehouse.append("staged.visits", "none_yet")
        warehouse.append("staged.visits", "many")
        assert warehouse.one("select count(*) from staged.visits") == MORE_THAN_A_ROW_GROUP
    assert warehouse.one("select count(distinct id) from staged.visits") == MORE_THAN_A_ROW_GROUP


def test_append_goes_by_column_name(warehouse: Warehouse) -> None:
    warehouse.execute("create table staged.pairs (a varchar, b varchar)")
    warehouse.execute("create temp table turned as select 'bee' as b, 'ay' as a")
    warehouse.append("staged.pairs", "turned")
    assert warehouse.rows("select a, b from staged.pairs") == [("ay", "bee")]


def test_a_transaction_is_kept_whole_or_not_at_all(warehouse: Warehouse) -> None:
    warehouse.execute("create table staged.things (id integer)")
    with pytest.raises(KeyboardInterrupt), warehouse.transaction():
        warehouse.execute("insert into staged.things values (1)")
        raise KeyboardInterrupt
    assert warehouse.one("select count(*) from staged.things") == 0


def test_a_warehouse_in_use_says_so_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[warehouse]\nlock_wait_seconds = 0.2\n")
    settings = load_settings(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_OPEN, str(settings.database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        busy = r"open in another process and did not become free in 0\.2 seconds\. Wait for the running night"
        with pytest.raises(WarehouseBusyError, match=busy), open_warehouse(settings):
            pass
        holder.communicate()
    with open_warehouse(settings) as warehouse:
        assert warehouse.one("select 1") == 1


def test_a_table_of_another_version_is_left_as_it_is(warehouse: Warehouse) -> None:
    warehouse.upsert("staged.things", ["id"], incoming(warehouse, (1, "Planned", 1)))
    warehouse.execute("create temp table wider as select 1 as id, 'x' as status, 1 as said_on, 30 as minutes")
    with pytest.raises(WarehouseShapeError, match=r"staged\.things .*columns that differ: minutes.*report it"):
        warehouse.upsert("staged.things", ["id"], "wider")
    assert kept(warehouse) == [(1, "Planned", 1)]


def test_a_scratch_sees_what_it_is_handed_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with open_warehouse(load_settings(tmp_path)) as home, home.transaction():
        before = home.tables()
        home.execute("create table staged.people as select range as id from range(250000)")
        with home.scratch() as scratch:
            assert not scratch.exists("staged.people")
            with scratch.relation("incoming", home.batches("from staged.people")):
                scratch.execute("create table people as from incoming")
            assert scratch.one("select count(distinct id) from people") == 250_000
        assert set(home.tables()) - set(before) == {"staged.people"}
        assert home.one("select count(*) from staged.people") == 250_000


def test_what_a_scratch_holds_counts_against_the_one_limit_of_memory(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('[warehouse]\nmemory_limit = "64MiB"\n')
    with open_warehouse(load_settings(tmp_path)) as home, home.scratch() as scratch:
        scratch.execute(
            "create table much as select range as id, repeat('x', 100) || range as text from range(1500000)"
        )
        used = "select sum(memory_usage_bytes), sum(temporary_storage_bytes) from duckdb_memory()"
        ((in_memory, on_disk),) = home.rows(used)
        assert in_memory <= 64 * 2**20
        assert on_disk > 0


def test_a_table_goes_into_as_many_parts_as_it_takes(warehouse: Warehouse) -> None:
    warehouse.execute("create table main.things as select range as id from range(25)")
    assert [warehouse.parts("main.things", at_once) for at_once in (10, 25, 100)] == [3, 1, 1]
    warehouse.execute("delete from main.things")
    assert warehouse.parts("main.things", 10) == 1
