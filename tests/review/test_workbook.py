"""The workbook holds every candidate, and nothing in it is a formula."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from pipelines.decisions.evidence import Change
from pipelines.decisions.statement import VERDICTS
from pipelines.review import workbook
from pipelines.review.answers import ANSWERS
from pipelines.review.contents import Decided, Report
from pipelines.review.workbook import LONGEST_CELL, write_workbook
from tests.review.examples import HOSTILE, NIGHT, a_candidate, a_couple, a_report, a_run, a_stranger

SHEETS = [
    "Read me", "Summary", "Files", "Rejects", "Candidates", "Evidence", "Missed references", "Confusions",
    "How to decide", "oneclient",
]  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "candidates.xlsx"


def _rows(path: Path, sheet: str) -> list[dict[str, Any]]:
    """The rows of a sheet under its headings; of two with one heading the last counts."""
    headings, *rows = load_workbook(path)[sheet].iter_rows(values_only=True)
    return [dict(zip(map(str, headings), row, strict=True)) for row in rows]


def _written(report: Report, path: Path, **options: bool) -> str:
    """The XML of all sheets."""
    write_workbook(report, path, **options)
    with zipfile.ZipFile(path) as parts:
        return "".join(parts.read(name).decode() for name in parts.namelist() if "sheet" in name.lower())


def test_every_candidate_and_every_comparison_has_a_row(path: Path) -> None:
    report = a_report(a_candidate(1), a_couple(2), a_candidate(3))
    write_workbook(report, path)
    assert load_workbook(path).sheetnames == SHEETS
    candidates, evidence = _rows(path, "Candidates"), _rows(path, "Evidence")
    assert [row["Candidate"] for row in candidates] == [c.candidate_id for c in report.candidates]
    assert len(evidence) == sum(len(c.comparisons) for c in report.candidates)
    couple = candidates[1]
    assert couple["Relation"].startswith("probably a couple")
    assert couple["Strongest evidence for"].startswith("Surname: same surname, held by few (+9.7)\nAddress: ")
    assert couple["Strongest evidence against"].startswith("NHS number: two valid NHS numbers that differ (−6.8)")
    assert (couple["Right: active orders"], couple["Left: upcoming visits"]) == (2, 28)
    assert couple["Right: came to be"] == "a council reference that nobody had"


def test_the_counts_add_up(path: Path) -> None:
    write_workbook(a_report(a_candidate(), a_couple()), path)
    said = {row[0]: row[1] for row in load_workbook(path)["Summary"].iter_rows(values_only=True) if row[1] is not None}
    files = _rows(path, "Files")
    for rows in ("Rows read", "Rows loaded", "Rows rejected"):
        assert said[rows] == sum(file[rows] for file in files)
    assert said["Rows read"] == said["Rows loaded"] + said["Rows rejected"]
    assert said["Read = loaded + rejected"] == "yes"
    assert (said["near-certain"], said["likely"], said["possible"]) == (1, 0, 1)
    assert (said["Candidates"], said["Evidence"]) == (2, 9)
    assert sum(reject["How many"] for reject in _rows(path, "Rejects")) == 50


def test_the_door_for_verdicts_is_there_and_empty(path: Path) -> None:
    write_workbook(a_report(a_candidate(), a_couple()), path)
    sheet = load_workbook(path)["Candidates"]
    headings = [cell.value for cell in sheet[1]]
    column = headings.index("Verdict") + 1
    (choice,) = (c for c in sheet.data_validations.dataValidation if c.formula1 == f'"{",".join(VERDICTS)}"')
    assert str(choice.sqref) == f"{sheet.cell(2, column).coordinate}:{sheet.cell(3, column).coordinate}"
    assert headings[column - 1 :] == [answer.heading for answer in ANSWERS]
    assert not any(cell.value for row in sheet.iter_rows(min_row=2, min_col=column) for cell in row)
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(3, len(headings)).coordinate}"


def test_what_was_decided_and_what_has_changed_since_is_said(path: Path) -> None:
    decided = replace(
        a_candidate(),
        standing="lapsed",
        decided=(Decided(7, "Jo Bloggs", NIGHT, "different", "rang her", lapsed=True),),
        changed=(Change("careplan/1", "surname", "ARCHER", ""),),
    )
    write_workbook(a_report(decided), path)
    (row,) = _rows(path, "Candidates")
    assert row["Standing"] == "lapsed"
    assert row["Decided so far"] == (
        "Jo Bloggs, 2026-11-20: different (lapsed). rang her\ncareplan/1: surname was ARCHER, is empty"
    )


def test_a_quiet_night_says_so(path: Path) -> None:
    write_workbook(a_report(), path)
    assert [row["Candidate"] for row in _rows(path, "Candidates")] == ["No candidates tonight."]


def test_no_cell_is_a_formula_or_a_link(path: Path) -> None:
    sheets = _written(a_report(*map(a_stranger, HOSTILE)), path)
    assert "<f>" not in sheets
    assert "<hyperlink" not in sheets
    cells = [cell for sheet in load_workbook(path) for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    seen = [row["Candidate"] for row in _rows(path, "Candidates")]
    assert seen[:-2] == list(HOSTILE[:-2])
    assert seen[-2:] == [" <r><t>rich</t></r>", "nul � bell � �"]


def test_hostile_text_stays_text_when_a_reader_edits_the_cell(path: Path) -> None:
    write_workbook(a_report(a_stranger('=HYPERLINK("http://x","y")')), path)
    assert load_workbook(path)["Candidates"]["A2"].quotePrefix


@given(st.text(max_size=60))
@example("\ud800 \x00 \x1b \uffff")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_can_be_written_and_read_again(path: Path, text: str) -> None:
    write_workbook(a_report(a_stranger(text)), path)
    cells = [cell for sheet in load_workbook(path) for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]


@pytest.mark.parametrize("letter", ["x", "😀"])
def test_text_longer_than_a_cell_is_cut(path: Path, letter: str) -> None:
    write_workbook(a_report(a_stranger(letter * 40_000)), path)
    cell = _rows(path, "Candidates")[0]["Candidate"]
    assert cell.endswith(f"{letter}…")
    assert LONGEST_CELL - 1 <= len(cell.encode("utf-16-le")) // 2 <= LONGEST_CELL


def test_rows_that_a_sheet_cannot_hold_are_cut_with_a_note(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 6)
    write_workbook(a_report(a_candidate(1), a_candidate(2)), path)
    evidence = [row["Candidate"] for row in _rows(path, "Evidence")]
    assert len(evidence) == 6
    assert evidence[-1] == "Cut here: a sheet holds no more. The first 5 of 10 rows, most harmful candidate first."
    assert len(_rows(path, "Candidates")) == 2


def test_of_too_many_candidates_the_most_harmful_are_in_it_and_the_summary_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_CANDIDATES", 2)
    write_workbook(a_report(a_candidate(1), a_couple(2), a_candidate(3)), path)
    assert len(_rows(path, "Candidates")) == len(_rows(path, "oneclient")) == 2
    said = {row[0]: row[1] for row in load_workbook(path)["Summary"].iter_rows(values_only=True) if row[1] is not None}
    assert said["Candidates"] == "The first 2 of 3 rows, most harmful candidate first."


def test_a_field_that_neither_record_fills_is_no_evidence(path: Path) -> None:
    empty = replace(a_candidate().comparisons[0], left="", right="", agreement="missing", weight=0.0)
    write_workbook(a_report(replace(a_candidate(), comparisons=(*a_candidate().comparisons, empty))), path)
    assert len(_rows(path, "Evidence")) == len(a_candidate().comparisons)


def test_the_same_report_is_the_same_file(tmp_path: Path) -> None:
    report = a_report(a_candidate(), a_couple(), run=a_run({"possible": 2}))
    for name in ("one.xlsx", "two.xlsx"):
        write_workbook(report, tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_a_masked_workbook_holds_no_full_value(path: Path) -> None:
    report = a_report(a_candidate(), a_couple())
    full = re.compile("Peggy|Margaret|Dennis|Sullivan|Brewery|1AB|1938-|555123|00345678|943476|100234")
    assert full.search(_written(report, path))
    assert not full.search(_written(report, path, mask=True))
