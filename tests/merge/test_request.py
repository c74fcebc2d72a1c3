"""What a form asks for, and what the person reads who is to sign it off."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.decisions.signoff import Member, Merge, SignedPlan
from pipelines.decisions.statement import DecisionRefusedError
from pipelines.merge.measure import Measured
from pipelines.merge.plan import Plan, Planned
from pipelines.merge.request import LISTED, MergeRequest, UndoRequest, counted, headline, question
from pipelines.merge.selection import Selection, candidate_id

EMPTY_MERGE: dict[str, Any] = dict.fromkeys(
    ("from_on", "to_on", "authority", "wave", "candidate_ids", "signed_off_by", "reason")
)
CANDIDATE = candidate_id("one/1", "other/1")
EMPTY_UNDO: dict[str, Any] = {"merge_ids": None, "every_merge": False, "reason": None}


def planned(number: int, wave: Any = "money") -> Planned:
    merge = Merge(
        merge_id=f"M{number:010X}",
        survivor=f"one/{number}",
        members=(Member(client_ref=f"one/{number}", origins=()), Member(client_ref=f"other/{number}", origins=())),
        pairs=((f"one/{number}", f"other/{number}"),),
        verdicts=(),
        wave=wave,
    )
    return Planned(merge, ("ann",), "", measured=Measured(moves={"visits": 1_200, "aliases": 0}))


def plan_of(*ready: Planned, **more: Any) -> Plan:
    return Plan(SignedPlan(after=0, as_of=date(2026, 11, 20), from_on=date(2026, 10, 1)), ready, **more)


def test_a_form_left_empty_asks_for_everything() -> None:
    assert MergeRequest.of_form(EMPTY_MERGE) == MergeRequest(Selection())


def test_a_form_filled_in() -> None:
    form = {
        "from_on": "2026-01-01", "to_on": "2026-02-01", "authority": "KENT", "wave": "empty",
        "candidate_ids": [" c0000000001 ", "", "M0000000002"], "signed_off_by": "sam", "reason": "agreed",
    }  # fmt: skip
    assert MergeRequest.of_form(form) == MergeRequest(
        Selection(
            date(2026, 1, 1), date(2026, 2, 1), "KENT", "empty", frozenset({"C0000000001", "M0000000002"}), "sam"
        ),
        "agreed",
    )


@pytest.mark.parametrize("wrong", [{"from_on": "2026-02-01", "to_on": "2026-02-01"}, {"wave": "all"}])
def test_a_form_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DecisionRefusedError):
        MergeRequest.of_form(EMPTY_MERGE | wrong)


@pytest.mark.parametrize("wrong", [{}, {"merge_ids": [" "]}, {"merge_ids": ["M0000000002"], "every_merge": True}])
def test_an_undo_names_merges_or_means_all_and_never_both(wrong: dict[str, Any]) -> None:
    with pytest.raises(DecisionRefusedError, match="every merge"):
        UndoRequest.of_form(EMPTY_UNDO | wrong)


def test_an_undo_of_some_or_of_all() -> None:
    assert UndoRequest.of_form(EMPTY_UNDO | {"merge_ids": ["M1 ", ""]}) == UndoRequest(("M1",))
    assert UndoRequest.of_form(EMPTY_UNDO | {"every_merge": True}) == UndoRequest(None)


def test_who_is_asked_reads_what_moves_whose_decision_it_was_and_where_the_plan_lies() -> None:
    plan = plan_of(planned(1), planned(2, "empty"), unfinished=17)
    asked = question(plan, "published/plans/abc/plan.html", "/oneclient")
    page = f"[{CANDIDATE}](/oneclient/candidates/{CANDIDATE})"
    for said in (
        "`published/plans/abc/plan.html`",
        f"(/oneclient/plans/{plan.plan_hash[:12]})", "20/11/2026", "visits 2,400", "from 01/10/2026 on",
        "1 empty, 1 money", "Decided by **ann**", "entry 17", f"| M0000000001 | money | {page} | 1,200 | 0 |",
    ):  # fmt: skip
        assert said in asked
    assert "aliases" not in asked
    assert "one/1" not in asked
    assert headline(plan) == "Carry out 2 merges?"


def test_an_undo_says_so() -> None:
    plan = plan_of(undoes=(planned(1),))
    assert headline(plan) == "Take back 1 merge?"
    assert "Decided by" not in question(plan, "plan.html", "")


def test_a_long_plan_is_listed_in_part() -> None:
    asked = question(plan_of(*map(planned, range(LISTED + 3))), "plan.html", "")
    assert asked.count("| M0") == LISTED
    assert "and 3 more: see the plan" in asked


def test_what_xcom_is_told_holds_counts_and_no_record() -> None:
    told = counted(plan_of(planned(1)))
    assert (told["merges"], told["waves"], told["moves"]["visits"]) == (1, {"money": 1}, 1_200)
    assert "one/1" not in str(told)
