"""Practice pairs: made-up people, a known answer, and no way to a decision about a client."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest
from examples import a_candidate, a_report
from the_desk import Desk, home_with, proper

from pipelines.decisions.statement import DecisionRefusedError
from pipelines.review import practice
from pipelines.review.commands import decide_one
from pipelines.review.desk.access_log import read_accesses
from pipelines.review.desk.asking import CANDIDATE_ID
from pipelines.review.handback import hand_back
from pipelines.review.page import render_page
from pipelines.review.practice import PAIRS, PracticePair, pairs_of_round, read_practice, scores
from pipelines.review.published import NoReportError
from pipelines.review.quality import review_quality
from pipelines.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return home_with(tmp_path, a_report(proper(1, a_candidate())))


@pytest.fixture
def ann(home: Settings) -> Desk:
    return Desk(home, "ann")


def answer(desk: Desk, verdict: str) -> int:
    return desk.fill("/practice", "/practice", verdict=verdict).status_code


class TestThePairs:
    def test_a_round_is_ten_pairs_each_hard_in_another_way(self) -> None:
        pairs = pairs_of_round(1)
        assert len(pairs) == len({pair.kind for pair in pairs}) == PAIRS
        assert {pair.answer for pair in pairs} == {"same", "different"}

    def test_everybody_gets_the_same_and_the_next_round_is_another(self) -> None:
        assert pairs_of_round.__wrapped__(1) == pairs_of_round(1) != pairs_of_round(2)

    def test_no_number_tells_the_answer(self) -> None:
        for pair in pairs_of_round(1):
            said = {field: (left, right) for field, left, right in pair.lines}
            assert "" in said.get("NHS number", ("",))
            left, right = said.get("Reference", ("", ""))
            assert left != right or not left
            assert all(said["Born"])


class TestThePage:
    def test_says_that_nobody_here_exists_and_not_the_answer(self, ann: Desk) -> None:
        shown, first = ann.read("/practice"), pairs_of_round(1)[0]
        assert "Made-up people." in shown and "pair 1 of 10" in shown and first.pair_id in shown
        assert first.explained not in shown and first.kind not in shown

    def test_tells_whether_the_answer_was_right_and_goes_on(self, ann: Desk) -> None:
        first, second = pairs_of_round(1)[:2]
        assert answer(ann, first.answer) == 303
        shown = ann.read("/practice")
        assert "Right: you said" in shown and first.explained in shown and "pair 2 of 10" in shown
        answer(ann, "same" if second.answer == "different" else "different")
        assert "Not right: you said" in ann.read("/practice")

    def test_after_ten_begins_the_next_round(self, ann: Desk) -> None:
        for pair in pairs_of_round(1):
            answer(ann, pair.answer)
        shown = ann.read("/practice")
        assert "round 2, pair 1 of 10" in shown and "So far 10 of 10 right" in shown

    def test_at_the_end_of_a_round_stands_how_it_went_and_what_went_wrong(self, ann: Desk, home: Settings) -> None:
        pairs = pairs_of_round(1)
        wrong, rest = pairs[0], pairs[1:]
        assert ann.get(f"/practice/{wrong.pair_id}").status_code == 404, "nobody looks the answer up first"
        answer(ann, "same" if wrong.answer == "different" else "different")
        for pair in rest:
            assert "Round 1:" not in ann.read("/practice")
            answer(ann, pair.answer)
        shown = ann.read("/practice")
        of_its_kind = sum(pair.answer == wrong.answer for pair in pairs)
        assert "Round 1: 9 of 10 right" in shown and f": {of_its_kind - 1} of {of_its_kind}." in shown
        assert shown.count(f'href="/practice/{wrong.pair_id}"') == 1 and rest[0].pair_id not in shown
        again = ann.read(f"/practice/{wrong.pair_id}")
        assert wrong.explained in again and f"right was <strong>{wrong.answer}" in again
        assert all(right in unescape(again) for _, _, right in wrong.lines)
        assert Desk(home, "sam").get(f"/practice/{wrong.pair_id}").status_code == 404
        answer(ann, "unsure")
        assert "Round 1:" not in ann.read("/practice")

    @pytest.mark.parametrize("pair_id", ["P1-99", "P0-01", "P", "x", "P" + "9" * 400 + "-01"])
    def test_what_one_has_not_answered_is_not_found(self, ann: Desk, pair_id: str) -> None:
        answer(ann, "unsure")
        assert ann.get(f"/practice/{pair_id}").status_code == 404

    def test_of_two_answers_to_one_pair_the_first_counts(self, ann: Desk, home: Settings) -> None:
        tokens = ann.tokens("/practice")
        for verdict in ("same", "different"):
            assert ann.client.post("/practice", data={**tokens, "verdict": verdict}).status_code == 303
        assert [one.verdict for one in read_practice(home.home)] == ["same"]

    def test_what_is_no_verdict_is_not_counted(self, ann: Desk, home: Settings) -> None:
        assert answer(ann, "perhaps") == 400 and read_practice(home.home) == []

    @pytest.mark.parametrize(("name", "status"), [("", 401), ("vic", 403)])
    def test_only_who_may_review_practises(self, home: Settings, name: str, status: int) -> None:
        desk = Desk(home, name)
        assert desk.get("/practice").status_code == status
        assert desk.client.post("/practice", data={"verdict": "same"}).status_code == status

    def test_a_forged_form_counts_for_nobody(self, ann: Desk, home: Settings) -> None:
        assert ann.client.post("/practice", data={"verdict": "same"}).status_code == 403
        of_a_client = ann.tokens("/candidates/C0000000001")
        assert ann.client.post("/practice", data={**of_a_client, "verdict": "same"}).status_code == 403
        stolen = Desk(home, "sam").tokens("/practice")
        assert ann.client.post("/practice", data={**stolen, "verdict": "same"}).status_code == 403
        assert read_practice(home.home) == []


class TestNothingOfItIsADecision:
    def test_an_answer_is_in_no_log_but_its_own(self, ann: Desk, home: Settings) -> None:
        queue = ann.read("/")
        for pair in pairs_of_round(1)[:3]:
            answer(ann, pair.answer)
        assert ann.entries() == [] and read_accesses(home.home) == []
        assert "0 of 1" in queue and "0 of 1" in ann.read("/")
        assert len((home.home / practice.FILE).read_text().splitlines()) == 3
        assert (home.home / practice.FILE).stat().st_mode & 0o077 == 0

    def test_no_door_takes_a_practice_pair(self, ann: Desk, home: Settings, tmp_path: Path) -> None:
        pair_id = pairs_of_round(1)[0].pair_id
        assert not CANDIDATE_ID.fullmatch(pair_id)
        assert ann.get(f"/candidates/{pair_id}").status_code == 404
        of_practice = ann.tokens("/practice")
        forged = {**of_practice, "verdict": "same", "reason": "x"}
        assert ann.client.post("/candidates/C0000000001/decide", data=forged).status_code == 403
        with pytest.raises(NoReportError):
            decide_one(home, pair_id, verdict="same", who="Jo", reason="x", cells={})
        file = tmp_path / "decisions.csv"
        file.write_text(f"candidate_id,verdict,by,reason\n{pair_id},same,Jo,x\n")
        assert len(hand_back(home, file).refused) == 1
        assert ann.entries() == []


class TestTheScore:
    PAIR_OF_ONE = PracticePair("P1-01", "nickname", ())
    PAIR_OF_TWO = PracticePair("P1-02", "twin", ())

    def test_each_mistake_is_counted_apart_and_unsure_is_none(self, home: Settings) -> None:
        said = [("ann", self.PAIR_OF_ONE, "different"), ("ann", self.PAIR_OF_TWO, "same"),
                ("Sam", self.PAIR_OF_ONE, "same"), ("sam ", self.PAIR_OF_TWO, "unsure")]  # fmt: skip
        for who, pair, verdict in said:
            practice.record_practice(home.home, who, pair, verdict, 3.0)
        ann, sam = scores(read_practice(home.home))
        assert (ann.pairs, ann.right, ann.wrongly_same, ann.wrongly_different, ann.unsure) == (2, 0, 1, 1, 0)
        assert (sam.pairs, sam.right, sam.wrongly_same, sam.wrongly_different, sam.unsure) == (2, 1, 0, 0, 1)

    def test_it_stands_on_the_page_and_in_the_report(self, ann: Desk, home: Settings) -> None:
        answer(ann, pairs_of_round(1)[0].answer)
        assert "100.0%" in ann.read("/quality")
        report = a_report()
        quality = review_quality([], read_practice(home.home))
        report.run.review.update(agreements=(), paces=(), precisions=(), practised=quality.practised)
        assert "How often people are right" in render_page(report, most=1)

    def test_nobody_has_practised(self, ann: Desk) -> None:
        assert "Nobody has practised yet." in ann.read("/quality")

    def test_a_verdict_that_there_is_not_is_refused(self, home: Settings) -> None:
        with pytest.raises(DecisionRefusedError):
            practice.record_practice(home.home, "ann", self.PAIR_OF_ONE, "maybe", 1.0)
