"""What the matching benchmark counts is right, and it runs on a tiny sample."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.matching.data import LabelledFile, labelled, tidied
from benchmarks.matching.scoring import hard_negatives, score
from benchmarks.reporting import plots

ROOT = Path(__file__).parents[1]
PEOPLE = """
    person_id household_id kind       Forename Surname SocialServicesRef AuthorityCode NHSNumber
    ann       H1           couple     Ann      Oak     1                 KENT          11
    ann       H1           couple     Annie    Oak     1                 KENT          -
    bob       H1           couple     Bob      Oak     2                 KENT          -
    cy        H2           twin       Cy       Elm     3                 KENT          -
    di        H2           confusion  Di       Elm     4                 KENT          -
    ed        -            confusion  Ed       Ash     4                 KENT          -
    fay       -            namesake   Fay      Yew     4                 ESSEX         -
    gus       -            namesake   FAY      Yew     -                 ESSEX         11
    flo       -            namesake   Fay      Yew     -                 ESSEX         -
"""
NO_PAIRS = pd.DataFrame({"left_row": [], "right_row": []}, dtype=np.int64)


@pytest.fixture
def people() -> LabelledFile:
    headings, *rows = (line.split() for line in PEOPLE.strip().splitlines())
    return labelled("people", pd.DataFrame(rows, columns=headings).replace("-", ""), "person_id")


def test_the_truth_is_not_among_what_a_contender_sees(people: LabelledFile) -> None:
    assert list(people.records) == ["Forename", "Surname", "SocialServicesRef", "AuthorityCode", "NHSNumber"]


def test_hard_negatives_are_named_by_the_hardest_thing_about_them(people: LabelledFile) -> None:
    found = {(pair.left_row, pair.right_row): pair.kind for pair in hard_negatives(people).itertuples()}
    assert found == {
        (0, 2): "couple",
        (1, 2): "couple",
        (3, 4): "twin",
        (4, 5): "confusion",
        (0, 7): "confusion",
        (6, 7): "namesake",
        (6, 8): "namesake",
        (7, 8): "namesake",
    }


def test_a_household_merged_into_one_is_counted_and_costs_precision(people: LabelledFile) -> None:
    cluster = np.array([0, 0, 0, 3, 4, 5, 6, 7, 8])
    top = pd.DataFrame({"left_row": [0, 0], "right_row": [1, 2]})
    found = score(people, cluster, top)
    assert found.precision == pytest.approx(1 / 3)
    assert found.recall == 1
    assert found.f1 == pytest.approx(1 / 2)
    assert (found.top_precision, found.top_recall) == (0.5, 1)
    assert found.hard == {"confusion": (0, 2), "couple": (2, 2), "twin": (0, 1), "namesake": (0, 3)}


def test_who_joins_nothing_has_no_precision_and_finds_nothing(people: LabelledFile) -> None:
    found = score(people, np.arange(9), NO_PAIRS)
    assert (found.precision, found.recall, found.f1, found.top_precision) == (None, 0, 0, None)


def test_other_contenders_get_dates_genders_and_numbers_of_one_form() -> None:
    roles = {"birth": "DOB", "gender": "Sex", "phone": "Tel", "postcode": "PC"}
    sent = [
        ["1938-04-03", "Female", "01622 555123", "me14 1AB"],
        ["03/04/1938", "F", "+44 1622 555123", "ME14 1AB "],
        ["13973", "female", "(01622) 555-123", "ME14 1AB"],
        ["", "", "", ""],
    ]
    tidy = tidied(pd.DataFrame(sent, columns=["DOB", "Sex", "Tel", "PC"]), roles).to_numpy().tolist()
    assert tidy == [["1938-04-03", "f", "01622555123", "ME14 1AB"]] * 3 + [[None] * 4]


def test_it_runs_on_a_tiny_sample() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run.py", "matching", "--quick", "--only", "ours"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "sample of 500 clients" in done.stdout
    assert "oneclient" in done.stdout
    assert "failed" not in done.stdout


@pytest.mark.parametrize(
    ("name", "says"),
    [("stages", ["ingest", "exact reference", "score", "report"]), ("reports", ["candidates", "bare COPY"])],
)
def test_what_measures_a_night_runs_small(name: str, says: list[str]) -> None:
    command = [sys.executable, ROOT / "benchmarks" / "run.py", name, "--quick"]
    told = " ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert [one for one in says if one not in told] == []


def test_the_kept_figures_can_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "PLOTS", tmp_path)
    plots.main()
    drawn = {path.name for path in tmp_path.iterdir()}
    assert (
        drawn
        == {path.name for path in (ROOT / "benchmarks" / "plots").iterdir()}
        == {
            "dedupe.svg",
            "merging.svg",
            "nights.svg",
            "stages.svg",
        }
    )


@pytest.mark.prove
@pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="six processes: make prove")
def test_merging_runs_over_few_visits() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run.py", "merging", "--quick"],
        capture_output=True,
        text=True,
        check=True,
    )
    for part in ("bare UPDATE", "all partitions", "one month", "undo"):
        assert part in done.stdout


@pytest.mark.prove
@pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="eleven processes: make prove")
def test_a_country_runs_small() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run.py", "country", "--quick"],
        capture_output=True,
        text=True,
        check=True,
    )
    for part in ("rows landed", "first match", "the next night", "visits moved", "undone"):
        assert part in done.stdout


@pytest.mark.prove
@pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="starts an Airflow: make prove")
def test_overhead_tells_of_each_task() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run.py", "overhead", "--quick"],
        capture_output=True,
        text=True,
        check=True,
    )
    for task in ("begin", "move", "publish", "find_deliveries", "match", "report"):
        assert task in done.stdout
