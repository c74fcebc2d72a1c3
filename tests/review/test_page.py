"""The page says what the report says, to anyone, and what a source sent stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.review.contents import Comparison, Decided, FileLine
from pipelines.review.mask import mask_reference, mask_report, mask_value
from pipelines.review.page import render_page, waterfall
from pipelines.review.words import MADE_HOW, MARKS, say_bits, say_probability
from tests.review.examples import HOSTILE, NIGHT, a_candidate, a_couple, a_report, a_run, a_side, a_stranger

WITHOUT_END = {"meta", "input", "col", "wbr"}


class Page(HTMLParser):
    """A page as a browser reads it: its elements, its text, and the script and style in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.texts: list[str] = []
        self.unclosed: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in WITHOUT_END:
            self.unclosed.append(tag)
        if tag in self.inline:
            self.inline[tag].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.unclosed and self.unclosed[-1] in self.inline:
            self.inline[self.unclosed[-1]][-1] += data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.texts))

    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """The elements and the names of their attributes, without what they say or where a line may break."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements if tag != "wbr"]

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def test_the_page_says_what_the_night_did() -> None:
    page = Page(render_page(a_report(a_candidate(), a_couple()), most=10)).text
    assert "Candidates for Rosewood Home Care" in page
    assert "20 November 2026" in page
    assert "74,682 rows read = 74,161 loaded + 521 rejected" in page
    assert "The heading VisitDate is missing." in page
    assert "9 rows were rejected one by one, and 512 with the files that were refused whole; 41 cells" in page
    assert "14, 88, 902 and 3 more" in page
    assert "a council reference that nobody had" in page
    assert "1 of 3 suites failed." in page
    assert "A client export holds each client id once (2 of 8118)" in page
    for version in ("0.1.0", "2026-10-01.3f9c2a", "9b1d7c04e2aa"):
        assert version in page
    assert "The machine proposes; people decide." in page


def test_rows_that_do_not_add_up_are_said_aloud() -> None:
    lost = FileLine("kent.csv", "purchase_orders", "KENT", "loaded", None, 10, 8, 1)
    page = Page(render_page(a_report(run=replace(a_run(), files=(lost,))), most=10)).text
    assert "do not add up: 10 read, but 8 loaded + 1 rejected = 9" in page
    assert "Nothing is lost" not in page


def test_a_candidate_is_shown_whole() -> None:
    candidate = a_couple()
    page = Page(render_page(a_report(candidate), most=10)).text
    assert candidate.candidate_id in page
    assert candidate.relation in page
    for line in candidate.comparisons:
        assert f"{MARKS[line.agreement]}{line.agreement}{line.words}" in page
        assert say_bits(line.weight) in page
    for side in (candidate.left, candidate.right):
        assert f"2 March 2026: {MADE_HOW[side.made_how]}" in page
        for reference in (side.client_ref, *(reference.label for reference in side.references)):
            assert reference in page


@pytest.mark.parametrize(
    ("most", "said"),
    [(3, "The first 3 of 5, most harmful first; all are in the workbook."), (5, "All 5, most harmful first.")],
)
def test_no_more_than_the_most_are_on_the_page(most: int, said: str) -> None:
    page = Page(render_page(a_report(*map(a_candidate, range(5))), most=most))
    assert len(page.all("article")) == most
    assert said in page.text


def test_what_is_decided_is_listed_and_no_longer_proposed() -> None:
    by_jo = Decided(7, "Jo Bloggs", NIGHT, "different", "rang <them>", lapsed=False)
    decided = replace(a_couple(), standing="different", decided=(by_jo,))
    page = Page(render_page(a_report(a_candidate(), decided), most=10))
    assert len(page.all("article")) == 1
    assert "One candidate." in page.text
    assert "Jo Bloggs, 20 November 2026: different. rang <them>" in page.text
    nothing_waits = Page(render_page(a_report(decided), most=10))
    assert "All candidates are decided." in nothing_waits.text
    assert not nothing_waits.all("article")


def test_a_quiet_night_says_so() -> None:
    page = Page(render_page(a_report(), most=10))
    assert "No candidates tonight." in page.text
    assert not page.all("article", "script")


def test_the_waterfall_ends_at_the_weight_of_the_candidate() -> None:
    drawn = waterfall(a_couple())
    assert drawn.start is not None
    assert drawn.start.total == pytest.approx(-11.6)
    assert drawn.steps[-1].total == pytest.approx(a_couple().weight)
    for step in (drawn.start, *drawn.steps):
        assert 0 <= step.left <= step.left + step.width <= 100.01


@pytest.mark.parametrize("weight", [float("inf"), float("-inf"), float("nan")])
def test_a_weight_without_bounds_is_still_drawn(weight: float) -> None:
    without_bounds = Comparison("Surname", "Smith", "Smith", "same", "same surname", weight)
    assert render_page(a_report(replace(a_candidate(comparisons=(without_bounds,)), weight=weight)), most=1)


@pytest.mark.parametrize(
    ("probability", "said"), [(1.0, "over 99.9%"), (0.99999, "over 99.9%"), (0.5, "50.0%"), (0.0, "under 0.1%")]
)
def test_no_probability_is_said_to_be_certain(probability: float, said: str) -> None:
    assert say_probability(probability) == said


def _assert_stays_text(text: str) -> None:
    """A page of a client so called is built like a page of any other."""
    page = Page(render_page(a_report(a_stranger(text)), most=1))
    assert page.shape() == Page(render_page(a_report(a_stranger("Ann")), most=1)).shape()
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not page.unclosed


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    _assert_stays_text(text)


@given(st.text(min_size=1, max_size=60))
@example(" ")
@settings(max_examples=30, deadline=None)
def test_any_text_stays_text(text: str) -> None:
    _assert_stays_text(text)


def test_nothing_comes_from_elsewhere() -> None:
    html = render_page(a_report(a_candidate(), *map(a_stranger, HOSTILE)), most=50)
    page = Page(html)
    for _, attributes in page.elements:
        assert not {"src", "srcset", "action", "data", "style"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in "".join(page.inline["style"])
    assert "@import" not in "".join(page.inline["style"])


def test_the_policy_lets_in_this_script_and_this_style_only() -> None:
    page = Page(render_page(a_report(a_candidate()), most=1))
    policy = next(meta["content"] or "" for meta in page.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind in ("script", "style"):
        (content,) = page.inline[kind]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_everyone_can_read_it() -> None:
    page = Page(render_page(a_report(a_candidate(), a_couple()), most=10))
    tags = [tag for tag, _ in page.elements]
    assert page.all("html") == [{"lang": "en-GB"}]
    assert [tags.count(landmark) for landmark in ("header", "main", "nav", "footer", "h1")] == [1] * 5
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(lower - upper <= 1 for upper, lower in pairwise(levels))
    assert all("scope" in header for header in page.all("th"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {a[name] for _, a in page.elements for name in ("aria-labelledby", "for") if name in a}
    assert wanted <= set(ids)
    assert {(link["href"] or "")[1:] for link in page.all("a")} <= set(ids)


def test_the_same_report_is_the_same_page() -> None:
    run = a_run({"likely": 1, "possible": 0})
    shuffled = replace(run, new_clients=dict(reversed(run.new_clients.items())), tiers={"possible": 0, "likely": 1})
    assert render_page(a_report(a_couple(), run=run), most=9) == render_page(a_report(a_couple(), run=shuffled), most=9)


@pytest.mark.parametrize(
    ("field", "value", "seen"),
    [
        ("Forename", "Margaret (known as Peggy)", "M••• k••• a••• P•••"),
        ("Surname", "O'Sullivan-Byrne", "O•••"),
        ("Born", "03/04/1938", "••• 1938"),
        ("Date of birth", "3 April 1938", "••• 1938"),
        ("Born", "14032", "•••"),
        ("Home", "Flat 2, 14 Brewery Lane, Maidstone, ME14 1AB, 01622 555123", "••• ME14 •••"),
        ("Address", "14 Brewery Lane", "•••"),
        ("Phone", "+44 1622 555123", "•••123"),
        ("NHS number", "943 476 5919", "•••919"),
        ("Social Services Reference", "KENT, SS-0012345/1", "•••451"),
        ("Social Services Reference", "KENT, 1234", "•••"),
        ("Email", "peggy@example.org", "p•••"),
        ("Phone", "", ""),
    ],
)
def test_a_masked_value_can_be_recognised_but_not_known(field: str, value: str, seen: str) -> None:
    assert mask_value(field, value) == seen


@pytest.mark.parametrize(
    ("reference", "seen"),
    [
        ("careplan/100234", "careplan/•••34"),
        ("careplan2/100234", "careplan2/•••34"),
        ("KENT/reference/00345678/1", "KENT/reference/•••781"),
        ("KENT/order/PO-88231-0012", "KENT/order/•••012"),
        ("KENT 00345678", "KENT •••678"),
        ("NHS 943 476 5919", "NHS •••919"),
        ("00345678/1", "•••781"),
        ("SS345678/1", "•••81"),
        ("careplan/ABC", "careplan/•••"),
    ],
)
def test_a_masked_reference_keeps_who_issued_it(reference: str, seen: str) -> None:
    assert mask_reference(reference) == seen


@given(st.sampled_from(("Surname", "Address", "Phone", "Reference", "Born")), st.text(min_size=4))
@settings(deadline=None)
def test_a_mask_never_lets_the_value_through(field: str, value: str) -> None:
    plain = value.strip()
    if len(plain) >= 4 and not re.fullmatch(r"\d{4}", plain):
        assert plain not in mask_value(field, value)
        assert plain not in mask_reference(value)


def test_a_masked_page_holds_no_full_value_and_the_same_findings() -> None:
    side = a_side("KENT/reference/00345678", references=("KENT 00345678", "NHS 9434765919"))
    report = a_report(a_candidate(right=side), a_couple())
    html = render_page(report, most=10, mask=True)
    full = {"Peggy", "Margaret", "Dennis", "O&#39;Sullivan", "Brewery", "ME14 1AB", "1938-04-03", "555123", "00345678"}
    full |= {"9434765919", "9434765870", "100234"}
    assert all(value in render_page(report, most=10) for value in full)
    assert not [value for value in full if value in html]
    assert "P••• is short for M•••" in html
    for before, after in zip(report.candidates, mask_report(report).candidates, strict=True):
        assert before.candidate_id == after.candidate_id
        for plain, masked in zip(before.comparisons, after.comparisons, strict=True):
            assert (plain.weight, plain.agreement) == (masked.weight, masked.agreement)
            assert plain.left != plain.right or masked.left == masked.right
