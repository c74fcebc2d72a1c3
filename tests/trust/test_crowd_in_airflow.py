"""A crowd in a running Airflow with its LocalExecutor, on SQLite and on PostgreSQL: two nights, a merge that waits for
its sign-off, four who decide at the review page, and a night by hand, all at once over one home.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import running
from processes import Processes
from running import Airflow, starting_airflow
from test_crowd import DECIDERS, come_to, copy_of, in_this_order
from the_postgres import starting_postgres
from the_storm import COMMANDS, assert_nothing_is_lost, decided, deliver_later

from pipelines.review.commands import list_candidates
from pipelines.settings import Settings

PEOPLE = dict.fromkeys(("ann", "sam", *map(str.lower, DECIDERS)), "user")
TOKENS = re.compile(r'name="(form_token|decide_token)" value="([^"]+)"')
AS_LONG_AS_A_CROWD_MAY_TAKE_SECONDS = 900
PLAN_CHANGED = "What was planned is not what would be done now"
full = pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="run by PROVE=full")


def last_night() -> date:
    """The day of the run that Airflow starts by itself when the DAG is switched on: before that of the last 02:30."""
    return (datetime.now(ZoneInfo("Europe/London")) - timedelta(hours=2, minutes=30)).date() - timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Where Airflow keeps what it knows."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield {}
        else:
            url = stack.enter_context(starting_postgres())
            names = ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC")
            yield dict.fromkeys(names, url)


@pytest.mark.prove
@full
def test_nights_a_merge_and_who_decides_at_once_come_to_what_they_do_one_after_the_other(
    database: dict[str, str], tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("STARTS_WITHIN_SECONDS", "ENDS_WITHIN_SECONDS"):
        monkeypatch.setattr(running, patience, AS_LONG_AS_A_CROWD_MAY_TAKE_SECONDS)
    day = last_night()
    settings = decided(tmp_path, second=day)
    deliver_later(settings, tmp_path)
    before = copy_of(settings, tmp_path / "before")
    candidates = [c.candidate_id for c in list_candidates(settings, None) if not c.settled]
    airflow_settings = {"AIRFLOW__CORE__EXECUTOR": "LocalExecutor", "AIRFLOW__CORE__PARALLELISM": "4", **database}
    with starting_airflow(tmp_path / "airflow", settings.home, PEOPLE, **airflow_settings) as starting:
        airflow = starting.wait_for("apply_merges").wait_for("nightly")
        assert airflow.ask("ann", "PATCH", "/dags/nightly", {"is_paused": False}).status_code == 200
        by_form = [airflow.trigger("ann", "nightly", day=day.isoformat()) for _ in range(2)]
        by_hand = processes.start("nightly", "--day", day, "--home", settings.home)
        with ThreadPoolExecutor() as people:
            merged = people.submit(_merge, airflow)
            said = [people.submit(_decide, airflow, who, candidates) for who in DECIDERS]
            assert all(one.result() for one in said)
            merged.result()
        ended = by_hand.wait()
        assert (ended.code, ended.complained) == (0, "")
        for night in by_form:
            assert set(night.wait(_is_over).values()) <= {"success", "skipped"}
    assert_nothing_is_lost(settings, before.home)
    closing = ("nightly", "--day", day)
    assert processes.run(*closing, "--home", settings.home).code == 0
    assert _but_for_doors(come_to(settings)) in _one_after_the_other(before, candidates, closing, tmp_path, processes)


def _merge(airflow: Airflow) -> None:
    """Sam has the merges carried out. A night that changes the register under the plan has it refused: then again."""
    for _ in range(4):
        run = airflow.trigger("ann", "apply_merges", dry_run=False, reason="agreed")
        run.parked()
        assert run.answer("sam") == 200
        states = run.wait(_is_over)
        if states["sign_off"] == "success":
            assert set(states.values()) == {"success"}, states
            return
        assert PLAN_CHANGED in run.log("sign_off")
    pytest.fail("The plan was never signed off as it was looked at.")


def _decide(airflow: Airflow, who: str, candidates: list[str]) -> bool:
    """Somebody holds every open candidate to be two people, by the forms of the page."""
    name = who.lower()
    airflow.ask(name, "GET", "/dags/nightly")
    address = f"{airflow.address}/oneclient"
    with httpx.Client(cookies={"_token": airflow.tokens[name]}, timeout=running.ANSWERS_WITHIN_SECONDS) as browser:
        for candidate in candidates:
            page = f"{address}/candidates/{candidate}"
            tokens = dict(TOKENS.findall(browser.get(page).raise_for_status().text))
            form = {**tokens, "verdict": "different", "reason": f"{who} rang"}
            assert browser.post(f"{page}/decide", data=form).status_code == 303
    return True


def _is_over(states: dict[str, str]) -> bool:
    return bool(states) and set(states.values()) <= {"success", "failed", "skipped", "upstream_failed"}


def _one_after_the_other(
    before: Settings, candidates: list[str], night: tuple[Any, ...], folder: Path, processes: Processes
) -> Iterator[dict[str, Any]]:
    """What comes of the same acts in either order; the merge is Sam's, at the command line."""
    said = [
        ("decide", candidate, "--verdict", "different", "--by", who.lower(), "--reason", f"{who} rang")
        for candidate in candidates
        for who in DECIDERS
    ]
    merge = (*COMMANDS["apply"][:-1], "sam", "--reason", "agreed")
    for number, order in enumerate(((merge, *said, night), (night, merge, *said, night))):
        yield _but_for_doors(in_this_order(before, order, folder / f"order {number}", processes))


def _but_for_doors(state: dict[str, Any]) -> dict[str, Any]:
    """The same, whichever door a decision came by."""
    return {**state, "log": sorted(re.sub("'(page|cli)'", "door", line) for line in state["log"])}
