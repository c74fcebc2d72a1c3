"""What the review page says of records that were merged, and of merges that were taken back."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from examples import a_candidate, a_cluster, a_report, a_side
from the_desk import Desk, home_with, path_of, proper, publish_a_plan

from pipelines.decisions.signoff import Member, Merge, SignedPlan, Undone
from pipelines.decisions.statement import DecisionRefusedError
from pipelines.decisions.store import open_decisions
from pipelines.review.commands import undo
from pipelines.review.desk.access_log import read_accesses
from pipelines.settings import Settings

NIGHT = date(2026, 11, 20)
ONE, TWO, THREE = "careplan/100234", "KENT/reference/00345678", "rosterly/77"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Candidate 1 is of ONE and TWO, candidate 2 of ONE and THREE; all three are a cluster."""
    first = proper(1, a_candidate())
    second = proper(2, a_candidate(right=a_side(THREE, references=("ROSTERLY 77",))))
    return home_with(tmp_path, a_report(first, second, clusters=(a_cluster(first, second),)))


@pytest.fixture
def ann(home: Settings) -> Desk:
    return Desk(home, "ann")


def a_merge(*refs: str, merge_id: str = "M0000000001") -> Merge:
    """Of records of which the first one stays."""
    return Merge(
        merge_id=merge_id, survivor=refs[0], verdicts=(1,), wave="money",
        members=tuple(Member(client_ref=ref, origins=(ref,)) for ref in refs),
        pairs=tuple((min(refs[0], ref), max(refs[0], ref)) for ref in refs[1:]),
    )  # fmt: skip


def sign_off(home: Settings, who: str, *merges: Merge) -> None:
    with open_decisions(home) as store:
        after = max((e.sequence_number for e in store.entries() if e.kind == "signoff"), default=0)
        store.sign_off(SignedPlan(after=after, as_of=NIGHT, merges=merges), who, "dag", "")


def take_back(home: Settings, who: str, merge: Merge) -> None:
    with open_decisions(home) as store:
        after = max(e.sequence_number for e in store.entries() if e.kind == "signoff")
        undone = (Undone(merge_id=merge.merge_id, pairs=merge.pairs),)
        store.sign_off(SignedPlan(after=after, as_of=NIGHT, undoes=undone), who, "dag", "")


def words(page: str) -> str:
    """What stands on a page, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


class TestMerged:
    @pytest.fixture(autouse=True)
    def merged(self, home: Settings, ann: Desk) -> None:
        ann.decide(1, "same")
        sign_off(home, "Sam Lee", a_merge(ONE, TWO))

    def test_the_case_says_when_by_whom_and_by_which_merge(self, ann: Desk) -> None:
        said = words(ann.read(path_of(1)))
        assert re.search(r"merged on \d+ \w+ 20\d\d \d\d:\d\d by Sam Lee, M0000000001", said)
        assert "at risk any more" in said and "a week at risk" not in said and "cannot be invoiced" not in said

    def test_its_other_cases_say_that_one_of_their_records_counts_for_another(self, ann: Desk) -> None:
        said = words(ann.read(path_of(2)))
        assert "is part of another merge" in said and "M0000000001" in said and "careplan/100234" not in said

    def test_it_waits_for_nobody_and_the_queue_says_why(self, ann: Desk) -> None:
        assert path_of(1) not in ann.read("/") and "1 of 2 decided" in words(ann.read("/"))
        said = words(ann.read("/?state=merged"))
        assert "by Sam Lee, M0000000001" in said and "a week at risk" not in said and "1 merged" in said

    def test_what_was_carried_out_cannot_be_unsaid_by_any_door(self, ann: Desk, home: Settings) -> None:
        assert "Undo what I said" not in ann.read(path_of(1)) + ann.read("/clusters/K0000012")
        assert "undo_merges" in ann.read(path_of(1))
        for refused in (ann.undo(1), ann.fill(path_of(1), "/clusters/K0000012/undo")):
            assert refused.status_code == 400 and "M0000000001" in refused.text
        with pytest.raises(DecisionRefusedError, match="merge undo M0000000001"):
            undo(home, "C0000000001", who="ann", reason="")
        assert [entry.kind for entry in ann.entries()] == ["verdict", "signoff"]

    def test_who_says_otherwise_now_is_heard_and_may_unsay_that(self, ann: Desk) -> None:
        ann.decide(1, "different")
        assert "different" in words(ann.read("/?state=different")) and ann.undo(1).status_code == 303

    def test_blind_mode_does_not_give_the_merge_away(self, home: Settings) -> None:
        bea = Desk(home, "bea")
        bea.fill("/", "/preferences", blind="on")
        assert "Sam Lee" not in bea.read(path_of(1)) + bea.read("/?state=all") + bea.read("/clusters/K0000012")


def test_after_an_undo_the_case_is_open_again_and_says_who_took_it_back(ann: Desk, home: Settings) -> None:
    ann.decide(1, "same")
    merge = a_merge(ONE, TWO)
    sign_off(home, "Sam Lee", merge)
    take_back(home, "Kim Roe", merge)
    said = words(ann.read(path_of(1)))
    assert re.search(r"M0000000001 \(merged on .+?\) was taken back on \d+ \w+ 20\d\d \d\d:\d\d by Kim Roe", said)
    assert "the merge that followed from it was undone" in said and "a week at risk" in said
    assert "taken back" in words(ann.read("/")) and path_of(1) in ann.read("/")
    sign_off(home, "Sam Lee", a_merge(ONE, TWO, merge_id="M0000000002"))
    assert "taken back" not in words(ann.read(path_of(1))), "another merge stands"


def test_a_chain_makes_one_record_of_a_pair_that_nobody_decided(ann: Desk, home: Settings) -> None:
    sign_off(home, "Sam Lee", a_merge(TWO, ONE), a_merge(TWO, THREE, merge_id="M0000000003"))
    assert "One record now" in ann.read(path_of(2)) and "All decided" in ann.read("/")
    assert "One record now" in ann.read("/clusters/K0000012")


class TestThePageOfMerges:
    def test_before_anything_is_merged(self, ann: Desk) -> None:
        assert "Nothing is merged" in ann.read("/merges")

    def test_it_lists_what_stands_and_what_was_taken_back_without_a_reference(self, ann: Desk, home: Settings) -> None:
        merge = a_merge(ONE, TWO, merge_id="M0000000009")
        sign_off(home, "Sam Lee", merge)
        take_back(home, "Kim Roe", merge)
        sign_off(home, "Sam Lee", a_merge(ONE, TWO))
        shown = ann.read("/merges")
        said = words(shown)
        assert '<code class="id">M0000000001</code>' in shown and "undo_merges" in said
        assert re.search(r"M0000000009, signed off on .+ by Sam Lee; taken back on .+ by Kim Roe", said)
        assert "100234" not in said and "careplan/•••34" in said and "being carried out" in said

    def test_how_far_each_has_come_is_as_it_was_published_last(self, ann: Desk, home: Settings) -> None:
        sign_off(home, "Sam Lee", a_merge(ONE, TWO), a_merge(ONE, THREE, merge_id="M0000000002"))
        current = home.published / "current"
        current.mkdir(parents=True)
        lines = "merge_id,state,visits_left\nM0000000001,complete,0\nM0000000002,partial,17\n"
        (current / "merges.csv").write_text(lines)
        assert "partial: 17 visits left" in ann.read("/merges") and "complete" in ann.read("/merges")

    def test_blind_mode_hides_whose_they_are_until_one_has_decided(self, home: Settings) -> None:
        sign_off(home, "Sam Lee", a_merge(ONE, TWO))
        bea = Desk(home, "bea")
        bea.fill("/", "/preferences", blind="on")
        assert "careplan" not in bea.read("/merges") and "hidden until you decide" in bea.read("/merges")


class TestPlans:
    @pytest.fixture
    def plan(self, home: Settings) -> str:
        return f"/plans/{publish_a_plan(home)}"

    def test_it_is_masked_until_it_is_revealed_and_the_look_is_written_down(
        self, ann: Desk, home: Settings, plan: str
    ) -> None:
        assert plan in ann.read("/merges")
        masked = ann.read(plan)
        assert "100234" not in masked and "00345678" not in masked and "M0000000001" in masked
        assert f'href="{path_of(1)}"' in masked and "3 visits" in masked and "1 October 2026" in masked
        assert ann.fill(plan, f"{plan}/reveal").status_code == 303
        assert "careplan/100234" in ann.read(plan) and "KENT 00345678" in ann.read(plan)
        looks = [(look["who"], look["act"], look["ids"]) for look in read_accesses(home.home)]
        assert looks[:2] == [("ann", "reveal", ["0123456789ab"]), ("ann", "look", ["0123456789ab"])]
        assert "100234" not in Desk(home, "sam").read(plan)

    @pytest.mark.parametrize(
        "path",
        ["000000000000", "0123456789AB", "0123456789a", "0123456789abc", "..%2f..%2fpage.key", ".versions",
         "0123456789ab%2fplan.json", "0123456789ab/plan.json"],
    )  # fmt: skip
    def test_what_is_no_plan_is_not_found(self, ann: Desk, plan: str, path: str) -> None:
        assert ann.get(f"/plans/{path}").status_code == 404
        assert ann.fill(plan, f"/plans/{path}/reveal").status_code in {404, 405}
        assert read_accesses(ann.settings.home) == []
