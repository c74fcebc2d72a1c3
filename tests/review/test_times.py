"""Times are kept in UTC and shown by the clock of the provider, on the day when that clock goes back and in summer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import time_machine
from examples import a_candidate, a_report
from the_desk import Desk, home_with, path_of, proper

from pipelines.cli.nights import _day
from pipelines.decisions.store import open_decisions
from pipelines.review.decide import open_queue
from pipelines.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return home_with(tmp_path, a_report(*(proper(n, a_candidate()) for n in (1,))))


def test_the_hour_that_comes_twice_is_told_apart(home: Settings) -> None:
    """At 02:00 on 25 October 2026 the clocks go back to 01:00."""
    desk = Desk(home, "ann")
    moments = {
        "2026-10-24T23:30:00+00:00": "2026-10-25 00:30 BST",
        "2026-10-25T00:30:00+00:00": "2026-10-25 01:30 BST",
        "2026-10-25T01:30:00+00:00": "2026-10-25 01:30 GMT",
    }
    for moment, reason in zip(moments, ("first", "second", "third"), strict=True):
        with time_machine.travel(moment, tick=False):
            assert desk.decide(1, "same", reason).status_code == 303
    with time_machine.travel("2026-10-25T02:00:00+00:00"):
        page = desk.read("/decisions")
    assert "When (Europe/London)" in page
    assert [moment for moment in moments.values() if moment in page] == list(moments.values())
    assert [entry.recorded_at[:16] for entry in desk.entries()] == [moment[:16] for moment in moments]


def test_the_day_of_a_decision_is_that_of_the_place_where_it_was_made(home: Settings) -> None:
    """Half past midnight on 1 July in London is still 30 June in UTC."""
    desk = Desk(home, "ann")
    with time_machine.travel("2026-06-30T23:30:00+00:00", tick=False):
        desk.decide(1, "same", "looked")
        assert "1 July 2026" in desk.read(path_of(1))
    with open_decisions(home) as store:
        (candidate,) = open_queue(home, store).candidates
    assert [said.decided_on for said in candidate.decided] == [date(2026, 7, 1)]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-06-30T22:59:00+00:00", date(2026, 6, 30)),
        ("2026-06-30T23:00:00+00:00", date(2026, 7, 1)),
        ("2026-12-31T23:30:00+00:00", date(2026, 12, 31)),
        ("2026-10-24T23:00:00+00:00", date(2026, 10, 25)),
        ("2026-10-25T23:30:00+00:00", date(2026, 10, 25)),
    ],
)
def test_a_night_is_that_of_the_clock_on_the_wall(home: Settings, moment: str, day: date) -> None:
    with time_machine.travel(moment, tick=False):
        assert _day(home, None) == day
