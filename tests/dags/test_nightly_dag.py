"""The DAG wires and adds nothing: it loads light, runs for the right day, writes one at a time, and keeps names out."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.xcom import XComModel
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables.base import TimeRestriction
from airflow.utils import db
from airflow.utils.session import create_session
from sqlalchemy import select

from pipelines import nightly as night_steps
from pipelines.decisions.database import StoreUnavailableError
from pipelines.fingerprint import fingerprint
from pipelines.providers import ONLY, Provider
from pipelines.quality import TableGateError
from pipelines.sample import make_sample
from pipelines.schema import WarehouseShapeError
from pipelines.settings import load_settings
from pipelines.troubles import KnownError

DAGS = Path(__file__).parents[2] / "dags"
DAG_FILES = sorted(DAGS.glob("*.py"))
NIGHT = date(2026, 11, 20)
OPENS_NO_WAREHOUSE = {"find_deliveries", "take_decisions", "score_on_spark", "dry_run_ends_here"}
FOR_SPARK = {"hand_out", "score_on_spark"}  # tasks that are there where its provider is installed
LIGHT = {"airflow", "asgiref", "croniter", "packaging", "pydantic"}
OF_OURS = {"pipelines", "pipelines.providers", "pipelines.troubles"}


@pytest.fixture(scope="module")
def airflow_db() -> None:
    db.initdb()


@pytest.fixture(scope="module")
def bag(airflow_db: None) -> DagBag:
    return DagBag(DAGS)


@pytest.fixture
def dag(bag: DagBag) -> Iterator[Any]:
    """The DAG as it is, but a failing task fails at once."""
    loaded = bag.dags["nightly"]
    retries = {task.task_id: task.retries for task in loaded.tasks}
    for task in loaded.tasks:
        task.retries = 0
    yield loaded
    for task in loaded.tasks:
        task.retries = retries[task.task_id]


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("feeds")
    make_sample(out, clients=300, visits=1500, seed=7, day=NIGHT)
    return out


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONECLIENT_HOME", str(tmp_path / "home"))
    return load_settings().home


@pytest.fixture(scope="module")
def source() -> ModuleType:
    """The DAG file as a module of its own."""
    spec = spec_from_file_location("nightly_dag_file", DAGS / "nightly.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def states(run: Any) -> dict[str, set[str]]:
    """What became of each task; of those for Spark, see test_nightly_on_spark.py."""
    found: dict[str, set[str]] = {}
    for task in run.get_task_instances():
        if task.task_id not in FOR_SPARK:
            found.setdefault(task.task_id, set()).add(str(task.state))
    return found


def test_every_dag_loads(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert "nightly" in bag.dags


def test_every_dag_tells_the_engineer_what_to_do(bag: DagBag) -> None:
    assert all("When it is red" in (loaded.doc_md or "") for loaded in bag.dags.values())


@pytest.mark.parametrize("file", DAG_FILES, ids=lambda file: file.name)
def test_parsing_a_dag_imports_nothing_heavy(file: Path) -> None:
    """Airflow parses each file every half minute, so only what is Airflow's own may be imported, and whom it serves."""
    script = (
        "import json, runpy, sys, airflow.sdk\n"
        "before = set(sys.modules)\n"
        f"runpy.run_path({str(file)!r})\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    parsed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(json.loads(parsed.stdout.splitlines()[-1]))
    assert {name for name in imported if name.partition(".")[0] == "pipelines"} == OF_OURS
    packages = {name.partition(".")[0] for name in imported - OF_OURS}
    assert packages - LIGHT - sys.stdlib_module_names == set()


@pytest.mark.parametrize(
    ("after", "run_at", "day"),
    [
        pytest.param("2026-11-20T12:00", "2026-11-21T02:30", "2026-11-20", id="winter"),
        pytest.param("2026-07-01T12:00", "2026-07-02T01:30", "2026-07-01", id="summer"),
        pytest.param("2026-10-24T12:00", "2026-10-25T02:30", "2026-10-24", id="clocks go back that night"),
        pytest.param("2026-10-25T12:00", "2026-10-26T02:30", "2026-10-25", id="the night after they went back"),
        pytest.param("2027-03-27T12:00", "2027-03-28T01:30", "2027-03-27", id="clocks go forward that night"),
        pytest.param("2027-03-28T12:00", "2027-03-29T01:30", "2027-03-28", id="the night after they went forward"),
        pytest.param("2026-12-31T12:00", "2027-01-01T02:30", "2026-12-31", id="new year"),
    ],
)
def test_runs_at_half_past_two_in_london_for_the_day_before(bag: DagBag, after: str, run_at: str, day: str) -> None:
    timetable = coerce_to_core_timetable(bag.dags["nightly"].timetable)
    earliest = datetime.fromisoformat(after).replace(tzinfo=UTC)
    run = timetable.next_dagrun_info_v2(
        last_dagrun_info=None,
        restriction=TimeRestriction(earliest=earliest, latest=None, catchup=True),  # type: ignore[arg-type]
    )
    assert run is not None
    assert (run.run_after, run.partition_key) == (datetime.fromisoformat(run_at).replace(tzinfo=UTC), day)


def test_one_night_at_a_time(bag: DagBag) -> None:
    assert bag.dags["nightly"].max_active_runs == 1
    assert bag.dags["nightly"].catchup is False


def test_all_that_opens_the_warehouse_shares_one_slot(bag: DagBag) -> None:
    pools = {task.task_id: task.pool for loaded in bag.dags.values() for task in loaded.tasks}
    assert {pools[task] for task in pools if task not in OPENS_NO_WAREHOUSE} == {"duckdb_writer"}


def test_busy_and_broken_disks_are_tried_again_a_little_later_each_time(bag: DagBag) -> None:
    for task in bag.dags["nightly"].tasks:
        assert (task.retries, task.retry_exponential_backoff) == (3, 2.0)


@pytest.mark.parametrize(
    ("settings", "zone"),
    [
        ('timezone = "Europe/Dublin"', "Europe/Dublin"),
        ('provider = "Acme"', "Europe/London"),
        ('timezone = "Europe/Nowhere"', "Europe/London"),
        ("timezone = 7", "Europe/London"),
        ("no toml", "Europe/London"),
    ],
)
def test_nights_go_by_the_providers_clock(tmp_path: Path, settings: str, zone: str) -> None:
    (tmp_path / "settings.toml").write_text(settings)
    assert Provider(home=tmp_path).timezone == zone


@pytest.mark.parametrize(
    ("inputs", "day"),
    [
        pytest.param(("2026-11-01", "2026-11-19", "2026-11-20T02:30"), "2026-11-01", id="the form wins"),
        pytest.param((None, "2026-11-19", "2026-11-25T02:30"), "2026-11-19", id="then the partition"),
        pytest.param((None, None, "2026-11-20T09:00"), "2026-11-19", id="then the day before"),
        pytest.param((None, None, "2026-06-30T23:30"), "2026-06-30", id="the day before in London, where it is July"),
    ],
)
def test_the_day_of_a_run(
    source: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    inputs: tuple[str | None, str | None, str],
    day: str,
) -> None:
    param, partition_key, run_after = inputs
    at = datetime.fromisoformat(run_after).replace(tzinfo=UTC)
    run = SimpleNamespace(partition_key=partition_key, logical_date=None, run_after=at)
    monkeypatch.setattr(
        source, "get_current_context", lambda: {"dag_run": run, "params": {"day": param, "inbox": None}}
    )
    with source.tonight(ONLY) as (settings, inbox, found):
        assert (settings.home, inbox, found.isoformat()) == (home, home / "inbox", day)


def test_airflow_and_the_command_line_come_to_the_same_state(dag: Any, feeds: Path, home: Path, tmp_path: Path) -> None:
    shutil.copytree(feeds / "inbox", home / "inbox", dirs_exist_ok=True)
    run = dag.test(run_conf={"day": NIGHT.isoformat()})
    assert states(run) == {task: {"success"} for task in set(dag.task_ids) - FOR_SPARK}

    by_command = load_settings(tmp_path / "by_command")
    shutil.copytree(feeds / "inbox", by_command.inbox, dirs_exist_ok=True)
    night_steps.run_night(by_command, by_command.inbox, NIGHT)

    assert fingerprint(load_settings(home)) == fingerprint(by_command)
    assert (home / "reports" / NIGHT.isoformat() / "index.html").exists()
    _no_person_and_no_file_in(run, feeds)


def _no_person_and_no_file_in(run: Any, feeds: Path) -> None:
    """Law 8, for XCom and the names of mapped tasks."""
    with create_session() as session:
        xcoms = [str(v) for v in session.scalars(select(XComModel.value).where(XComModel.run_id == run.run_id))]
    assert len(xcoms) > 5
    told = " ".join(xcoms + [str(task.rendered_map_index) for task in run.get_task_instances()]).casefold()
    words = set(re.findall(r"\w+", told))
    with (feeds / "records.csv").open(encoding="utf-8", newline="") as file:
        people = {
            row[column].casefold() for row in csv.DictReader(file) for column in ("Forename", "Surname") if row[column]
        }
    assert people and not words & people
    assert not [path.name for path in (feeds / "inbox").iterdir() if path.stem.casefold() in told]


def test_a_night_without_files_still_matches_and_reports(dag: Any, home: Path) -> None:
    run = dag.test(logical_date=datetime(2026, 11, 21, 2, 30, tzinfo=UTC))
    assert states(run) == {
        "find_deliveries": {"success"}, "land": {"skipped"},
        "stage": {"success"}, "finish_merges": {"success"},
        "take_decisions": {"success"}, "match": {"success"}, "report": {"success"}, "retire": {"success"},
        "measure": {"success"},
    }  # fmt: skip
    assert (home / "reports" / "2026-11-20").is_dir()


def test_a_file_that_cannot_be_landed_for_want_of_a_disk_stops_the_night(
    dag: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one_roster_visits_1.csv", "two_roster_visits_2.csv"):
        (home / "inbox" / name).write_text("")
    monkeypatch.setattr(night_steps, "land", _raise(OSError("No space left on device")))
    found = states(dag.test())
    assert found["land"] == {"failed"}
    assert found["stage"] == found["match"] == found["report"] == {"upstream_failed"}


def test_a_table_that_fails_its_suite_is_not_tried_again(
    bag: DagBag, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(night_steps, "stage", _raise(TableGateError("staged.clients failed its checks: 1 of 2 rows.")))
    run = bag.dags["nightly"].test()
    assert states(run)["stage"] == {"failed"}
    assert states(run)["match"] == states(run)["report"] == {"upstream_failed"}
    assert [task.try_number for task in run.get_task_instances() if task.task_id == "stage"] == [1]


@pytest.mark.parametrize(
    "error",
    [
        WarehouseShapeError("Run: oneclient upgrade", code="W4"),
        WarehouseShapeError("Run the newer oneclient."),
        StoreUnavailableError("Run: oneclient upgrade", code="L5"),
    ],
    ids=lambda error: error.trouble.code,
)
def test_a_home_of_another_release_is_not_tried_again(
    bag: DagBag, home: Path, monkeypatch: pytest.MonkeyPatch, error: KnownError
) -> None:
    monkeypatch.setattr(night_steps, "stage", _raise(error))
    run = bag.dags["nightly"].test()
    assert [(t.state, t.try_number) for t in run.get_task_instances() if t.task_id == "stage"] == [("failed", 1)]


def _raise(error: Exception) -> Any:
    def fail(*_: object) -> None:
        raise error

    return fail
