"""A merge by form and sign-off in a running Airflow, and every way round the sign-off that we know: none merges a row.

One run takes it all, from one refusal to the next, until the right person answers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from decided_home import copy_of, decided_home
from running import Airflow, Triggered, starting_airflow

from pipelines.decisions.store import open_decisions
from pipelines.fingerprint import fingerprint
from pipelines.merge.carry_out import apply_merges
from pipelines.merge.plan import plan_merges
from pipelines.merge.selection import Selection
from pipelines.merge.status import merge_status
from pipelines.review.commands import decide_one
from pipelines.settings import Settings

PEOPLE = {"ann": "user", "sam": "user", "eve": "user", "vic": "viewer"}
full = pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="run by PROVE=full")


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Airflow, Settings, Settings]]:
    """An Airflow over a home in which ann decided, and a copy of that home."""
    folder = tmp_path_factory.mktemp("merging")
    with starting_airflow(folder / "airflow", folder / "home", PEOPLE) as starting:
        settings = decided_home(folder)
        yield starting.wait_for("apply_merges"), settings, copy_of(settings, folder / "before")


@pytest.fixture
def home(airflow: tuple[Airflow, Settings, Settings]) -> Settings:
    return airflow[1]


@pytest.fixture
def before(airflow: tuple[Airflow, Settings, Settings]) -> Settings:
    return airflow[2]


@pytest.fixture(scope="module")
def run(airflow: tuple[Airflow, Settings, Settings]) -> Triggered:
    return airflow[0].trigger("ann", "apply_merges", dry_run=False, reason="agreed on Monday")


@pytest.fixture
def parked(run: Triggered) -> Triggered:
    """The run, waiting for its sign-off, whatever was tried with it before."""
    if run.states().get("sign_off") in {"success", "failed"}:
        run.clear("eve", "sign_off")
    run.parked()
    return run


def how_it_went(run: Triggered) -> set[str]:
    """The states of all tasks of a run that is no dry run."""
    states = run.ended()
    assert states.pop("dry_run_ends_here") == "skipped"
    return set(states.values())


def assert_nothing_merged(home: Settings, before: Settings) -> None:
    with open_decisions(home) as store:
        assert {entry.kind for entry in store.entries()} == {"verdict"}
    assert fingerprint(home) == fingerprint(before)


def test_a_dry_run_ends_with_the_plan(airflow: tuple[Airflow, Settings, Settings], run: Triggered) -> None:
    """Whoever else is waiting for a sign-off."""
    dry = airflow[0].trigger("ann", "apply_merges")
    states = dry.ended()
    assert run.states()["publish"] not in {"success", "failed"}
    assert states.pop("plan") == states.pop("dry_run_ends_here") == "success"
    assert set(states.values()) == {"skipped"}
    assert "Read the plan: http" in dry.log("dry_run_ends_here")


def test_who_is_asked_sees_whose_decisions_they_are(parked: Triggered) -> None:
    asked = parked.parked()
    assert "Decided by **ann**" in asked
    assert parked.told("plan")["plan_hash"][:12] in asked


def test_without_the_permission_nobody_answers(parked: Triggered, home: Settings, before: Settings) -> None:
    assert parked.answer("vic") == 403
    assert parked.states()["sign_off"] == "awaiting_input"
    assert_nothing_merged(home, before)


def test_marking_the_sign_off_as_done_merges_nothing(parked: Triggered, home: Settings, before: Settings) -> None:
    assert parked.mark("eve", "sign_off") == 200
    assert parked.ended()["begin"] == "failed"
    assert "Nobody has signed this plan off" in parked.log("begin")
    assert_nothing_merged(home, before)


def test_a_made_up_xcom_merges_nothing(parked: Triggered, home: Settings, before: Settings) -> None:
    """A verdict of ann's passed off as a sign-off, for a plan that was never drawn up."""
    assert parked.forge("eve", "plan", {"plan_hash": "0" * 64}) in {200, 201}
    assert parked.forge("eve", "sign_off", 1) in {200, 201}
    assert parked.mark("eve", "sign_off") == 200
    assert parked.ended()["begin"] == "failed"
    assert "Nobody has signed this plan off" in parked.log("begin")
    assert_nothing_merged(home, before)


def test_who_decided_may_not_sign_it_off(parked: Triggered, home: Settings, before: Settings) -> None:
    assert parked.answer("ann") == 200
    assert parked.ended()["sign_off"] == "failed"
    assert "may not carry it out as well" in parked.log("sign_off")
    assert_nothing_merged(home, before)


def test_signed_off_by_another_it_comes_to_what_the_command_does(
    parked: Triggered, home: Settings, before: Settings, tmp_path: Path
) -> None:
    assert parked.answer("sam") == 200
    assert how_it_went(parked) == {"success"}
    by_command = copy_of(before, tmp_path)
    apply_merges(by_command, Selection(), who="sam", reason="agreed on Monday")
    assert fingerprint(home, "linked") == fingerprint(by_command, "linked")
    assert merge_status(home).crosswalk == merge_status(by_command).crosswalk
    assert parked.told("finish")["merges"] == len(merge_status(home).merges) > 5
    with open_decisions(home) as store:
        entry = store.entries()[-1]
    assert (entry.kind, entry.who, entry.door, entry.reason) == ("signoff", "sam", "dag", "agreed on Monday")
    assert (home.published / "current" / "crosswalk.csv").exists()


@pytest.mark.prove
@full
def test_taken_back_by_its_form_all_is_as_before(
    airflow: tuple[Airflow, Settings, Settings], home: Settings, before: Settings
) -> None:
    undo = airflow[0].trigger("ann", "undo_merges", every_merge=True, dry_run=False, reason="wrong month")
    assert "Take back" in undo.parked()
    assert undo.mark("eve", "sign_off") == 200
    assert undo.ended()["begin"] == "failed"
    assert merge_status(home).merges
    undo.clear("eve", "sign_off")
    undo.parked()
    assert undo.answer("ann") == 200
    assert how_it_went(undo) == {"success"}
    assert fingerprint(home, "linked") == fingerprint(before, "linked")


@pytest.mark.prove
@full
def test_by_form_and_button_in_a_real_browser(airflow: tuple[Airflow, Settings, Settings], home: Settings) -> None:
    """Follows the undo, after which what was taken back has to be decided anew."""
    playwright, chromium = pytest.importorskip("playwright.sync_api"), shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    for held in plan_merges(home).held_back:
        decide_one(home, held.candidate_id, verdict="same", who="ann", reason="looked again", cells={})
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        ann = signed_in(browser, airflow[0], "ann")
        ann.goto(f"{airflow[0].address}/dags/apply_merges")
        ann.get_by_role("button", name="Trigger").click()
        ann.locator("input[name=element_reason]").fill("by form")
        ann.locator("label:has(input[name=element_dry_run])").click()
        ann.get_by_role("dialog").get_by_role("button", name="Trigger").click()
        ann.wait_for_url("**/runs/manual__*")
        run = Triggered(airflow[0], f"/dags/apply_merges/dagRuns/{unquote(ann.url.rpartition('/runs/')[2])}")
        run.parked()
        sam = signed_in(browser, airflow[0], "sam")
        sam.goto(f"{ann.url}/tasks/sign_off/required_actions")
        sam.get_by_text("Decided by ann").wait_for()
        sam.get_by_role("button", name="Approve").click()
        assert how_it_went(run) == {"success"}
    assert {merge.signed_by for merge in merge_status(home).merges} == {"sam"}


def signed_in(browser: Any, airflow: Airflow, name: str) -> Any:
    page = browser.new_context(viewport={"width": 1400, "height": 1300}).new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{airflow.address}/auth/login")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", name)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/auth/login" not in url)
    return page
