"""The quality of review, from rows of the decision log: who, what, of which pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.decisions.entry import Entry
from pipelines.review.quality import agreements, cohens_kappa, most_wrong, paces, review_quality, tier_precisions


def said(number: int, who: str, pair: str, verdict: str, **more: object) -> Entry:
    """One verdict on a pair of two letters."""
    fields: dict[str, object] = {"tier": "near-certain", "evidence_hash": "as seen", "score_was_hidden": False} | more
    return Entry(
        number, who, "page", "verdict", candidate_id=f"C-{pair}", left_ref=pair[0], right_ref=pair[1], verdict=verdict,
        choices="{}", **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def test_kappa_is_that_of_the_textbook() -> None:
    """Fifty grant proposals, two readers (yes or no): 20 both yes, 15 both no, 5 and 10 apart. Kappa is 0.4."""
    rows = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert cohens_kappa(rows) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("rows", "kappa"),
    [([], None), ([("same", "same")] * 3, None), ([("same", "same"), ("different", "different")], 1.0),
     ([("same", "different"), ("different", "same")], -1.0)],
)  # fmt: skip
def test_kappa_at_its_ends(rows: list[tuple[str, str]], kappa: float | None) -> None:
    assert cohens_kappa(rows) == kappa


def test_two_people_are_compared_on_what_both_decided_of_the_same_evidence() -> None:
    log = [
        said(1, "ann", "ab", "same"), said(2, "Sam", "ab", "same"), said(3, "ann", "cd", "different"),
        said(4, "Sam", "cd", "same"), said(5, "ann", "ef", "same"), said(6, "Sam", "gh", "same"),
        said(7, "ann", "ij", "same"), said(8, "Sam", "ij", "same", evidence_hash="changed"),
    ]  # fmt: skip
    (found,) = agreements(log)
    assert (found.one, found.other, found.pairs, found.agreed) == ("ann", "Sam", 2, 1)


def test_what_was_taken_back_counts_for_nobodys_agreement_but_took_its_time() -> None:
    log = [said(1, "ann", "ab", "same", seconds_spent=10.0), said(2, "ann", "cd", "same", seconds_spent=30.0)]
    undo = replace(said(3, "ann", "ab", ""), kind="undo", verdict=None, undoes=1)
    (pace,) = paces([*log, undo])
    assert (pace.verdicts["same"], pace.taken_back, pace.median_seconds) == (2, 1, 20.0)
    assert tier_precisions([*log, undo])[0].same == 1


def test_precision_of_a_tier_counts_each_pair_once_and_blind_ones_apart() -> None:
    log = [
        said(1, "ann", "ab", "same", score_was_hidden=True), said(2, "sam", "ab", "same", score_was_hidden=True),
        said(3, "ann", "cd", "different", score_was_hidden=True), said(4, "ann", "ef", "same"),
        said(5, "ann", "gh", "same"), said(6, "sam", "gh", "different"),
    ]  # fmt: skip
    blind, in_view = tier_precisions(log)
    assert (blind.blind, blind.same, blind.different, blind.precision) == (True, 1, 1, 0.5)
    assert (in_view.same, in_view.different, in_view.unsure, in_view.precision) == (1, 0, 1, 1.0)
    assert in_view.low < 0.3, "one pair shows next to nothing"


def test_nothing_decided_is_no_quality() -> None:
    assert review_quality([]).agreements == review_quality([]).precisions == ()


def test_twenty_right_of_twenty_leave_one_in_seven_possible() -> None:
    assert most_wrong(20) == pytest.approx(0.139, abs=0.001)
    assert most_wrong(0) == 1
