"""``oneclient decide`` as a contract: one candidate, a tier, a file, an undo; and what ``candidates`` lists then."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from pipelines.cli import FOUND_A_PROBLEM, WRONG_USE, main
from pipelines.decisions.evidence import evidence_hash
from pipelines.decisions.statement import Choices, DecisionRefusedError
from pipelines.decisions.store import open_decisions
from pipelines.nightly import run_night
from pipelines.review.contents import Candidate
from pipelines.review.decide import bulk, open_queue, state
from pipelines.review.publish import read_report
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse
from tests.decisions.conftest import DAY

BY_JO = ("--by", "Jo Bloggs", "--reason", "looked at both files")


class Desk:
    """The command line over one home."""

    def __init__(self, home: Settings) -> None:
        self.home = home

    def asks(self, *arguments: object, code: int = 0) -> Any:
        """The answer in JSON of a command that ends with ``code``."""
        result = self.run(*arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def refused(self, *arguments: object, code: int = WRONG_USE) -> str:
        """What a command says on the error stream that could not do its work."""
        result = self.run(*arguments)
        assert (result.exit_code, result.stdout) == (code, ""), result.output
        assert isinstance(result.exception, SystemExit)
        return result.stderr

    def run(self, *arguments: object) -> Any:
        return CliRunner().invoke(main, [*map(str, arguments), "--home", str(self.home.home)])

    def open_ids(self) -> list[str]:
        return [candidate["candidate_id"] for candidate in self.asks("candidates")]


@pytest.fixture
def desk(home: Settings) -> Desk:
    return Desk(home)


@pytest.fixture
def one(candidates: list[Candidate]) -> Candidate:
    return candidates[0]


class TestOneCandidate:
    def test_is_decided_and_leaves_the_open_list(self, desk: Desk, one: Candidate) -> None:
        done = desk.asks("decide", one.candidate_id, "--verdict", "different", *BY_JO)
        assert (done["recorded"], done["sequence_numbers"], done["standing"]) == (1, [1], "different")
        assert one.candidate_id not in desk.open_ids()
        assert desk.asks("candidates", "--all")[-1]["candidate_id"] == one.candidate_id
        assert desk.asks("candidates", "--all")[-1]["decided"][0]["who"] == "Jo Bloggs"

    def test_unsure_stays_on_the_open_list(self, desk: Desk, one: Candidate) -> None:
        desk.asks("decide", one.candidate_id, "--verdict", "unsure", "--by", "Jo Bloggs")
        assert one.candidate_id in desk.open_ids()

    def test_choices_go_with_same(self, desk: Desk, home: Settings, one: Candidate) -> None:
        reference = next(r for r in one.left.references if r.issuer)
        desk.asks(
            "decide", one.candidate_id.lower(), "--verdict", "same", *BY_JO, "--survivor", "right", "--aliases", "drop",
            "--move-active-orders", "--keep-reference", f"{reference.issuer.lower()}={reference.number}",
        )  # fmt: skip
        with open_decisions(home) as store:
            (entry,) = store.entries()
        assert entry.chosen == Choices(
            survivor=one.right.client_ref,
            aliases="drop",
            move_active_orders=True,
            references={reference.issuer: reference.number},
        )

    def test_twice_is_once(self, desk: Desk, one: Candidate) -> None:
        answers = [desk.asks("decide", one.candidate_id, "--verdict", "same", *BY_JO) for _ in range(2)]
        assert [(answer["recorded"], answer["repeated"]) for answer in answers] == [(1, 0), (0, 1)]

    def test_who_disagrees_makes_a_conflict_and_an_undo_ends_it(self, desk: Desk, one: Candidate) -> None:
        desk.asks("decide", one.candidate_id, "--verdict", "same", *BY_JO)
        said = desk.asks("decide", one.candidate_id, "--verdict", "different", "--by", "Sam", "--reason", "twins")
        assert (said["standing"], said["standing_reason"]) == ("conflict", "Jo Bloggs said same, Sam said different")
        assert one.candidate_id in desk.open_ids()
        assert desk.asks("decide", one.candidate_id, "--undo", "--by", "Sam")["standing"] == "same"
        assert "could be taken back" in desk.refused("decide", one.candidate_id, "--undo", "--by", "Sam")

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (("--verdict", "same", "--by", "Jo"), "reason is missing"),
            (("--verdict", "same", "--by", "oneclient", "--reason", "sure"), "a person has to decide"),
            (("--verdict", "same", *BY_JO, "--survivor", "nobody/1"), "one of the two records"),
            (("--verdict", "different", *BY_JO, "--survivor", "left"), "go with the verdict same"),
            (("--verdict", "same", *BY_JO, "--keep-reference", "KENT"), "NAME=VALUE"),
            (("--verdict", "same", "--reason", "sure"), "Say who decides"),
            (BY_JO, "Say what is decided"),
        ],
    )
    def test_what_cannot_be_recorded_is_wrong_use(
        self, desk: Desk, one: Candidate, arguments: tuple[str, ...], why: str
    ) -> None:
        assert why in desk.refused("decide", one.candidate_id, *arguments)

    def test_an_unknown_candidate(self, desk: Desk) -> None:
        assert "has no candidate of that id" in desk.refused("decide", "C0123456789", "--verdict", "same", *BY_JO)

    def test_nothing_or_two_things_to_decide(self, desk: Desk, one: Candidate) -> None:
        assert "Name one candidate" in desk.refused("decide", "--verdict", "same", *BY_JO)
        both = desk.refused("decide", one.candidate_id, "--all", "likely", "--verdict", "unsure", *BY_JO)
        assert "Name one candidate" in both


class TestWholeTier:
    def test_same_of_the_near_certain_but_for_those_that_need_a_look(
        self, desk: Desk, candidates: list[Candidate]
    ) -> None:
        near = [candidate for candidate in candidates if candidate.tier == "near-certain"]
        clear = {c.candidate_id for c in near if not c.outcomes[0].blockers and not c.relation}
        done = desk.asks("decide", "--all", "near-certain", "--verdict", "same", *BY_JO)
        assert done["recorded"] == len(clear) > 0
        assert sum(done["skipped"].values()) == len(near) - len(clear)
        assert all(why.startswith("blocked: ") for why in done["skipped"])
        assert not clear & set(desk.open_ids())

    def test_choices_lift_blockers(self, desk: Desk) -> None:
        plain = desk.asks("decide", "--all", "near-certain", "--verdict", "same", *BY_JO)
        more = desk.asks(
            "decide", "--all", "near-certain", "--verdict", "same", *BY_JO, "--move-active-orders", "--aliases", "keep"
        )
        assert more["recorded"] > 0
        assert more["skipped"]["already decided: same"] == plain["recorded"]
        assert not {why for why in more["skipped"] if "ALIASES" in why or "ACTIVE_ORDER" in why}

    def test_what_somebody_decided_or_doubted_is_left_alone(self, desk: Desk, home: Settings) -> None:
        with open_decisions(home) as store:
            first = [
                s.candidate_id
                for s in bulk(
                    open_queue(home, store), "near-certain", verdict="same", who="Jo", door="cli", reason="x"
                ).statements
            ][:3]
        for candidate, verdict in zip(first, ("different", "unsure", "same"), strict=True):
            desk.asks("decide", candidate, "--verdict", verdict, *BY_JO)
        done = desk.asks("decide", "--all", "near-certain", "--verdict", "same", "--by", "Sam", "--reason", "sample")
        assert done["skipped"]["already decided: different"] == done["skipped"]["already decided: same"] == 1
        assert done["skipped"]["somebody was unsure"] == 1

    @pytest.mark.parametrize("tier", ["likely", "possible"])
    def test_same_of_any_other_tier_is_refused(self, desk: Desk, tier: str) -> None:
        assert "Only near-certain" in desk.refused("decide", "--all", tier, "--verdict", "same", *BY_JO)

    def test_a_choice_that_names_a_record_is_not_for_all(self, desk: Desk) -> None:
        said = desk.refused("decide", "--all", "near-certain", "--verdict", "same", *BY_JO, "--survivor", "left")
        assert "not in bulk" in said

    def test_never_joins_two_who_are_held_to_be_different(self, desk: Desk, home: Settings) -> None:
        """Jo holds the two ends of a chain to be different; Sam cannot join them link by link."""
        with open_decisions(home) as store:
            queue = open_queue(home, store)
            link = bulk(queue, "near-certain", verdict="same", who="Sam", door="cli", reason="x").statements[0]
            other = next(c for c in queue.candidates if c.candidate_id == link.candidate_id)
            apart = state(other, verdict="different", who="Jo", door="cli", reason="x", model_version="")
            left, right = link.left_ref, "careplan/the-third"
            for ends, verdict in (((left, right), "different"), ((link.right_ref, right), "same")):
                text = json.dumps([{"client_ref": ref} for ref in ends])
                store.record([
                    replace(
                        apart, candidate_id=f"C{verdict}", left_ref=ends[0], right_ref=ends[1], verdict=verdict,
                        facts=text, evidence_hash=evidence_hash(text),
                    )
                ])  # fmt: skip
        done = desk.asks("decide", "--all", "near-certain", "--verdict", "same", "--by", "Sam", "--reason", "sample")
        assert done["skipped"]["would join two records that are held to be different"] >= 1
        assert link.candidate_id in desk.open_ids()


class TestFile:
    def test_the_workbook_of_the_report(self, desk: Desk, home: Settings, tmp_path: Path) -> None:
        path = tmp_path / "jo.xlsx"
        shutil.copyfile(home.reports / DAY.isoformat() / "candidates.xlsx", path)
        file = load_workbook(path)
        sheet = file["Candidates"]
        headings = [cell.value for cell in sheet[1]]
        for row, verdict in ((2, "different"), (3, "perhaps")):
            for heading, value in (("Verdict", verdict), ("Decided by", "Jo Bloggs"), ("Reason", "rang her")):
                sheet.cell(row, headings.index(heading) + 1).value = value
        file.save(path)
        done = desk.asks("decide", "--file", path, code=FOUND_A_PROBLEM)
        assert (done["recorded"], [one["row"] for one in done["refused"]]) == (1, [3])
        assert done["refused_copy"] == str(tmp_path / "jo.refused.xlsx")
        assert Path(done["refused_copy"]).exists()

    def test_that_is_none(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "jo.xlsx").write_text("my list")
        assert "not a whole workbook" in desk.refused("decide", "--file", tmp_path / "jo.xlsx", code=FOUND_A_PROBLEM)


class TestNextNight:
    def test_different_is_remembered_until_a_change_brings_the_two_nearer(
        self, desk: Desk, home: Settings, one: Candidate
    ) -> None:
        def write(column: str, value: str, *refs: str) -> None:
            with open_warehouse(home) as warehouse:
                changed = f"update staged.clients set {column} = $value where list_contains($refs, client_ref)"
                warehouse.execute(changed, {"value": value, "refs": list(refs)})

        desk.asks("decide", one.candidate_id, "--verdict", "different", *BY_JO)
        write("email_key", "new@example.org", one.left.client_ref)
        night = run_night(home, home.inbox, DAY + timedelta(days=1))
        assert one.candidate_id not in desk.open_ids()
        assert read_report(home, night.day).run.standings == {"different": 1}
        write("other_names_key", "PIMPERNEL", one.left.client_ref, one.right.client_ref)
        run_night(home, home.inbox, DAY + timedelta(days=2))
        (back,) = (c for c in desk.asks("candidates") if c["candidate_id"] == one.candidate_id)
        assert (back["standing"], back["standing_reason"]) == ("lapsed", "changed since it was decided")
        assert (one.left.client_ref, "other_names") in {(c["client_ref"], c["field"]) for c in back["changed"]}

    def test_the_report_says_how_well_people_review(self, desk: Desk, home: Settings, one: Candidate) -> None:
        desk.asks("decide", one.candidate_id, "--verdict", "same", *BY_JO)
        desk.asks("decide", one.candidate_id, "--verdict", "same", "--by", "Sam", "--reason", "so do I")
        night = run_night(home, home.inbox, DAY + timedelta(days=1))
        report = read_report(home, night.day)
        (agreement,) = report.run.review["agreements"]
        assert (agreement["one"], agreement["other"], agreement["pairs"], agreement["agreed"]) == (
            "Jo Bloggs",
            "Sam",
            1,
            1,
        )
        page = (home.reports / night.day.isoformat() / "index.html").read_text(encoding="utf-8")
        assert "Quality of review" in page

    def test_a_past_night_is_listed_as_it_was(self, desk: Desk, one: Candidate) -> None:
        before = desk.asks("candidates", "--as-of", DAY)
        desk.asks("decide", one.candidate_id, "--verdict", "different", *BY_JO)
        assert desk.asks("candidates", "--as-of", DAY) == before


def test_a_statement_is_bound_to_what_the_report_shows(one: Candidate) -> None:
    with pytest.raises(DecisionRefusedError, match="stands on neither record"):
        state(
            one, verdict="same", who="Jo", door="page", reason="x", model_version="m",
            choices=Choices(references={"KENT": "no such number"}),
        )  # fmt: skip
