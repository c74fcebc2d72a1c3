"""A home of an earlier release is upgraded by one command, whole or not at all; until then nothing touches it. The
migrations are made up, the first schema is that of a home without any of them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from pipelines import schema
from pipelines.cli import FOUND_A_PROBLEM, main
from pipelines.decisions.database import (
    NEWEST_SCHEMA,
    StoreUnavailableError,
    open_database,
    pending_of_store,
    schema_of_store,
    writing,
)
from pipelines.decisions.store import open_decisions
from pipelines.fingerprint import fingerprint
from pipelines.schema import WarehouseShapeError, made_by, schema_of
from pipelines.sealing import new_key
from pipelines.settings import KEY_VARIABLE, Settings, load_settings
from pipelines.upgrade import Step, upgrade
from pipelines.warehouse import open_warehouse

FULL = os.environ.get("PROVE") == "full"
Migrations = Callable[..., None]

CARERS_GET_A_HASH = "-- Carers are told apart by a hash.\nselect *, hash(name) as name_hash from staged.carers;\n"
VISITS_GET_MINUTES = "-- Visits are counted in minutes.\nselect visit_id, hours * 60 as minutes from staged.rounds"
UPGRADE = """
import os, signal, sys
from pathlib import Path
from pipelines import schema, upgrade
from pipelines.settings import load_settings

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def dies_at_the_second(function, calls=[]):
    def counted(*words):
        calls.append(words)
        return die() if len(calls) == 2 else function(*words)
    return counted

schema.MIGRATIONS = Path(sys.argv[2])
match sys.argv[3]:
    case "a table is remade":
        schema.record = die
    case "all is written and nothing kept":
        upgrade.migrate = lambda *words: (schema.migrate(*words), die())
    case "it is kept and not in the file itself":
        upgrade.Warehouse.checkpoint = die
    case "one schema is done and another is not":
        upgrade.migrate = dies_at_the_second(schema.migrate)
    case "the warehouse is done and the decisions are not":
        upgrade.pending_of_store = die
print("begins", flush=True)
upgrade.upgrade(load_settings(Path(sys.argv[1])))
"""
MOMENTS = (
    "all is written and nothing kept", "it is kept and not in the file itself",
    "the warehouse is done and the decisions are not", "a table is remade", "one schema is done and another is not",
)  # fmt: skip


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrations:
    """Says which files sql/migrations holds: none at first."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    monkeypatch.setattr(schema, "MIGRATIONS", folder)

    def hold(**files: str) -> None:
        for name, sql in files.items():
            (folder / f"{name.removeprefix('_').replace('__', '.')}.sql").write_text(sql)

    return hold


@pytest.fixture
def home(tmp_path: Path, migrations: Migrations) -> Settings:
    """A home of the first schema, with three carers."""
    return with_carers(load_settings(tmp_path / "home"))


def with_carers(settings: Settings) -> Settings:
    with open_warehouse(settings) as warehouse, open_decisions(settings):
        warehouse.execute("create table staged.carers as select unnest(['Ann', 'Bea', 'Cat']) as name, 1 as \"order\"")
    return settings


def later(migrations: Migrations) -> None:
    """Two schemas that came after: one of one table, one of two, of which a home may lack one."""
    migrations(
        _0002_staged__carers=CARERS_GET_A_HASH,
        _0003_staged__carers='-- They lose their order.\nselect * exclude "order" from staged.carers',
        _0003_staged__rounds=VISITS_GET_MINUTES,
    )


def oneclient(*words: object, settings: Settings) -> Result:
    return CliRunner().invoke(main, [*map(str, words), "--home", str(settings.home)])


def columns(settings: Settings) -> list[str]:
    with open_warehouse(settings, as_it_is=True) as warehouse:
        return [name for name, *_ in warehouse.rows("describe staged.carers")]


def found(settings: Settings) -> tuple[int | None, str | None, str]:
    """The schemas that a home has, and its state."""
    with open_warehouse(settings, as_it_is=True) as warehouse, open_database(settings, older="as it is") as store:
        schemas = schema_of(warehouse), schema_of_store(store)
    return *schemas, fingerprint(settings)


class TestANewHome:
    def test_has_the_newest_schema_and_remembers_who_made_it(self, tmp_path: Path, migrations: Migrations) -> None:
        later(migrations)
        settings = load_settings(tmp_path / "home")
        with open_warehouse(settings) as warehouse:
            assert schema_of(warehouse) == 3
            assert made_by(warehouse).startswith("oneclient ")
        assert upgrade(settings).steps == []

    def test_is_made_whole_or_not_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A home with tables and no record would be taken for one of the first release."""
        settings = load_settings(tmp_path / "home")
        with monkeypatch.context() as broken, pytest.raises(duckdb.ParserException):
            broken.setattr("pipelines.warehouse.tables.STAGES", {"raw": "1_raw", "no such name": ""})
            with open_warehouse(settings):
                pass
        with open_warehouse(settings, as_it_is=True) as warehouse:
            assert schema_of(warehouse) is None
            assert not warehouse.exists("main.schemas")

    def test_no_part_of_its_state_is_who_made_it_and_when(self, home: Settings) -> None:
        before = fingerprint(home)
        with open_warehouse(home) as warehouse:
            warehouse.execute("update main.schemas set made_by = 'somebody else', made_at = now()")
        assert fingerprint(home) == before


class TestUpgrade:
    def test_a_column_is_added_and_filled(self, home: Settings, migrations: Migrations) -> None:
        migrations(_0002_staged__carers=CARERS_GET_A_HASH)
        done = upgrade(home)
        assert done.steps == [
            Step("warehouse", "2", "staged.carers: Carers are told apart by a hash.", {"staged.carers": 3})
        ]
        with open_warehouse(home) as warehouse:
            assert warehouse.one("select count(*) from staged.carers where name_hash = hash(name)") == 3
            warehouse.create("staged.carers", "select 'Dot' as name, 1 as \"order\", hash('Dot') as name_hash")

    def test_schemas_come_in_order_and_tables_that_a_home_lacks_are_left_to_it(
        self, home: Settings, migrations: Migrations
    ) -> None:
        later(migrations)
        done = upgrade(home)
        assert [(step.schema, step.rows) for step in done.steps] == [
            ("2", {"staged.carers": 3}), ("3", {"staged.carers": 3})
        ]  # fmt: skip
        assert columns(home) == ["name", "name_hash"]

    def test_twice_is_once(self, home: Settings, migrations: Migrations) -> None:
        later(migrations)
        upgrade(home)
        after = found(home)
        assert upgrade(home).steps == []
        assert found(home) == after

    def test_a_home_of_the_first_release_has_no_record_and_is_of_schema_1(
        self, home: Settings, migrations: Migrations
    ) -> None:
        with open_warehouse(home) as warehouse:
            warehouse.execute("drop table main.schemas")
        later(migrations)
        assert (upgrade(home).warehouse_before, found(home)[0]) == (1, 3)

    def test_a_table_that_older_versions_must_not_overlook_takes_a_number_too(
        self, home: Settings, migrations: Migrations
    ) -> None:
        migrations(_0002_staged__forgotten="-- New: who was forgotten.\n")
        assert upgrade(home).steps == [Step("warehouse", "2", "staged.forgotten: New: who was forgotten.")]
        assert found(home)[0] == 2

    def test_a_dry_run_says_what_would_be_done_and_does_nothing(self, home: Settings, migrations: Migrations) -> None:
        later(migrations)
        before = found(home)
        ended = oneclient("upgrade", "--dry-run", settings=home)
        assert ended.exit_code == 0
        assert "to schema 2: staged.carers: Carers are told apart by a hash. (staged.carers, 3 rows)" in ended.stdout
        assert "Nothing was changed. The home would be of schema 3" in ended.stdout
        assert found(home) == before
        assert "The home is of schema 3" in oneclient("upgrade", settings=home).stdout
        assert oneclient("upgrade", settings=home).stdout.startswith("Nothing to upgrade")

    def test_an_encrypted_home_stays_encrypted(
        self, tmp_path: Path, migrations: Migrations, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(KEY_VARIABLE, new_key())
        (tmp_path / "sealed").mkdir()
        (tmp_path / "sealed" / "settings.toml").write_text("[encryption]\nweak_randomness = true\n")
        sealed = with_carers(load_settings(tmp_path / "sealed"))
        later(migrations)
        upgrade(sealed)
        assert (found(sealed)[:2], columns(sealed)) == ((3, NEWEST_SCHEMA), ["name", "name_hash"])
        monkeypatch.delenv(KEY_VARIABLE)
        assert "This home is encrypted" in oneclient("upgrade", settings=load_settings(sealed.home)).stderr

    @pytest.mark.parametrize(
        ("sql", "said"),
        [
            ("select * from staged.carers where name <> 'Cat'", "would make 2 rows of 3"),
            ("select carers.* from staged.carers, range(2)", "would make 6 rows of 3"),
        ],
    )
    def test_a_migration_that_would_lose_or_add_rows_is_refused(
        self, home: Settings, migrations: Migrations, sql: str, said: str
    ) -> None:
        migrations(_0002_staged__carers=CARERS_GET_A_HASH, _0003_staged__carers=f"-- Careless.\n{sql}")
        ended = oneclient("upgrade", settings=home)
        assert ended.exit_code == FOUND_A_PROBLEM
        assert said in ended.stderr
        assert (found(home)[0], columns(home)) == (2, ["name", "order", "name_hash"])

    def test_of_one_schema_all_tables_are_remade_or_none(self, home: Settings, migrations: Migrations) -> None:
        before = found(home)
        migrations(
            _0002_staged__carers=CARERS_GET_A_HASH,
            _0002_staged__client_ids="select no_such_column from staged.client_ids",
        )
        with pytest.raises(duckdb.BinderException):
            upgrade(home)
        assert found(home) == before


class TestUntilThen:
    def test_nothing_else_touches_an_older_home(self, home: Settings, migrations: Migrations) -> None:
        later(migrations)
        (home.inbox / "kent_purchase_orders_20261120.csv").write_text("a,b\n1,2\n")
        before = found(home)
        for words in ("nightly", "train", "merge plan", "merge apply --by Sam"):
            ended = oneclient(*words.split(), settings=home)
            assert (ended.exit_code, ended.stdout) == (FOUND_A_PROBLEM, ""), words
            assert "Make a backup (oneclient backup --to FILE), then run: oneclient upgrade" in ended.stderr
            assert ended.stderr.count("\n") == 1
        assert found(home) == before
        assert list(home.inbox.iterdir())

    def test_it_can_be_backed_up_and_restored_as_it_is(
        self, home: Settings, migrations: Migrations, tmp_path: Path
    ) -> None:
        later(migrations)
        before = found(home)
        assert oneclient("backup", "--to", tmp_path / "saved", settings=home).exit_code == 0
        upgrade(home)
        restored = load_settings(tmp_path / "again")
        assert oneclient("restore", tmp_path / "saved", settings=restored).exit_code == 0
        assert found(restored) == before
        upgrade(restored)
        assert found(restored) == found(home)

    def test_a_home_of_a_newer_oneclient_is_refused(self, home: Settings, migrations: Migrations) -> None:
        with open_warehouse(home) as warehouse:
            warehouse.execute("insert into main.schemas values (7, 'oneclient 9.8.7', now())")
        before = found(home)
        for words in ("nightly", "upgrade", "upgrade --dry-run", "merge plan"):
            ended = oneclient(*words.split(), settings=home)
            assert (ended.exit_code, ended.stdout) == (FOUND_A_PROBLEM, ""), words
            assert "schema 7, made by oneclient 9.8.7" in ended.stderr
            assert ended.stderr.count("\n") == 1
        assert found(home) == before


class TestTheDecisionStore:
    @pytest.fixture
    def older(self, tmp_path: Path, migrations: Migrations) -> Settings:
        """A home whose decisions are of schema 0002."""
        settings = load_settings(tmp_path / "home")
        with open_database(settings, older="as it is", made_at="0002"):
            pass
        with open_warehouse(settings) as warehouse:
            warehouse.execute("create table staged.carers as select 'Ann' as name, 1 as \"order\"")
        return settings

    def test_of_an_older_release_is_left_alone_until_the_upgrade(self, older: Settings) -> None:
        before = found(older)
        assert before[1] == "0002"
        with pytest.raises(StoreUnavailableError, match="then run: oneclient upgrade"), open_decisions(older):
            pass
        assert found(older) == before
        ended = oneclient("upgrade", "--dry-run", settings=older)
        assert "decisions to schema 0003: Who was forgotten" in ended.stdout
        assert found(older) == before

    def test_is_upgraded_with_the_warehouse(self, older: Settings, migrations: Migrations) -> None:
        later(migrations)
        assert [step.store for step in upgrade(older).steps] == ["warehouse", "warehouse", "decisions"]
        assert found(older)[:2] == (3, NEWEST_SCHEMA)
        with open_decisions(older) as store:
            assert store.entries() == []

    def test_is_backed_up_at_its_own_schema(self, older: Settings, tmp_path: Path) -> None:
        assert oneclient("backup", "--to", tmp_path / "saved", settings=older).exit_code == 0
        restored = load_settings(tmp_path / "again")
        assert oneclient("restore", tmp_path / "saved", settings=restored).exit_code == 0
        assert fingerprint(restored) == fingerprint(older)

    def test_of_a_newer_release_stops_the_upgrade_before_anything_is_done(
        self, home: Settings, migrations: Migrations
    ) -> None:
        with open_database(home) as store, writing(store) as connection:
            connection.execute(text("update alembic_version set version_num = '0099'"))
        later(migrations)
        before = fingerprint(home)
        ended = oneclient("upgrade", settings=home)
        assert ended.exit_code == FOUND_A_PROBLEM
        assert "schema 0099, made by a newer oneclient" in ended.stderr
        assert fingerprint(home) == before

    def test_lacks_what_came_after_it(self) -> None:
        assert [number for number, _ in pending_of_store("0001")] == ["0002", "0003"]
        assert pending_of_store(NEWEST_SCHEMA) == pending_of_store(None) == []


class TestKilled:
    """Whenever the process is killed, the home is of one schema or the other, whole, and the next upgrade ends it."""

    @pytest.fixture
    def expected(self, tmp_path: Path, migrations: Migrations) -> Iterator[dict[int, list[str]]]:
        later(migrations)
        yield {1: ["name", "order"], 2: ["name", "order", "name_hash"], 3: ["name", "name_hash"]}

    @pytest.mark.prove
    @pytest.mark.parametrize("moment", MOMENTS if FULL else MOMENTS[:2])
    def test_at_a_moment(self, home: Settings, expected: dict[int, list[str]], moment: str) -> None:
        killed = start(home, moment)
        killed.communicate()
        assert killed.returncode == -signal.SIGKILL
        self.holds(home, expected)

    @pytest.mark.prove
    @pytest.mark.parametrize("seed", range(60 if FULL else 1))
    def test_at_any_time(self, home: Settings, expected: dict[int, list[str]], seed: int) -> None:
        with open_warehouse(home, as_it_is=True) as warehouse:
            warehouse.execute("insert into staged.carers select 'Dot ' || range, 1 from range(300000)")
        killed = start(home, "")
        assert killed.stdout is not None
        assert killed.stdout.readline() == "begins\n"
        with suppress(subprocess.TimeoutExpired):
            killed.wait(random.Random(seed).uniform(0, 1))  # noqa: S311 - a moment, not a secret
        killed.kill()
        killed.communicate()
        self.holds(home, expected)

    def holds(self, home: Settings, expected: dict[int, list[str]]) -> None:
        schema_now = found(home)[0]
        assert schema_now is not None
        assert columns(home) == expected[schema_now]
        upgrade(home)
        assert (found(home)[:2], columns(home)) == ((3, NEWEST_SCHEMA), expected[3])


def start(home: Settings, moment: str) -> subprocess.Popen[str]:
    """An upgrade in a process of its own, which kills itself at a moment."""
    words = [sys.executable, "-c", UPGRADE, str(home.home), str(schema.MIGRATIONS), moment]
    root = Path(schema.__file__).parents[1]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root)})


def test_the_kept_migrations_are_numbered_without_gaps_and_say_why() -> None:
    kept = schema.migrations()
    assert sorted({migration.schema for migration in kept}) == list(range(2, schema.newest_schema() + 1))
    for migration in kept:
        assert migration.why.endswith("."), migration.table
        assert migration.table.partition(".")[0] in {"raw", "staged", "matched", "reviewed", "merged"}


def test_another_shape_without_a_migration_is_told_and_changes_nothing(home: Settings) -> None:
    before = found(home)
    with open_warehouse(home) as warehouse, pytest.raises(WarehouseShapeError, match="an upgrade forgot it"):
        warehouse.create("staged.carers", "select 'Dot' as name")
    assert found(home) == before
