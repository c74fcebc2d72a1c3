"""The report's workbook, filled in and handed back: good rows are recorded, bad ones come back with the reason."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipelines.decisions.entry import Entry
from pipelines.decisions.store import open_decisions
from pipelines.ingest.refusal import FileRefusedError
from pipelines.nightly import run_night
from pipelines.review.contents import Candidate
from pipelines.review.handback import REFUSED_BECAUSE, HandBack, hand_back
from pipelines.review.publish import read_report
from pipelines.settings import Settings, load_settings
from tests.decisions.conftest import DAY

GOOD = {"Verdict": "same", "Decided by": "Jo Bloggs", "Reason": "one NHS number"}


class Sheet:
    """The report's workbook on an analyst's desk."""

    def __init__(self, home: Settings, path: Path) -> None:
        self.path = Path(shutil.copyfile(home.reports / DAY.isoformat() / "candidates.xlsx", path))
        self.file = load_workbook(self.path)
        self.rows: Worksheet = self.file["Candidates"]
        self.headings = [cell.value for cell in self.rows[1]]

    def fill(self, row: int, **cells: Any) -> None:
        """Write cells by heading (with _ for a space); ``Row 2`` is the first candidate."""
        for heading, value in cells.items():
            self.write(row, heading.replace("_", " "), value)

    def write(self, row: int, heading: str, value: Any) -> None:
        self.rows.cell(row, self.headings.index(heading) + 1).value = value

    def decide(self, row: int, **cells: Any) -> None:
        """A good row, but for what is said otherwise."""
        self.fill(row, **{k.replace(" ", "_"): v for k, v in GOOD.items()} | cells)

    def save(self) -> Path:
        self.file.save(self.path)
        return self.path


@pytest.fixture
def sheet(home: Settings, tmp_path: Path) -> Sheet:
    return Sheet(home, tmp_path / "candidates.xlsx")


def entries(home: Settings) -> list[Entry]:
    with open_decisions(home) as store:
        return store.entries()


def reasons(found: HandBack) -> dict[int, str]:
    return {one.row: one.reason for one in found.refused}


class TestTheWorkbook:
    def test_evidence_is_locked_answers_are_open_and_choices_drop_down(self, sheet: Sheet) -> None:
        assert sheet.rows.protection.sheet
        answers = sheet.headings.index("Verdict")
        assert all(cell.protection.locked for cell in sheet.rows[2][:answers])
        assert not any(cell.protection.locked for cell in sheet.rows[2][answers:])
        lists = {str(choice.formula1) for choice in sheet.rows.data_validations.dataValidation if choice.type == "list"}
        assert lists == {'"same,different,unsure"', '"left,right"', '"yes,no"', '"keep,drop"'}
        assert sheet.file["oneclient"].sheet_state == "veryHidden"
        assert "How to decide" in sheet.file.sheetnames

    def test_nothing_filled_in_is_nothing_decided(self, home: Settings, sheet: Sheet) -> None:
        assert hand_back(home, sheet.save()) == HandBack()

    def test_a_name_filled_down_the_column_decides_nothing(self, home: Settings, sheet: Sheet) -> None:
        for row in range(2, 6):
            sheet.fill(row, Decided_by="Jo Bloggs")
        assert hand_back(home, sheet.save()) == HandBack()


class TestGoodRows:
    def test_are_recorded_with_all_that_was_chosen(
        self, home: Settings, sheet: Sheet, candidates: list[Candidate]
    ) -> None:
        sheet.decide(2, Survivor="right", Aliases="keep", Move_active_orders="yes")
        sheet.decide(3, Verdict="different")
        sheet.decide(4, Verdict="unsure", Reason=None)
        assert hand_back(home, sheet.save()) == HandBack(3, 0, (), (1, 2, 3))
        same, different, unsure = entries(home)
        assert (same.who, same.door, same.reason) == ("Jo Bloggs", "workbook", "one NHS number")
        assert same.candidate_id == candidates[0].candidate_id
        assert same.evidence_hash == candidates[0].evidence_hash
        assert same.chosen.survivor == candidates[0].right.client_ref
        assert (same.chosen.aliases, same.chosen.move_active_orders) == ("keep", True)
        assert (different.verdict, unsure.verdict) == ("different", "unsure")

    def test_capitals_and_spaces_do_not_matter(self, home: Settings, sheet: Sheet) -> None:
        sheet.decide(2, Verdict=" Same ", Aliases="KEEP", Survivor=" LEFT")
        assert hand_back(home, sheet.save()).recorded == 1

    def test_a_survivor_may_be_named_by_its_record(
        self, home: Settings, sheet: Sheet, candidates: list[Candidate]
    ) -> None:
        sheet.decide(2, Survivor=candidates[0].left.client_ref)
        hand_back(home, sheet.save())
        assert entries(home)[0].chosen.survivor == candidates[0].left.client_ref

    def test_twice_is_once(self, home: Settings, sheet: Sheet) -> None:
        sheet.decide(2)
        sheet.decide(3, Verdict="different")
        assert hand_back(home, sheet.save()).recorded == 2
        assert hand_back(home, sheet.path) == HandBack(0, 2)
        assert len(entries(home)) == 2


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a verdict that is none": ({"Verdict": "maybe"}, "not one of same, different and unsure"),
    "no verdict": ({"Verdict": None}, "No verdict is chosen"),
    "no reason": ({"Reason": None}, "reason is missing"),
    "nobody": ({"Decided by": None}, "not said who decides"),
    "a machine": ({"Decided by": "oneclient"}, "a person has to decide"),
    "another survivor": ({"Survivor": "KENT/reference/1"}, "one of the two records"),
    "choices without same": ({"Verdict": "different", "Survivor": "left"}, "go with the verdict same"),
    "neither yes nor no": ({"Move active orders": "perhaps"}, "has to be yes or no"),
    "aliases": ({"Aliases": "burn"}, "aliases"),
    "an enrolment that is no equation": ({"Enrolments to keep": "left"}, "NAME=VALUE"),
    "a contract of neither": ({"Enrolments to keep": "NO-SUCH=left"}, "Neither record is enrolled"),
    "a reference of neither": ({"References to keep": "KENT=NO-SUCH"}, "stands on neither record"),
    "a formula": ({"Reason": '=CONCAT("one"," number")'}, "formula or an error stands in the column Reason"),
    "an error": ({"Decided by": "#N/A"}, "formula or an error stands in the column Decided by"),
    "a control character": ({"Reason": "turned \u202eround"}, "control characters"),
    "edited evidence": ({"Probability": 0.1}, "A cell of the evidence was changed"),
    "an edited record": ({"Left record": "careplan/999999"}, "A cell of the evidence was changed"),
    "an unknown candidate": ({"Candidate": "C0123456789"}, "not one of this workbook"),
}


@pytest.mark.parametrize(("cells", "why"), WRONG.values(), ids=WRONG)
def test_a_wrong_row_is_refused_with_the_reason_and_the_good_one_beside_it_is_taken(
    home: Settings, sheet: Sheet, tmp_path: Path, cells: dict[str, Any], why: str
) -> None:
    sheet.decide(2)
    sheet.decide(3)
    for heading, value in cells.items():
        sheet.write(3, heading, value)
    found = hand_back(home, sheet.save(), refused_copy=tmp_path / "copy.xlsx")
    assert found.recorded == 1
    assert list(reasons(found)) == [3]
    assert why in reasons(found)[3]
    said = [str(value) for value in cells.values() if value and value not in {"same", "different", "left"}]
    assert not [value for value in said if value in reasons(found)[3]]


class TestRefusedRows:
    def test_come_back_in_a_copy_that_can_be_corrected_and_handed_back(
        self, home: Settings, sheet: Sheet, tmp_path: Path
    ) -> None:
        sheet.decide(2)
        sheet.decide(3, Reason=None)
        copy = tmp_path / "candidates.refused.xlsx"
        hand_back(home, sheet.save(), refused_copy=copy)
        returned = load_workbook(copy)
        headings = [cell.value for cell in returned["Candidates"][1]]
        place = headings.index(REFUSED_BECAUSE) + 1
        assert [returned["Candidates"].cell(row, place).value for row in (2, 3, 4)] == [
            None, "[D3] A reason is missing. Say in a few words what you looked at. (docs/errors.md#d3)", None,
        ]  # fmt: skip
        assert returned["Candidates"].protection.sheet
        assert returned["oneclient"].sheet_state == "veryHidden"
        returned["Candidates"].cell(3, headings.index("Reason") + 1, "rang her daughter")
        returned.save(copy)
        assert hand_back(home, copy, refused_copy=copy) == HandBack(1, 1, (), (2,))

    def test_one_candidate_on_two_rows_is_refused_on_both(self, home: Settings, sheet: Sheet) -> None:
        sheet.decide(2)
        sheet.decide(3)
        for column in range(1, sheet.headings.index("Verdict") + 1):
            sheet.rows.cell(3, column).value = sheet.rows.cell(2, column).value
        assert set(reasons(hand_back(home, sheet.save())).values()) == {
            "The candidate stands more than once in the file. Keep one row of it."
        }

    def test_a_workbook_written_before_the_records_changed_is_stale(self, home: Settings, sheet: Sheet) -> None:
        sheet.decide(2)
        sheet.decide(3)
        ledger = sheet.file["oneclient"]
        ledger["B3"] = "0" * 64
        found = hand_back(home, sheet.save())
        assert found.recorded == 1
        assert "have changed since this workbook was written" in reasons(found)[3]

    def test_a_stale_row_that_was_taken_when_it_was_fresh_is_no_news(self, home: Settings, sheet: Sheet) -> None:
        sheet.decide(2)
        hand_back(home, sheet.save())
        for version in (home.reports / ".versions").iterdir():
            _with_other_facts(version)
        assert hand_back(home, sheet.path) == HandBack(0, 1)


class TestRefusedFiles:
    def test_a_workbook_of_somebody_elses(self, home: Settings, tmp_path: Path) -> None:
        Workbook().save(tmp_path / "holiday.xlsx")
        with pytest.raises(FileRefusedError, match="not one that oneclient wrote"):
            hand_back(home, tmp_path / "holiday.xlsx")

    @pytest.mark.parametrize("sheet_name", ["Candidates", "oneclient"])
    def test_a_workbook_that_lacks_a_sheet(self, home: Settings, sheet: Sheet, sheet_name: str) -> None:
        sheet.decide(2)
        del sheet.file[sheet_name]
        with pytest.raises(FileRefusedError, match="not one that oneclient wrote"):
            hand_back(home, sheet.save())

    def test_a_workbook_cut_off(self, home: Settings, sheet: Sheet) -> None:
        whole = sheet.save().read_bytes()
        sheet.path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(FileRefusedError, match="cut off"):
            hand_back(home, sheet.path)

    def test_a_workbook_that_would_fill_the_memory(self, home: Settings, sheet: Sheet) -> None:
        (home.home / "settings.toml").write_text("[ingest]\nmax_unpacked_megabytes = 1\n")
        sheet.rows.cell(2, sheet.headings.index("Reason") + 1, "x" * 32_000)
        for row in range(2, 400):
            sheet.file["Files"].cell(row, 1, f"{row}" + "y" * 32_000)
        with pytest.raises(FileRefusedError, match="far more than a real one"):
            hand_back(load_settings(home.home), sheet.save())


class TestCsv:
    def test_a_list_of_decisions(self, home: Settings, candidates: list[Candidate], tmp_path: Path) -> None:
        one, two = candidates[:2]
        path = _csv(
            tmp_path / "list.csv",
            ["Candidate ID", "Verdict", "By", "Reason", "Survivor"],
            [one.candidate_id.lower(), "same", "Jo", "rang her", "left"],
            [two.candidate_id, "sane", "Jo", "rang her", ""],
            ["C0123456789", "same", "Jo", "rang her", ""],
        )
        found = hand_back(home, path, refused_copy=tmp_path / "copy.csv")
        assert found.recorded == 1
        assert sorted(reasons(found)) == [3, 4]
        returned = list(csv.reader((tmp_path / "copy.csv").open(encoding="utf-8-sig", newline="")))
        assert [row[-1][:27] for row in returned] == [
            REFUSED_BECAUSE,
            "",
            "[D1] The verdict is not one",
            "[D5] The last report has no",
        ]

    def test_that_lacks_a_column(self, home: Settings, tmp_path: Path) -> None:
        with pytest.raises(FileRefusedError, match="no column by, reason"):
            hand_back(home, _csv(tmp_path / "list.csv", ["candidate_id", "verdict"], ["C0123456789", "same"]))


class TestInbox:
    """A file with *decisions* in its name is taken by the night, before it matches."""

    def test_is_recorded_and_shows_in_the_report_of_that_night(
        self, home: Settings, sheet: Sheet, candidates: list[Candidate]
    ) -> None:
        sheet.decide(2, Verdict="different")
        sheet.decide(3, Reason=None)
        shutil.copyfile(sheet.save(), home.inbox / "Decisions of Jo Bloggs.xlsx")
        night = run_night(home, home.inbox, DAY)
        assert night.decisions.as_dict() == {"files": 1, "recorded": 1, "repeated": 0, "refused": 1}
        assert night.landings == []
        assert [entry.door for entry in entries(home)] == ["inbox"]
        report = read_report(home, DAY)
        assert report.run.standings == {"different": 1}
        assert report.candidates[-1].candidate_id == candidates[0].candidate_id
        assert (report.candidates[-1].standing, report.candidates[-1].decided[0].who) == ("different", "Jo Bloggs")
        assert [path.name for path in home.inbox.iterdir()] == []
        (note,) = (json.loads(path.read_text()) for path in home.quarantine.glob("*.reason.json"))
        assert note["rows"][0]["row"] == 3
        assert (home.quarantine / note["copy"]).exists()
        kept = [p.name for p in home.home.rglob("*") if "Bloggs" in p.name]
        assert kept == []

    def test_the_same_file_again_changes_nothing(self, home: Settings, sheet: Sheet) -> None:
        sheet.decide(2)
        for _ in range(2):
            shutil.copyfile(sheet.save(), home.inbox / "decisions.xlsx")
            night = run_night(home, home.inbox, DAY)
        assert night.decisions.as_dict() == {"files": 1, "recorded": 0, "repeated": 1, "refused": 0}
        assert len(entries(home)) == 1

    def test_a_file_that_is_none_is_set_aside_and_the_night_goes_on(self, home: Settings) -> None:
        (home.inbox / "decisions.xlsx").write_bytes(b"not a workbook")
        night = run_night(home, home.inbox, DAY)
        assert night.decisions.refused == 1
        (note,) = (json.loads(path.read_text()) for path in home.quarantine.glob("*.reason.json"))
        assert "not a whole workbook" in note["reason"]


def _csv(path: Path, *rows: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def _with_other_facts(version: Path) -> None:
    """The published candidates as if one of their records had changed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(version / "candidates.parquet")
    place = table.schema.get_field_index("evidence_hash")
    other = pa.array(["f" * 64] * table.num_rows, pa.string())
    pq.write_table(table.set_column(place, "evidence_hash", other), version / "candidates.parquet")
