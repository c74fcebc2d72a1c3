"""The house as it stands: who imports whom, and that nothing is left out where every feed, table or suite has to be.

The floors are those of the map in docs/developer.md, so that page and code cannot part.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from pipelines.custody.personal import ERASED
from pipelines.feeds import FEEDS
from pipelines.fingerprint import fingerprint_of
from pipelines.merge.measure import KINDS
from pipelines.merge.partitions import LEDGER_KINDS
from pipelines.merge.policy import POLICY
from pipelines.stage.register import KEYS
from pipelines.warehouse import scratch_warehouse

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "developer.md").read_text(encoding="utf-8")
DOORS = ("dags", "plugins")
PARSED = {
    path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8"))
    for top in ("pipelines", *DOORS)
    for path in sorted((ROOT / top).rglob("*.py"))
}
MODULES = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in PARSED}
SQL = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "sql").glob("[1-5]_*/*.sql"))}


def room(path: Path) -> str:
    """``pipelines/merge/plan.py`` stands in ``merge/``, ``pipelines/feeds.py`` in a room of its own."""
    inside = path.parts[1:] if path.parts[0] == "pipelines" else path.parts
    return inside[0] if len(inside) == 1 else f"{inside[0]}/"


def imported(path: Path) -> Iterator[Path]:
    """Our own modules that a file imports when it runs, at its top or in a function; not those for its types alone."""
    types = {
        id(node)
        for block in ast.walk(PARSED[path])
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(PARSED[path]):
        if id(node) in types:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by dots; write the whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            found = MODULES.get(name) or MODULES.get(name.rpartition(".")[0])
            if found:
                yield found


def floors() -> dict[str, int]:
    """Each room and its floor, by the table of docs/developer.md: the row at the bottom is the ground."""
    table = GUIDE.partition("<!-- floors -->")[2].partition("<!-- /floors -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    return {name: len(rows) - number for number, row in enumerate(rows) for name in _names(row.split("|")[1])}


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


class TestImports:
    def test_the_map_names_every_room_and_no_other(self) -> None:
        there = {room(path) for path in PARSED} - {"__init__.py"}
        assert there - floors().keys() == set(), "give it a place in the map of docs/developer.md"
        assert floors().keys() - there == set(), "docs/developer.md has a room that is gone"

    def test_run_downwards_only(self) -> None:
        floor = floors() | {"__init__.py": 0}
        upwards = {
            f"{path} imports {found}"
            for path in PARSED
            for found in imported(path)
            if room(found) != room(path) and floor[room(found)] >= floor[room(path)]
        }
        assert upwards == set()

    def test_never_run_in_a_circle(self) -> None:
        order = TopologicalSorter({path: set(imported(path)) - {path} for path in PARSED}).static_order()
        assert len(list(order)) == len(PARSED)

    def test_no_pipeline_knows_airflow_but_the_doctor_who_looks_at_it(self) -> None:
        names = {
            (str(path), name.split(".")[0])
            for path, tree in PARSED.items()
            if path.parts[0] == "pipelines"
            for node in ast.walk(tree)
            for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [_module(node)])
        }
        assert len(names) > 500
        assert {path for path, name in names if name == "airflow"} == {"pipelines/doctor/airflow.py"}


def _module(node: ast.AST) -> str:
    return (node.module or "") if isinstance(node, ast.ImportFrom) else ""


class TestEveryFeed:
    """What a new feed has to be told of, beside its fields and its mapping."""

    def test_has_a_suite(self) -> None:
        suites = {path.stem for path in (ROOT / "expectations" / "1_raw").glob("*.json")}
        assert suites == FEEDS.keys()

    def test_has_a_mapping_of_its_own(self) -> None:
        assert {path.stem for path in (ROOT / "pipelines" / "sources").glob("*.yaml")} == FEEDS.keys()

    def test_is_counted_against_the_ledger(self) -> None:
        counted = (ROOT / "sql" / "2_staged" / "reconciliation.sql").read_text()
        assert [feed for feed in FEEDS if f"raw.{feed} " not in counted] == []

    def test_says_what_is_erased_of_a_person_and_finds_their_rows(self) -> None:
        assert ERASED.keys() == FEEDS.keys()
        assert {feed: fields.keys() - set(FEEDS[feed].field_names) for feed, fields in ERASED.items()} == {
            feed: set() for feed in FEEDS
        }
        found = (ROOT / "sql" / "1_raw" / "rows_of_person.sql").read_text()
        assert [feed for feed in FEEDS if f"from raw.{feed} " not in found] == []


class TestEveryLinkedTable:
    """What a new table with a client key has to be told of: a merge that forgot one would leave rows behind."""

    LINKED = tuple(table for policy in POLICY for table in policy.tables if table != "staged.client_ids")

    def test_is_written_by_a_key_and_has_a_suite(self) -> None:
        assert set(self.LINKED) <= KEYS.keys()
        suites = {f"staged.{path.stem}" for path in (ROOT / "expectations" / "2_staged").glob("*.json")}
        assert suites == KEYS.keys() | {"staged.reconciliation"}

    def test_is_moved_counted_verified_and_reconciled(self) -> None:
        asked = {path.stem: text for path, text in SQL.items()}
        for query in ("moves", "left_behind", "reconciliation"):
            text = next(text for path, text in SQL.items() if path.match(f"5_merged/{query}.sql"))
            missing = [table for table in self.LINKED if f"from {table}" not in text and table != "staged.clients"]
            assert missing == [], f"sql/5_merged/{query}.sql"
        assert "from staged.clients" in asked["left_behind"], "whom a record itself counts for"
        assert {f"staged.{kind}" for kind in KINDS} == set(self.LINKED) - {"staged.clients"}

    def test_has_its_column_in_the_ledger(self) -> None:
        ledger = (ROOT / "sql" / "tables.sql").read_text().partition("merged.ledger (")[2].partition(";")[0]
        assert {f"staged.{kind}" for kind in LEDGER_KINDS} == set(self.LINKED)
        assert [kind for kind in LEDGER_KINDS if not re.search(rf'\b"?{kind}"? bigint', ledger)] == []

    def test_takes_part_in_the_fingerprint_of_what_is_linked(self) -> None:
        """What counts for nobody but its own record (the profile, the rows as sent) is in the whole fingerprint."""
        with scratch_warehouse() as warehouse:
            warehouse.execute("create schema if not exists staged")
            for table in set(self.LINKED) - {"staged.clients", "staged.source_records"}:
                before = fingerprint_of(warehouse, "linked")
                warehouse.execute(f"create table {table} as select 1 as client_id")
                assert fingerprint_of(warehouse, "linked") != before, table


class TestEveryStatement:
    CODE = "\n".join(
        path.read_text(encoding="utf-8") for top in ("pipelines", "tests") for path in (ROOT / top).rglob("*.py")
    )

    def test_is_asked_for_by_its_name(self) -> None:
        """``stage.table`` in quotes; or the table alone, where the stage stands beside it."""
        forgotten = [
            str(path.relative_to(ROOT))
            for path in SQL
            if not re.search(rf"""['"]({path.parent.name.partition("_")[2]}\.)?{path.stem}['"]""", self.CODE)
        ]
        assert len(SQL) > 80 and forgotten == []

    def test_begins_with_what_one_row_is(self) -> None:
        first = {str(path.relative_to(ROOT)): text.splitlines()[0] for path, text in SQL.items()}
        assert {path: line for path, line in first.items() if not line.startswith("-- ")} == {}

    def test_every_suite_is_of_a_table_that_there_is(self) -> None:
        made = {path.relative_to(ROOT / "sql").with_suffix("").as_posix() for path in SQL}
        others = set(re.findall(r"create table if not exists ([a-z]+\.[a-z_]+)", (ROOT / "sql/tables.sql").read_text()))
        for path in sorted((ROOT / "expectations").glob("*/*.json")):
            name = json.loads(path.read_text())["name"]
            assert name == f"{path.parent.name.partition('_')[2]}.{path.stem}"
            there = f"{path.parent.name}/{path.stem}" in made or name in others
            assert there or name.removeprefix("raw.") in FEEDS, name
