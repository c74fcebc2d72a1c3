"""`make demo` holds its figures against README.md, the one place where they stand."""

from __future__ import annotations

import re

import pytest

import demo
from pipelines.match.evaluate import Truth
from tests.docs.the_pages import Page

PRINTED = Page("README.md").fence("text demo").partition("What each night did")[2].partition("Merges: ")[0]
WITHOUT_DAYS = PRINTED.partition("\n")[2]


def test_what_readme_prints_is_like_readme() -> None:
    assert len(re.findall(r"^.*\d.*$", WITHOUT_DAYS, re.MULTILINE)) > 12
    assert demo.unlike_readme(WITHOUT_DAYS) == []


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("found   1,080 (98.9%)", "found   1,042 (95.4%)"),
        ("missed  12, nickname 5, plain 4", "missed  50, plain 29, nickname 9"),
        ("by tier near-certain 0,", "by tier near-certain 1,"),
        ("Of 1,092 pairs", "Of 1,091 pairs"),
        ("410 merges", "409 merges"),
        ("3,589 visits", "3,588 visits"),
        ("candidates, near-certain          960", "candidates, near-certain          959"),
    ],
)
def test_a_figure_that_differs_is_told_beside_the_one_of_readme(line: str, other: str) -> None:
    assert line in WITHOUT_DAYS
    ((here, there),) = demo.unlike_readme(WITHOUT_DAYS.replace(line, other))
    assert " ".join(other.split()) in here
    assert " ".join(line.split()) in there
    said = str(demo.OtherFiguresError([(here, there)]))
    assert f"here       {here}\n  README.md  {there}\n" in said and "make clean" in said


def test_what_the_truth_came_to_is_read_as_readme_has_it() -> None:
    tiers = {"near-certain": {"false": 0}, "likely": {"false": 3}, "possible": {"false": 0}}
    missed = {"nickname": 5, "plain": 4, "couple": 1, "swapped_names": 1}
    truth = Truth(1092, 1080, 12, 3, tiers, missed, {"parent_and_child": 3})
    assert demo.unlike_readme(demo._verdict(truth)) == []


def test_a_line_that_readme_does_not_have() -> None:
    assert demo.unlike_readme("lost in between  3") == [("lost in between 3", "")]
