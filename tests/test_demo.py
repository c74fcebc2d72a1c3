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
    "figure",
    [
        r"found\s+([\d,]+)",
        r"missed\s+(\d+)",
        r"by tier near-certain (\d+)",
        r"Of ([\d,]+) pairs",
        r"came (\d+) merges",
        r"moved ([\d,]+) visits",
        r"candidates, near-certain\s+\d+\s+(\d+)",
    ],
)
def test_a_figure_that_differs_is_shown_beside_the_one_of_readme(figure: str) -> None:
    found = re.search(figure, WITHOUT_DAYS)
    assert found
    line = WITHOUT_DAYS[WITHOUT_DAYS.rindex("\n", 0, found.start()) + 1 :].partition("\n")[0]
    other = line.replace(found.group(1), "7,777,777", 1)
    ((here, there),) = demo.unlike_readme(WITHOUT_DAYS.replace(line, other))
    assert (here, there) == (" ".join(other.split()), " ".join(line.split()))
    said = str(demo.OtherFiguresError([(here, there)]))
    assert f"here       {here}\n  README.md  {there}\n" in said and "make clean" in said


def test_what_the_truth_came_to_is_read_as_readme_has_it() -> None:
    def figures(pattern: str) -> list[int]:
        found = re.search(pattern, WITHOUT_DAYS)
        assert found
        return [int(figure.replace(",", "")) for figure in found.groups()]

    def kinds(of: str) -> dict[str, int]:
        listed = re.search(rf"{of}\s+[\d,]+((?:, [a-z ]+ \d+)*)\n", WITHOUT_DAYS)
        assert listed
        return {kind: int(count) for kind, count in re.findall(r", ([a-z ]+) (\d+)", listed.group(1))}

    tiers = dict(
        zip(
            ("near-certain", "likely", "possible"),
            ({"false": count} for count in figures(r"near-certain (\d+), likely (\d+), possible (\d+)")),
            strict=True,
        )
    )
    truth = Truth(
        *figures(r"Of ([\d,]+) pairs"), *figures(r"found\s+([\d,]+)"), *figures(r"missed\s+(\d+)"),
        *figures(r"false\s+(\d+)"), tiers, kinds("missed"), kinds("false"),
    )  # fmt: skip
    assert demo.unlike_readme(demo._verdict(truth)) == []


def test_a_line_that_readme_does_not_have() -> None:
    assert demo.unlike_readme("lost in between  3") == [("lost in between 3", "")]
