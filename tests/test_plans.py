"""No statement compares every record with every other one, whatever the order of its rows.

DuckDB may join two large tables by trying every pair of rows before it joins the small table that would leave only a
few. It decides this by estimates, which change with the order of the rows. So each statement of a nightly run is
planned again on the tables that it read, in several orders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from pipelines.nightly import run_night
from pipelines.sample import make_sample
from pipelines.settings import load_settings
from pipelines.stage.standardise import know_nicknames
from pipelines.warehouse import SQL, Parameters, Warehouse, scratch_warehouse, sql_text

ORDERS = 8
LARGE = 1_000
PAIRWISE = ("NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN", "CROSS_PRODUCT", "IE_JOIN", "PIECEWISE_MERGE_JOIN")
ONE_ROW = ("UNGROUPED_AGGREGATE", "LIMIT", "STREAMING_LIMIT", "DUMMY_SCAN")
JOINING = [
    f"{folder.name.partition('_')[2]}.{file.stem}"
    for folder in sorted(SQL.glob("[1-5]_*"))
    for file in sorted(folder.glob("*.sql"))
    if re.search(r"\b(join|exists)\b", re.sub("--.*", "", file.read_text(encoding="utf-8")))
]


@dataclass
class Read:
    """One statement of a nightly run: its parameters, and the tables that it read."""

    parameters: dict[str, Any]
    tables: dict[str, pa.Table]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Read]]:
    """The statements of the second night of some 3,600 client records; of each the call that read the most rows."""
    folder = tmp_path_factory.mktemp("plans")
    make_sample(folder / "feeds", clients=3_000, visits=3_000, seed=1, nights=2)
    settings = load_settings(folder / "home")
    run_night(settings, folder / "feeds/inbox/2026-11-19", date(2026, 11, 19))
    read: dict[str, Read] = {}
    with pytest.MonkeyPatch.context() as patch:
        for method in ("work", "work_frame", "work_rows"):
            patch.setattr(Warehouse, method, _recorded(method, read))
        run_night(settings, folder / "feeds/inbox/2026-11-20", date(2026, 11, 20))
    yield read


@pytest.mark.parametrize("table", JOINING)
def test_no_statement_compares_every_record_with_every_other(night: dict[str, Read], table: str) -> None:
    if table not in night:
        pytest.skip("no statement of a nightly run")
    said = [pair for order in range(ORDERS) for pair in pairwise(sql_text(table), night[table], order)]
    assert said == []


def test_the_plans_of_what_may_turn_quadratic_were_looked_at(night: dict[str, Read]) -> None:
    """Else the test above passes by skipping."""
    looked_at = set(JOINING) & set(night)
    assert {
        "staged.order_links", "staged.told_apart", "staged.roster_links", "matched.confusions", "matched.related",
        "matched.sides", "matched.misses",
    } <= looked_at  # fmt: skip
    assert max(table.num_rows for table in night["matched.confusions"].tables.values()) > LARGE


def test_a_function_as_a_join_condition_is_found(night: dict[str, Read]) -> None:
    """What `confusions.sql` was like: in some orders of the rows every two clients were compared."""
    sql = """
        with shared as materialized (
            select n.kind, n.client_id as left_id, m.client_id as right_id
            from staged.references as n
            join staged.references as m on m.kind = n.kind and m.reference = n.reference and m.client_id > n.client_id
            where n.kind in ('social_services_reference', 'nhs_number')
        )
        select l.client_ref, r.client_ref
        from shared as s
        join staged.clients as l on l.client_id = s.left_id and l.survivor_id = l.client_id
        join staged.clients as r on r.client_id = s.right_id and r.survivor_id = r.client_id
        where jaro_winkler_similarity(l.forename_key, r.forename_key) < 0.85 and l.forename_root <> r.forename_root
            and (births_apart(l.born_on, r.born_on) or coalesce(l.gender <> r.gender, false))
    """
    assert any(pairwise(sql, night["matched.confusions"], order) for order in range(6 * ORDERS))


def pairwise(sql: str, read: Read, order: int) -> list[str]:
    """The joins of a statement's plan that try every pair of rows of two large tables, the rows lying in one order."""
    with scratch_warehouse() as warehouse:
        know_nicknames(warehouse)
        warehouse.execute(f"select setseed({order / 100})")
        large = set()
        for name, rows in read.tables.items():
            if "." in name:
                warehouse.execute(f"create schema if not exists {name.partition('.')[0]}")
            with warehouse.relation("sent", rows):
                warehouse.execute(f"create or replace table {name} as select * from sent order by random()")
            if rows.num_rows >= LARGE:
                large.add(name.rpartition(".")[2].strip('"'))
        plan = json.loads(warehouse.rows(f"explain (format json) {sql}", read.parameters)[0][1])[0]
    return list(_pairwise(plan, large))


def _pairwise(node: dict[str, Any], large: set[str]) -> Iterator[str]:
    if node["name"] in PAIRWISE and all(_large_tables(child, large) for child in node["children"]):
        yield f"{node['name']} of {' and '.join(str(sorted(_large_tables(c, large))) for c in node['children'])}"
    for child in node["children"]:
        yield from _pairwise(child, large)


def _large_tables(node: dict[str, Any], large: set[str]) -> set[str]:
    """The large tables whose rows come out of a node of a plan; a total of a table is one row."""
    if node["name"] in ONE_ROW:
        return set()
    scanned = str(node.get("extra_info", {}).get("Table", "")).rpartition(".")[2].strip('"')
    return {scanned} & large | {name for child in node["children"] for name in _large_tables(child, large)}


def _recorded(method: str, read: dict[str, Read]) -> Any:
    original = getattr(Warehouse, method)

    def record(self: Warehouse, *arguments: Any) -> Any:
        table, parameters = _said(method, arguments)
        if table in JOINING:
            there = _tables_of(self, sql_text(table))
            rows = sum(rows.num_rows for rows in there.values())
            if table not in read or rows > sum(kept.num_rows for kept in read[table].tables.values()):
                named = {name: value for name, value in (parameters or {}).items() if f"${name}" in sql_text(table)}
                read[table] = Read(named, there)
        return original(self, *arguments)

    return record


def _said(method: str, arguments: tuple[Any, ...]) -> tuple[str, Parameters | None]:
    given = arguments[1:] if method == "work" else arguments
    return str(given[0]), given[1] if len(given) > 1 else None


def _tables_of(warehouse: Warehouse, sql: str) -> dict[str, pa.Table]:
    """The tables that a statement names, kept ones and working ones, by name."""
    names = warehouse.rows(
        "select if(temporary, table_name, schema_name || '.' || table_name) from duckdb_tables()"
        " union select view_name from duckdb_views() where temporary"
    )
    words = set(re.findall(r"\b(?:from|join)\s+\(?([a-z_]+(?:\.\"?[a-z_]+)?)", re.sub("--.*", "", sql)))
    return {
        _quoted(name): warehouse.connection.sql(f"from {_quoted(name)}").to_arrow_table()
        for (name,) in names
        if name in words
    }


def _quoted(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))
