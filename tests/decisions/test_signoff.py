"""A sign-off is an entry of the log like any other; an undone merge takes the verdicts with it that led to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from the_log import in_short, key, log, said, standing_of

from pipelines.decisions.entry import Entry, first_broken
from pipelines.decisions.signoff import Member, Merge, SignedPlan, Undone
from pipelines.decisions.standing import unmerged
from pipelines.decisions.statement import Choices, DecisionRefusedError
from pipelines.decisions.store import DecisionStore, open_decisions
from pipelines.settings import load_settings

ANN_AND_BEA = Merge(
    merge_id="M1", survivor="Ann", pairs=(("Ann", "Bea"),), verdicts=(1,), wave="money",
    members=(Member(client_ref="Ann", origins=("Ann",)), Member(client_ref="Bea", origins=("Bea", "Cat"))),
)  # fmt: skip
UNDONE = Undone(merge_id="M1", pairs=(("Ann", "Bea"),))
NIGHT = date(2026, 11, 20)


def merged(after: int = 0, **more: date) -> SignedPlan:
    return SignedPlan(after=after, as_of=NIGHT, merges=(ANN_AND_BEA,), **more)


def taken_back(after: int) -> SignedPlan:
    return SignedPlan(after=after, as_of=NIGHT, undoes=(UNDONE,))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DecisionStore]:
    with open_decisions(load_settings(tmp_path)) as store:
        yield store


class TestThePlan:
    def test_is_read_back_as_it_was_signed(self, store: DecisionStore) -> None:
        plan = merged(from_on=date(2026, 10, 1), to_on=date(2026, 11, 1))
        store.sign_off(plan, "Sam", "dag", " month  by month ")
        (entry,) = store.entries()
        assert (entry.kind, entry.who, entry.door, entry.reason) == ("signoff", "Sam", "dag", "month by month")
        assert entry.signed_plan == plan
        assert store.verify_chain() is None

    def test_has_another_hash_when_anything_in_it_differs(self) -> None:
        plans = [
            merged(), merged(after=1), merged(to_on=NIGHT), SignedPlan(after=0, as_of=NIGHT), taken_back(0),
            merged().model_copy(update={"merges": (ANN_AND_BEA.model_copy(update={"survivor": "Bea"}),)}),
            merged().model_copy(
                update={"merges": (ANN_AND_BEA.model_copy(update={"choices": Choices(aliases="drop")}),)}
            ),
        ]  # fmt: skip
        assert len({plan.plan_hash() for plan in plans}) == len(plans)
        assert merged().plan_hash() == merged().plan_hash()

    def test_names_whom_a_merge_reaches(self) -> None:
        assert ANN_AND_BEA.origins == {"Ann", "Bea", "Cat"}
        assert [member.client_ref for member in ANN_AND_BEA.sources] == ["Bea"]


class TestSigning:
    def test_refused_when_another_was_signed_since_it_was_drawn_up(self, store: DecisionStore) -> None:
        store.record([said("Jo", "Ann Bea", "same")])
        first = store.sign_off(merged(), "Sam", "dag", "")
        with pytest.raises(DecisionRefusedError, match="Plan again"):
            store.sign_off(merged(), "Kim", "cli", "")
        assert store.last() == first.sequence_number == 2
        store.record([said("Jo", "Bea Cat", "same")])
        assert store.sign_off(taken_back(after=2), "Kim", "cli", "").sequence_number == 4

    @pytest.mark.parametrize(("who", "door"), [("", "cli"), ("airflow", "dag"), ("Sam", "window"), ("a\x00b", "cli")])
    def test_only_by_a_person_and_by_a_known_door(self, store: DecisionStore, who: str, door: str) -> None:
        with pytest.raises(DecisionRefusedError):
            store.sign_off(merged(), who, door, "")
        assert store.last() == 0

    def test_a_plan_that_somebody_changed_breaks_the_chain(self, store: DecisionStore) -> None:
        store.sign_off(merged(), "Sam", "dag", "")
        (entry,) = store.entries()
        assert first_broken([replace(entry, plan=merged(to_on=NIGHT).as_json())]) == 1


class TestUnmerged:
    """What was taken apart is joined again only if somebody says so anew."""

    def entries(self, *more: Entry) -> list[Entry]:
        lines = log(("Jo", "Ann Bea", "same"), ("Sam", "Ann Bea", "same"), ("Jo", "Bea Cat", "same"))
        return [
            *lines,
            Entry(4, "Kim", "cli", "signoff", plan=merged().as_json()),
            Entry(5, "Kim", "cli", "signoff", plan=taken_back(4).as_json()),
            *more,
        ]

    def test_every_same_of_the_pair_lapses_and_says_why(self) -> None:
        found = standing_of(self.entries())
        assert in_short(found) == {"Ann Bea": "lapsed", "Bea Cat": "same"}
        assert found[key("Ann Bea")].reason == "the merge that followed from it was undone"
        assert unmerged(self.entries()) == {("Ann", "Bea"): 5}

    def test_a_merge_alone_lapses_nothing(self) -> None:
        assert in_short(standing_of(self.entries()[:4])) == {"Ann Bea": "same", "Bea Cat": "same"}

    def test_who_says_it_again_says_it_anew(self) -> None:
        (again,) = log(("Jo", "Ann Bea", "same"))
        found = standing_of(self.entries(replace(again, sequence_number=6)))
        assert in_short(found)["Ann Bea"] == "same"
        assert [entry.sequence_number for entry in found[key("Ann Bea")].current] == [6]

    def test_a_different_that_was_said_before_holds(self) -> None:
        lines = log(("Jo", "Ann Bea", "same"), ("Sam", "Ann Bea", "different"))
        undo = Entry(3, "Kim", "cli", "signoff", plan=taken_back(0).as_json())
        assert in_short(standing_of([*lines, undo])) == {"Ann Bea": "different"}


class TestSayingItAgain:
    def test_the_very_same_words_are_recorded_again_after_the_undo(self, store: DecisionStore) -> None:
        def says(door: str = "cli") -> bool:
            return store.record([said("Jo", "Ann Bea", "same", door=door)])[0].new

        assert [says(), says()] == [True, False]
        store.sign_off(merged(), "Sam", "cli", "")
        assert not says()
        store.sign_off(taken_back(after=2), "Kim", "cli", "")
        assert [says(), says()] == [True, False]

    def test_but_a_file_that_is_handed_back_again_says_nothing_anew(self, store: DecisionStore) -> None:
        store.record([said("Jo", "Ann Bea", "same", door="workbook")])
        store.sign_off(merged(), "Sam", "cli", "")
        store.sign_off(taken_back(after=2), "Kim", "cli", "")
        assert not store.record([said("Jo", "Ann Bea", "same", door="inbox")])[0].new
        assert store.last() == 3
