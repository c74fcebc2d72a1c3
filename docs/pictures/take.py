"""Takes the screenshots of README.md and docs/analyst.md anew: the review page over two nights of made-up feeds, of
people who do not exist, some of them decided by Ann and Sam, who do not either.

    python docs/pictures/take.py [--home FOLDER]

Needs the extra ``dev`` and Debian's Chromium (``apt-get install chromium``). ``--home`` keeps the home, and takes it as
it is if it is there already. The page is served as Airflow would serve it; only one picture has Airflow around it.
"""
# ruff: noqa: S101, T201

from __future__ import annotations

import argparse
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import Request
from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).resolve().parent
sys.path[:0] = [str(PICTURES.parents[1]), str(PICTURES.parents[1] / "tests")]

from running import starting_airflow  # noqa: E402

from pipelines.merge.plan import plan_merges  # noqa: E402
from pipelines.merge.publish import publish_plan  # noqa: E402
from pipelines.merge.selection import Selection  # noqa: E402
from pipelines.nightly import run_night  # noqa: E402
from pipelines.review import commands  # noqa: E402
from pipelines.review.contents import Candidate  # noqa: E402
from pipelines.review.desk.app import make_app  # noqa: E402
from pipelines.review.desk.people import Reviewer, reviewer  # noqa: E402
from pipelines.review.published import read_report  # noqa: E402
from pipelines.sample import make_sample  # noqa: E402
from pipelines.settings import Settings, load_settings  # noqa: E402

NIGHTS = (date(2026, 11, 19), date(2026, 11, 20))
EXAMPLE = "C592D74E8A7"  # the pair that README.md works through
WIDE = {"width": 1120, "height": 900}
MARGIN = 12
MOST_BYTES = 200_000


def main() -> None:
    """Take every picture."""
    wanted = argparse.ArgumentParser(description="Take the screenshots of the documentation anew.")
    wanted.add_argument("--home", type=Path, help="Keep the home here, and take it as it is if it is there.")
    with tempfile.TemporaryDirectory() as folder:
        home = wanted.parse_args().home or Path(folder) / "home"
        settings = load_settings(home) if (home / "reports").exists() else after_two_nights(home)
        with the_page(settings) as address, sync_playwright() as started:
            browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            context = browser.new_context(viewport=WIDE, color_scheme="light")
            (home / "practice.jsonl").unlink(missing_ok=True)
            cluster_id = read_report(settings, NIGHTS[-1]).clusters[0].cluster_id
            take(Camera(context.new_page(), address), commands.list_candidates(settings, None), cluster_id)
            page = context.new_page()
            plan = publish_plan(settings, plan_merges(settings, Selection(without_decisions_of="sam")))
            page.goto((plan / "plan.html").as_uri())
            Camera(page, "").take("plan", "h1", "body", most=900)
            with starting_airflow(Path(folder) / "airflow", home, {"ann": "user"}) as airflow:
                in_airflow(browser, airflow.wait_for("nightly").address)
            browser.close()
    for picture in sorted(PICTURES.glob("*.png")):
        picture.chmod(0o644)
        assert picture.stat().st_size < MOST_BYTES, f"{picture.name} is too large"
        print(picture.name, f"{picture.stat().st_size:,} bytes")


def after_two_nights(home: Path) -> Settings:
    """A home with the feeds of ``make demo`` taken in, in which people decided some candidates after each night."""
    settings = load_settings(home)
    feeds = home.parent / f"{home.name}-feeds"
    make_sample(feeds, clients=5000, visits=60000, seed=20261120, nights=len(NIGHTS), day=NIGHTS[-1])
    for night in NIGHTS:
        run_night(settings, feeds / "inbox" / night.isoformat(), night)
        people_decide(settings, read_report(settings, night).candidates)
    return settings


def people_decide(settings: Settings, candidates: Sequence[Candidate]) -> None:
    """Ann and Sam look at some of what is open: mostly they agree."""
    open_ones = [one for one in candidates if not one.settled and one.candidate_id != EXAMPLE]
    sure = [one for one in open_ones if one.tier == "near-certain"]
    sure = [*sure[:10], *[one for one in sure if not one.outcomes[0].blockers][:20]]
    twins = [one for one in open_ones if "twins" in one.relation][1:4]
    for place, one in enumerate(sure):
        say(settings, one, "same", "ann", "One NHS number, and the office knows her")
        if place % 3 == 0:
            say(settings, one, "different" if place == 9 else "same", "sam", "Rang the office")
    for place, one in enumerate(twins):
        say(settings, one, "different", "ann", "Twins: two NHS numbers at the surgery")
        if place % 2 == 0:
            say(settings, one, "different", "sam", "Rang the family")
    for one in [one for one in open_ones if one.tier == "possible" and not one.relation][:3]:
        say(settings, one, "unsure", "sam", "Waits for the council's answer")


def say(settings: Settings, candidate: Candidate, verdict: str, who: str, reason: str) -> None:
    """Record what somebody says of one candidate."""
    commands.decide_one(settings, candidate.candidate_id, verdict=verdict, who=who, reason=reason, cells={})


@contextmanager
def the_page(settings: Settings) -> Iterator[str]:
    """The review page on a port of this machine, for Ann alone."""

    async def admit(request: Request) -> Reviewer:
        return reviewer("ann", "ann")

    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(make_app(lambda: settings, admit), log_level="warning"))
        serving = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        serving.start()
        while not server.started:
            time.sleep(0.05)
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            serving.join()


def in_airflow(browser: Browser, address: str) -> None:
    """The page where people find it: in Airflow's menu."""
    page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="light")
    page.goto(f"{address}/auth/login")
    page.fill("input[name=username]", "ann")
    page.fill("input[name=password]", "ann")
    page.click("button[type=submit]")
    page.get_by_role("link", name="Review").click()
    page.frame_locator("iframe").get_by_role("heading", name="Candidates of").wait_for()
    page.screenshot(path=PICTURES / "queue.png")


class Camera:
    """Ann's browser."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address

    def open(self, path: str) -> Page:
        """Go to a page of the desk."""
        self.page.goto(f"{self.address}{path}")
        return self.page

    def revealed(self, path: str) -> None:
        """Go to a case and have its values shown."""
        self.open(path).get_by_role("button", name="Reveal the values").click()
        self.page.get_by_text("Revealed to you for half an hour").wait_for()

    def take(self, name: str, first: str = "header.top", last: str | None = None, most: int = 1600) -> None:
        """A picture of the page from one element to the end of another, over its whole width, at most so high."""
        top = self.page.locator(first).first.bounding_box()
        bottom = self.page.locator(last or "main").first.bounding_box()
        scrolled = self.page.evaluate("window.scrollY")
        assert top and bottom
        above = min(top["y"] + scrolled, MARGIN)
        height = above + bottom["y"] + bottom["height"] - top["y"] + MARGIN
        clip: Any = {"x": 0, "y": top["y"] + scrolled - above, "width": WIDE["width"], "height": min(height, most)}
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True, clip=clip)


def take(camera: Camera, candidates: Sequence[Candidate], cluster_id: str) -> None:
    """Every picture, one after the other. ``candidates``: those of the last night, as they stand now."""
    camera.revealed(f"/candidates/{EXAMPLE}")
    camera.take("candidate", last="table.evidence")
    camera.take("hangs", "table.hangs", "table.hangs")
    camera.take("decide", "#decide", "#decide", most=1000)

    twins = next(one for one in candidates if "twins" in one.relation and not one.decided)
    camera.revealed(f"/candidates/{twins.candidate_id}")
    camera.take("twins", "div.title", "table.evidence")

    camera.open("/?state=conflict").locator("ol.rows a").first.click()
    camera.take("conflict", "div.title", "form.undo")

    camera.revealed(f"/clusters/{cluster_id}")
    camera.take("cluster", "div.title", most=1000)

    for verdict in ("same", "different"):
        page = camera.open("/practice")
        page.locator(f'input[name="verdict"][value="{verdict}"]').check()
        page.get_by_role("button", name="Answer").click()
        page.wait_for_load_state()
    camera.take("practice", last="#decide")
    camera.open("/bulk")
    camera.take("bulk")
    camera.open("/quality")
    camera.take("quality", most=1000)


if __name__ == "__main__":
    main()
