"""Hostile senders: every personal cell of the feeds is markup and SQL, and comes out as text wherever it is shown.

DuckDB's own log of statements says that no cell was ever written into one.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.decisions.store import open_decisions
from pipelines.merge.plan import plan_merges
from pipelines.merge.publish import publish_merges, publish_plan
from pipelines.merge.selection import Selection
from pipelines.nightly import run_night
from pipelines.review.commands import decide_tier
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import opening
from tests.review.the_desk import Desk
from tests.trust.the_marks import NIGHT, marked_feeds

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="run by PROVE=full"),
]
MARKUP = (
    "\"'><img src=x onerror=alert(1)><script>alert('xqzvj')</script>{{ 1234*5678 }}'; drop table staged.clients; --"
)
HURT = "xqzvj", "drop table staged", "onerror=alert"


@dataclass(frozen=True)
class Hurt:
    """A home after a night of hostile feeds, and every statement that DuckDB was given."""

    home: Settings
    statements: list[str]


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Hurt:
    folder = tmp_path_factory.mktemp("hurt")
    inbox = marked_feeds(folder / "feeds", text=lambda value: f"{value}{MARKUP}")
    home, logs, connect = load_settings(folder / "home"), folder / "statements", opening._connect

    def logged(*said: Any, **more: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*said, **more)
        kept = logs / str(len(list(logs.glob("*"))))
        kept.mkdir(parents=True)
        where = f"storage = 'file', storage_config = {{'path': '{kept}'}}"
        connection.execute(f"call enable_logging('QueryLog', {where})")
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_connect", logged)
        run_night(home, inbox, NIGHT)
        decide_tier(home, "near-certain", verdict="same", who="ann", reason="rang", cells={})
        publish_plan(home, plan_merges(home, Selection()))
        publish_merges(home)
    return Hurt(home, [line for file in logs.rglob("*entries.csv") for line in _messages(file)])


def _messages(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from (row["message"] for row in csv.DictReader(lines))


class Live(HTMLParser):
    """What of a page could run: scripts, handlers, addresses of other places."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts, self.images, self.handlers, self.addresses = 0, 0, set[str](), set[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.images += tag in {"img", "iframe", "object", "embed", "base"}
        self.handlers |= {name for name, _ in attrs if name.startswith("on")}
        self.addresses |= {value or "" for name, value in attrs if name in {"href", "src", "action", "formaction"}}


def pages(hurt: Hurt) -> Iterator[tuple[str, str, int]]:
    """Every page there is of this home: name, text, and how many scripts are ours."""
    report = hurt.home.reports / NIGHT.isoformat()
    yield "report", (report / "index.html").read_text(), 1
    for plan in (hurt.home.published / "plans").rglob("plan.html"):
        yield "plan", plan.read_text(), 0
    ann = Desk(hurt.home, "ann")
    rows = ann.read("/?state=all").split('href="/candidates/')[1:]
    for candidate_id in {row[:11] for row in rows}:
        path = f"/candidates/{candidate_id}"
        assert ann.fill(path, f"{path}/reveal").status_code == 303
        yield path, ann.read(path), 1
    clusters = {row[:16].partition("?")[0].partition('"')[0] for row in rows if "/clusters/" in row}
    for path in ("/", "/?state=all", "/decisions", "/bulk", "/quality", *(f"/clusters/{one}" for one in clusters)):
        answer = ann.get(path)
        yield path, answer.text, 1


def test_what_was_sent_is_text_on_every_page(hurt: Hurt) -> None:
    seen, told = 0, 0
    for name, page, scripts in pages(hurt):
        live = Live(page)
        assert (live.scripts, live.images, live.handlers) == (scripts, 0, set()), name
        assert not [one for one in live.addresses if not one.startswith(("/", "#", "?"))], name
        assert "7006652" not in page, name
        seen, told = seen + 1, told + ("&lt;img src=x onerror" in page)
    assert seen > 15 and told > 5, "the markup is there, as text"


def test_no_cell_was_ever_written_into_a_statement(hurt: Hurt) -> None:
    assert len(hurt.statements) > 500
    assert any("merge into staged.clients" in one for one in hurt.statements)
    assert [one[:200] for one in hurt.statements if any(text in one.casefold() for text in HURT)] == []
    with opening.open_warehouse(hurt.home) as opened:
        assert opened.one("select count(*) from staged.clients where contains(lower(surname), 'drop table')") > 50


def test_nothing_published_as_a_table_begins_like_a_formula(hurt: Hurt) -> None:
    with open_decisions(hurt.home) as store:
        assert store.entries()
    for file in (hurt.home.published / "current").resolve().glob("*.csv"):
        with file.open(encoding="utf-8-sig", newline="") as lines:
            cells = [cell for row in csv.reader(lines) for cell in row]
        assert [cell for cell in cells if cell[:1] in {"=", "@", "\t", "\r"}] == [], file.name
