"""A whole night over strange texts in every field: nothing of what it publishes is alive, turned round or lost."""

from __future__ import annotations

import csv
import io
import re
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import CLIENT_HEADINGS, NIGHT, ORDER_HEADINGS, Office, client, order

from pipelines.ingest.refusal import FileRefusedError
from pipelines.merge.publish import publish_merges
from pipelines.nightly import run_night
from pipelines.publishing.legible import legible
from pipelines.review.contents import Miss
from pipelines.review.handback import hand_back
from pipelines.review.page import render_page
from pipelines.review.workbook import write_corrections
from pipelines.sample import make_sample
from pipelines.settings import Settings
from tests.review.examples import a_report
from tests.trust import hostile
from tests.trust.hostile import FULL, STRANGE, cases

NUMBER = re.compile(r"-?[\d.]+")
MARKS = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(autouse=True)
def _quiet_zip() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate name")
        yield


TEXTS = [text for text in STRANGE if text.strip() and len(text) < 50 and text not in {"\0", "\x1a"}]
PLAIN = (
    "Forename",
    "Surname",
    "Postcode",
    "ClientID",
    "NHSNumber",
    "DateOfBirth",
    "StartDate",
    "EndDate",
    "Status",
    "KeySafe",
)


def nhs_number(nth: int) -> str:
    """A valid made-up NHS number; numbers whose check digit would be ten are passed over."""
    for start in range(400_000_000 + 50 * nth, 400_000_050 + 50 * nth):
        check = -sum(int(digit) * weight for digit, weight in zip(f"{start}", range(10, 1, -1), strict=True)) % 11
        if check < 10:
            return f"{start}{check}"
    raise AssertionError


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A home after a night in which every strange text stood in every field of two records of one person."""
    folder = tmp_path_factory.mktemp("evil")
    office = Office(folder / "home")
    make_sample(folder / "feeds", clients=40, visits=40, seed=5, day=NIGHT)
    shutil.copytree(folder / "feeds" / "inbox", office.settings.inbox, dirs_exist_ok=True)
    people, orders = [], []
    for n, text in enumerate(TEXTS):
        everywhere = {heading: text for heading in CLIENT_HEADINGS if heading not in PLAIN}
        named = {"Forename": f"Ann{text}", "Surname": f"Archer {chr(65 + n % 26)}{text}", "NHSNumber": nhs_number(n)}
        people += [client(f"E{n}-{twin}", **everywhere | named) for twin in "ab"]
        in_order = {h: text for h in ORDER_HEADINGS if h not in {"NHSNumber", "StartDate", "FileReference"}}
        orders.append(
            order(f"PO{n}", **in_order | named | {"PurchaseOrderNumber": f"PO{n}{text}", "DateOfBirth": "12/03/1941"})
        )
    office.clients(*people, system="evil\u202e<b>")
    office.orders(*orders, council="evil")
    run_night(office.settings, office.settings.inbox, NIGHT)
    return office


@pytest.fixture(scope="module")
def reported(evil: Office) -> Settings:
    """The home of that night."""
    return evil.settings


@pytest.fixture(scope="module")
def filled_in(reported: Settings) -> bytes:
    """The report's workbook with two good rows and a bad one filled in."""
    book = openpyxl.load_workbook(reported.reports / NIGHT.isoformat() / "candidates.xlsx")
    sheet = book["Candidates"]
    headings = [cell.value for cell in sheet[1]]
    for row, verdict in ((2, "same"), (3, "different"), (4, "maybe")):
        for heading, said in {"Verdict": verdict, "Decided by": "Jo Bloggs", "Reason": "one number"}.items():
            sheet.cell(row, headings.index(heading) + 1).value = said
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


class TestHandedBack:
    """Decisions that come back damaged: taken or refused row by row, or refused as a whole."""

    @cases(2, 600)
    @given(data=st.data())
    def test_a_workbook(self, desk: Path, reported: Settings, filled_in: bytes, data: st.DataObject) -> None:
        self.hand_back(reported, desk / "decisions.xlsx", data.draw(hostile.damaged_books(filled_in)))

    @cases(6, 1_000)
    @given(accidents=st.lists(hostile.damages(b"\n", b",", b'"'), max_size=4))
    def test_a_csv(self, desk: Path, reported: Settings, accidents: list[hostile.Damage]) -> None:
        good = "candidate_id,verdict,by,reason\r\n" + "".join(
            f"{one},same,Jo Bloggs,one number\r\n" for one in ("C0123456789", "CABCDEF0123")
        )
        self.hand_back(reported, desk / "decisions.csv", hostile.spoilt(good.encode(), accidents))

    @staticmethod
    def hand_back(home: Settings, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        copy = path.with_name(f"refused{path.suffix}")
        copy.unlink(missing_ok=True)
        try:
            found = hand_back(home, path, refused_copy=copy)
        except FileRefusedError:
            return
        assert copy.exists() == bool(found.refused)

    def test_a_formula_in_a_refused_row_comes_back_as_text(
        self, desk: Path, reported: Settings, filled_in: bytes
    ) -> None:
        path, copy = desk / "formula_decisions.csv", desk / "formula_refused.csv"
        path.write_text("candidate_id,verdict,by,reason\nC0123456789,same,Jo,=cmd|' /C calc'!A0\n")
        assert len(hand_back(reported, path, refused_copy=copy).refused) == 1
        with copy.open(encoding="utf-8-sig", newline="") as lines:
            assert [row[3] for row in csv.reader(lines)] == ["reason", "'=cmd|' /C calc'!A0"]
        book = openpyxl.load_workbook(io.BytesIO(filled_in))
        sheet = book["Candidates"]
        reason = [cell.value for cell in sheet[1]].index("Reason") + 1
        sheet.cell(2, reason).value = '=HYPERLINK("http://x")'
        book.save(desk / "formula_decisions.xlsx")
        hand_back(reported, desk / "formula_decisions.xlsx", refused_copy=desk / "formula_refused.xlsx")
        cell = openpyxl.load_workbook(desk / "formula_refused.xlsx")["Candidates"].cell(2, reason)
        assert (cell.value, cell.data_type) == ('=HYPERLINK("http://x")', "s")


class Live(HTMLParser):
    """What of a page a browser would run or fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "base", "form", "img", "svg"}:
            self.found.append(tag)
        self.found += [name for name, said in attrs if name.startswith("on") or "javascript:" in (said or "").lower()]


UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\x1b\x00]")


class TestAWholeNightOfStrangeTexts:
    def test_every_row_is_there(self, evil: Office) -> None:
        sums = evil.rows(
            "select issuer, rows_read, rows_loaded + rows_rejected from raw.files where issuer ilike 'evil%'"
        )
        assert sorted(read for _, read, _ in sums) == [len(TEXTS), 2 * len(TEXTS)]
        assert all(read == kept for _, read, kept in sums)
        twins = "select count(*) from matched.candidates"
        assert evil.one(twins) > len(TEXTS) // 2
        assert evil.one("select count(*) from staged.source_records where record_id like 'E%-_'") == 2 * len(TEXTS)

    def test_nothing_in_its_page_is_alive(self, evil: Office) -> None:
        html = (evil.settings.reports / NIGHT.isoformat() / "index.html").read_text(encoding="utf-8")
        harmless = Live(render_page(a_report(), most=5)).found
        assert set(Live(html).found) <= {*harmless, "script", "svg"}
        assert Live(html).found.count("script") <= 1
        assert "{{7*7}}" in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html

    def test_no_letter_in_its_page_or_workbooks_is_unseen_or_turns_others_round(self, evil: Office) -> None:
        folder = evil.settings.reports / NIGHT.isoformat()
        assert not UNSEEN.search((folder / "index.html").read_text(encoding="utf-8"))
        for cell in cells_of(folder):
            assert not UNSEEN.search(str(cell.value))

    def test_nothing_in_its_workbooks_is_a_formula(self, evil: Office) -> None:
        types = {cell.data_type for cell in cells_of(evil.settings.reports / NIGHT.isoformat())}
        assert types <= {"s", "n"}

    def test_nothing_in_what_is_published_is_a_formula(self, evil: Office) -> None:
        folder = publish_merges(evil.settings)
        found = 0
        for path in folder.glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as lines:
                for row in csv.reader(lines):
                    found += len(row)
                    assert not [cell for cell in row if cell.startswith(MARKS) and not NUMBER.fullmatch(cell)]
        assert found > len(TEXTS)

    def test_an_unseen_letter_does_not_part_two_equal_names(self, evil: Office) -> None:
        for sent, meant in (
            ("An\u200bn", "Ann"),
            ("\u202eAnn", "Ann"),
            ("Zo\u00ad\u00eb", "Zoë"),
            ("Ann\x00\x07 B", "Ann B"),
        ):
            assert evil.one("select cleaned($sent)", sent=sent) == meant

    @pytest.mark.skipif(not FULL or shutil.which("chromium") is None, reason="a browser, at full size")
    def test_a_browser_runs_nothing_of_it(self, evil: Office) -> None:
        playwright = pytest.importorskip("playwright.sync_api")
        page_of = evil.settings.reports.resolve() / NIGHT.isoformat() / "index.html"
        with playwright.sync_playwright() as browsers:
            browser = browsers.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page()
            said: list[str] = []
            page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
            page.on("request", lambda request: said.append(request.url))
            page.goto(page_of.as_uri())
            page.wait_for_timeout(500)
            browser.close()
        assert [each for each in said if not each.startswith("file:") and not each.startswith("data:")] == []


def cells_of(folder: Path) -> Iterator[Any]:
    """Every filled cell of every workbook in a folder."""
    for path in folder.resolve().rglob("*.xlsx"):
        for sheet in openpyxl.load_workbook(path):
            yield from (cell for row in sheet.iter_rows() for cell in row if cell.value is not None)


def test_no_two_councils_share_a_correction_file(tmp_path: Path) -> None:
    asked = ["KENT", "KENT/", "KENT?", "../../x", "x" * 300, "="]
    misses = tuple(Miss("C1", "r", "l", "1", "2", "leading zero", ask, "Write 1.") for ask in asked)
    write_corrections(replace(a_report(), misses=misses), tmp_path / "corrections")
    assert len(list((tmp_path / "corrections").iterdir())) == len(asked)
    assert [path.name for path in tmp_path.iterdir()] == ["corrections"]


def test_a_mark_of_direction_is_named_and_a_name_stays_a_name() -> None:
    assert legible("Zoë O\u2019Brien\u202eneB") == "Zoë O\u2019Brien‹U+202E›neB"
    assert legible("李 小龙 \n Ann") == "李 小龙 \n Ann"
