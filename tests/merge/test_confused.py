"""Confusions as cases: an id that comes with another person is listed every night until a reviewer settles it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from click.testing import CliRunner
from office import client, visit
from the_merges import Provider

from pipelines.cli import main
from pipelines.nightly import run_night
from pipelines.review.publish import read_report

HAROLD = {"Forename": "Harold", "Surname": "Goneby", "Gender": "M", "DateOfBirth": "02/03/1931"}
BEATRIX = {"Forename": "Beatrix", "Surname": "Newcomb", "Gender": "F", "DateOfBirth": "17/08/1944"}
FIRST, SECOND = "careplan/C1", "careplan/C1~2"


class Home(Provider):
    """An office with a card that another person was typed over, each person with a visit."""

    def nightly(self, day: int) -> None:
        run_night(self.settings, self.settings.inbox, date(2026, 11, day))

    def asks(self, *arguments: str) -> Any:
        done = CliRunner().invoke(main, [*arguments, "--home", str(self.settings.home), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def open_cases(self) -> list[str]:
        return [case["candidate_id"] for case in self.asks("candidates", "--confusions")]

    def decide(self, case: str, verdict: str, *more: str) -> None:
        self.asks("decide", case, "--verdict", verdict, "--by", "Jo Bloggs", "--reason", "rang the office", *more)


@pytest.fixture(scope="module")
def overwritten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("overwritten") / "home")
    for day, person in ((18, HAROLD), (19, BEATRIX)):
        home.clients(client("C1", **person), on=f"202611{day}")
        home.visits(visit(f"V{day}", "C1", VisitDate=f"{day}/11/2026"), on=f"202611{day}")
        home.nightly(day)
    return home.settings.home


@pytest.fixture
def home(overwritten: Path, tmp_path: Path) -> Home:
    return Home(copytree(overwritten, tmp_path / "home", symlinks=True))


def test_another_person_settles_the_case_until_that_person_changes(home: Home) -> None:
    (case,) = home.open_cases()
    assert home.asks("candidates") == []
    home.decide(case, "different")
    assert home.open_cases() == []
    home.nightly(20)
    assert read_report(home.settings, date(2026, 11, 20)).confusions == ()
    home.clients(client("C1", **{**BEATRIX, "Forename": "Trixie", "DateOfBirth": "02/03/1931"}), on="20261121")
    home.nightly(21)
    assert home.open_cases() == [case]
    (confusion,) = read_report(home.settings, date(2026, 11, 21)).confusions
    assert confusion.standing == "lapsed"


def test_the_same_person_becomes_one_record_and_the_undo_opens_the_case_again(home: Home) -> None:
    (case,) = home.open_cases()
    home.decide(case, "same", "--survivor", "left")
    assert home.open_cases() == [case]
    home.apply()
    assert (home.visits_of(FIRST), home.open_cases()) == ("V18 V19", [])
    home.undo()
    assert (home.visits_of(FIRST), home.visits_of(SECOND)) == ("V18", "V19")
    home.nightly(20)
    assert home.open_cases() == [case]
