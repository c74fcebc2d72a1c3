"""What the review page says of records that were merged, and of merges that were taken back."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from examples import a_candidate, a_cluster, a_report, a_side
from the_desk import Desk, home_with, path_of, proper

from pipelines.decisions.signoff import Member, Merge, SignedPlan, Undone
from pipelines.decisions.statement import DecisionRefusedError
from pipelines.decisions.store import open_decisions
from pipelines.review.commands import undo
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
