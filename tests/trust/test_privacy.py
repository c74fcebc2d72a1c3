"""Law 8, searched for: feeds in which every personal value is marked, and no mark anywhere that the law is about.

A night runs by the real DAG, and goes wrong in every way that we know, in a process of its own; then all that it
printed, logged, told Airflow or named is searched. The same marks are found where they belong, so the search can fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.review.publish import rebuild_report
from pipelines.settings import load_settings
from pipelines.unforeseen import UnforeseenError, quoting_nobody
from pipelines.warehouse import open_warehouse
from tests.trust.the_marks import MARKS, NIGHT, contents, marked, marked_feeds, marks_in

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("the_watched_night.py")
FOR_PEOPLE = ("index.html", "candidates.xlsx", "corrections")


@dataclass(frozen=True)
class Watched:
    """A home after the night, the folder of its Airflow, and all that was printed."""

    home: Path
    airflow: Path
    printed: str


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return marked_feeds(tmp_path_factory.mktemp("feeds"))


@pytest.fixture(scope="module")
def watched(inbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    folder = tmp_path_factory.mktemp("watched")
    home, airflow = folder / "home", folder / "airflow"
    home.mkdir()
    (home / "settings.toml").write_text("[report]\nmask = true\n")
    where = {"AIRFLOW_HOME": str(airflow), "ONECLIENT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(PROGRAM), str(inbox)]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | where, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return Watched(home, airflow, ran.stdout + ran.stderr)


def test_the_night_went_wrong_as_it_should(watched: Watched) -> None:
    states = [line for line in watched.printed.splitlines() if line.startswith("STATES")]
    assert [state.count("failed") > 0 for state in states] == [False, True, True, True]
    assert "staged.references failed its checks" in watched.printed
    assert "foresaw: ConversionException at " in watched.printed
    assert "foresaw: FileNotFoundError at " in watched.printed
    assert "may not carry it out as well" in watched.printed
    assert "NOT REFUSED" not in watched.printed
    assert len(list((watched.home / "quarantine").glob("*.reason.json"))) > 2


def test_every_kind_of_mark_is_found_where_it_belongs(watched: Watched, tmp_path: Path) -> None:
    home = load_settings(watched.home)
    with open_warehouse(home) as warehouse:
        for table in ("staged.clients", "staged.source_records"):
            rows = warehouse.rows(f"select columns(*)::varchar from {table}")
            assert marks_in(str(rows).encode()) == set(MARKS), table
    shutil.copytree(watched.home, tmp_path / "home", symlinks=True)
    (tmp_path / "home" / "settings.toml").write_text("")
    folder = rebuild_report(load_settings(tmp_path / "home"), NIGHT)
    assert marks_in((folder / "index.html").read_bytes()) == set(MARKS)
    assert set.union(*marked(contents(folder)).values()) == set(MARKS)


def test_no_mark_in_what_was_printed(watched: Watched) -> None:
    assert [line for line in watched.printed.splitlines() if marks_in(line.encode())] == []


def test_no_mark_in_any_log_nor_in_the_database_of_airflow(watched: Watched) -> None:
    searched = dict(contents(watched.airflow))
    assert len(searched["airflow.db"]) > 100_000 and b"take_decisions" in searched["airflow.db"]
    assert marked(iter(searched.items())) == {}


def test_no_mark_in_the_name_of_any_file(watched: Watched) -> None:
    names = [name for name, _ in contents(watched.home) if name.startswith("the name ")]
    assert len(names) > 50
    assert [name for name in names if "inbox/" not in name and marks_in(name.encode())] == []


def test_no_mark_in_a_report_that_may_leave_the_building(watched: Watched) -> None:
    folder = watched.home / "reports" / NIGHT.isoformat()
    searched = {name: content for name, content in contents(folder.resolve()) if name.startswith(FOR_PEOPLE)}
    assert len(searched) > 20
    assert marked(iter(searched.items())) == {}


def test_no_mark_in_what_is_published_of_merges(watched: Watched) -> None:
    searched = dict(contents(watched.home / "published"))
    assert any(name.endswith("plan.html") for name in searched) and any("crosswalk.csv" in name for name in searched)
    assert len((watched.home / "published/current/crosswalk.csv").read_text().splitlines()) > 5
    assert marked(iter(searched.items())) == {}


def test_who_looked_at_whom_is_kept_without_a_word_of_what_was_seen(watched: Watched) -> None:
    searched = (watched.home / "access", watched.home / "practice.jsonl")
    assert all(not path.exists() or not marked(contents(path)) for path in searched)


class TestAnErrorThatNobodyForesaw:
    def test_tells_its_kind_and_where_and_nothing_else(self) -> None:
        with pytest.raises(UnforeseenError, match=r"ValueError at test_privacy\.py:\d+") as told, quoting_nobody():
            int("Peggy")
        assert "Peggy" not in str(told.value)
        assert told.value.__suppress_context__ and told.value.__cause__ is None

    def test_of_our_own_goes_through_as_it_is(self) -> None:
        with pytest.raises(UnforeseenError, match="ours"), quoting_nobody():
            raise UnforeseenError("ours")
