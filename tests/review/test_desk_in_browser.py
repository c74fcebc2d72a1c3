"""The whole path in a real browser, inside a real Airflow: from the sign-in to a conflict, and out again.

Left out where Debian's Chromium is not installed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pipelines.decisions.store import open_decisions
from pipelines.nightly import run_night
from pipelines.review.desk.access_log import read_accesses
from pipelines.review.published import read_queue, read_report
from pipelines.sample import make_sample
from pipelines.settings import Settings, load_settings

playwright = pytest.importorskip("playwright.sync_api")
axe_core = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium")

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 20)
STARTS_WITHIN_SECONDS = 120
_NEW_DATABASE = "python -c 'from airflow.utils import db; db.initdb()'"
PEOPLE = {"ann": "user", "sam": "user", "vic": "viewer"}


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Settings]]:
    """An Airflow over a home after a night of made-up feeds; ann and sam may review, vic may only look at DAGs."""
    folder = tmp_path_factory.mktemp("airflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    settings = load_settings(folder / "home")
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            ["bash", "-c", f"{_NEW_DATABASE} && exec airflow api-server --host 127.0.0.1 --port {port} --workers 1"],
            env=_environment(folder, settings, address),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        make_sample(folder / "feeds", clients=150, visits=300, seed=5, day=DAY)
        shutil.copytree(folder / "feeds" / "inbox", settings.inbox, dirs_exist_ok=True)
        run_night(settings, settings.inbox, DAY)
        _wait_for(f"{address}/oneclient/", server, folder / "log")
        yield address, settings
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        yield started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])


class Visit:
    """Somebody signed in to Airflow, with the review page open inside it."""

    def __init__(self, browser: Any, address: str, name: str) -> None:
        self.address, self.complaints = address, []  # type: tuple[str, list[str]]
        self.context = browser.new_context(viewport={"width": 1280, "height": 1000})
        self.page = self.context.new_page()
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.goto(f"{address}/auth/login")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", name)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(lambda url: "/auth/login" not in url)
        self.complaints.clear()

    def inside_airflow(self) -> Any:
        """Open the page by Airflow's menu; the frame in which it stands."""
        self.page.get_by_role("link", name="Review").click()
        return self.page.frame_locator("iframe")

    def open(self, path: str) -> Any:
        return self.page.goto(f"{self.address}/oneclient{path}")

    def sign_out(self) -> None:
        self.page.goto(f"{self.address}/api/v2/auth/logout")


def test_two_people_review_one_after_the_other(airflow: tuple[str, Settings], browser: Any) -> None:
    address, settings = airflow
    ann = Visit(browser, address, "ann")
    desk = ann.inside_airflow()
    desk.get_by_label("Tier").select_option("near-certain")
    desk.get_by_role("button", name="Show", exact=True).click()
    chosen = desk.locator("ol.rows code").first.inner_text()
    desk.get_by_role("link", name=chosen).click()

    desk.get_by_text("Are these one person?").first.click()
    ann.page.keyboard.press("r")
    desk.get_by_text("Revealed to you for half an hour").wait_for()
    first = read_accesses(settings.home)[0]
    assert (first["who"], first["act"], first["ids"]) == ("ann", "reveal", [chosen])

    shown = desk.locator(".outcome:visible").inner_text()
    desk.locator("h1").click()
    ann.page.keyboard.press("x")
    assert desk.locator(".outcome:visible").inner_text() != shown
    survivor = desk.locator(".swap > input:checked").get_attribute("value")

    ann.page.keyboard.press("s")
    ann.page.keyboard.type("Same NHS number")
    ann.page.keyboard.press("Enter")
    desk.get_by_text(f"You decided same of {chosen}").wait_for()
    with open_decisions(settings) as store:
        (entry,) = store.entries()
    assert (entry.who, entry.verdict, entry.reason, entry.door) == ("ann", "same", "Same NHS number", "page")
    assert entry.chosen.survivor == (entry.left_ref if survivor == "left" else entry.right_ref)
    assert ann.complaints == []

    ann.sign_out()
    assert ann.open("/").status == 401

    sam = Visit(browser, address, "sam")
    sam.open(f"/candidates/{chosen}")
    sam.page.keyboard.press("d")
    sam.page.keyboard.type("Rang the client")
    sam.page.keyboard.press("Enter")
    sam.page.get_by_text("It is in conflict:").wait_for()
    sam.open("/?state=conflict")
    assert sam.page.locator("ol.rows code").all_inner_texts() == [chosen]
    sam.page.click(f"text={chosen}")
    sam.page.get_by_role("button", name="Undo what I said").click()
    sam.page.wait_for_load_state()
    assert "in conflict" not in sam.page.inner_text("main").lower()
    assert sam.complaints == []


def test_a_cluster_is_decided_by_keyboard_as_one_case(airflow: tuple[str, Settings], browser: Any) -> None:
    address, settings = airflow
    cluster = read_report(settings, DAY).clusters[0]
    pairs = [bond.candidate_id for bond in cluster.bonds]
    sam = Visit(browser, address, "sam")
    sam.open(f"/clusters/{cluster.cluster_id}")
    sam.page.keyboard.press("r")
    sam.page.get_by_text("Revealed to you for half an hour").wait_for()
    sam.page.keyboard.press("x")
    survivor = sam.page.locator(".swap > input:checked").get_attribute("value")
    sam.page.keyboard.press("s")
    sam.page.keyboard.type("Rang the client")
    sam.page.keyboard.press("Enter")
    sam.page.get_by_text(f"Of {len(pairs)} of the {len(pairs)} pairs you said").wait_for()
    with open_decisions(settings) as store:
        said = store.entries()[-len(pairs) :]
    assert {entry.candidate_id for entry in said} == set(pairs) and {entry.verdict for entry in said} == {"same"}
    chosen = cluster.records[int(survivor or "0") - 1].client_ref
    assert {entry.chosen.survivor for entry in said} == {chosen, None}
    sam.page.get_by_role("button", name="Undo what I said").click()
    sam.page.get_by_text("pairs you said").wait_for(state="detached")

    sam.page.keyboard.press("2")
    sam.page.keyboard.type("Two people of one household")
    sam.page.keyboard.press("Enter")
    sam.page.get_by_text(f"Of {len(cluster.records) - 1} of the {len(pairs)} pairs you said").wait_for()
    with open_decisions(settings) as store:
        different = store.entries()[1 - len(cluster.records) :]
    assert {entry.verdict for entry in different} == {"different"}
    assert all(cluster.records[1].client_ref in entry.pair for entry in different)
    sam.page.get_by_role("button", name="Undo what I said").click()
    sam.page.get_by_text("pairs you said").wait_for(state="detached")
    assert sam.complaints == []


def test_without_the_permission_nothing_is_shown(airflow: tuple[str, Settings], browser: Any) -> None:
    vic = Visit(browser, airflow[0], "vic")
    assert vic.open("/").status == 403
    assert "Ask whoever runs Airflow" in vic.page.inner_text("main")
    vic.page.goto(f"{airflow[0]}/plugin/review")
    vic.page.frame_locator("iframe").get_by_text("You may not do this").wait_for()


def test_everything_works_without_the_script(airflow: tuple[str, Settings], browser: Any) -> None:
    address, settings = airflow
    signed_in = Visit(browser, address, "sam").context.storage_state()
    page = browser.new_context(java_script_enabled=False, storage_state=signed_in).new_page()
    chosen = read_queue(settings, DAY)[-1].candidate_id
    page.goto(f"{address}/oneclient/candidates/{chosen}")
    page.get_by_role("button", name="Reveal the values").click()
    page.get_by_text("Revealed to you").wait_for()
    page.locator(".swap > label").nth(1).click()
    page.get_by_role("radio", name="different").check()
    page.get_by_label("What you went by").fill("Two people of one household")
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_text(f"You decided different of {chosen}").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="Are these one person?").wait_for()
    with open_decisions(settings) as store:
        assert [entry.kind for entry in store.entries()][-2:] == ["verdict", "undo"]


def test_axe_finds_nothing_against_wcag(airflow: tuple[str, Settings], browser: Any) -> None:
    address, settings = airflow
    ann = Visit(browser, address, "ann")
    candidate, cluster = read_queue(settings, DAY)[0].candidate_id, read_report(settings, DAY).clusters[0].cluster_id
    paths = ("/", f"/candidates/{candidate}", f"/candidates/{candidate}?blind=on", f"/clusters/{cluster}",
             "/bulk", "/decisions", "/quality", "/practice",
             "/?tier=possible&system=nobody&state=conflict", "/candidates/C0000000000")  # fmt: skip
    for path, width in product(paths, (1280, 375)):
        ann.page.set_viewport_size({"width": width, "height": 900})
        ann.open(path)
        ann.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        found = axe_core.Axe().run(ann.page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (path, width)
        assert ann.page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def _environment(folder: Path, settings: Settings, address: str) -> dict[str, str]:
    lines = (ROOT / "airflow.env").read_text().splitlines()
    passwords = folder / "passwords.json"
    passwords.write_text(str({name: name for name in PEOPLE}).replace("'", '"'))
    return {
        **os.environ,
        **dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "ONECLIENT_HOME": str(settings.home),
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in PEOPLE.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
    }


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5)  # noqa: S310 - our own server
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"Airflow did not start:\n{log.read_text()[-3000:]}")
