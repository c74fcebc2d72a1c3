"""Undo is exact, any time later: rows go back to the record that they came in for, those that came in since as well."""

from __future__ import annotations

from datetime import date

import pytest
from office import visit
from the_merges import ANN, ANN_ORDERS, BEA, BEA_TOO, DOT, DOT_TOO, MOVE_ORDERS, NOVEMBER, OCTOBER, Provider, of

from pipelines.decisions.statement import DecisionRefusedError
from pipelines.merge.plan import plan_undo
from pipelines.merge.run import sign_off_undo

NEXT_NIGHT = date(2026, 11, 21)


def chained(provider: Provider) -> tuple[str, str]:
    """Bea's second record is merged into her first, and that into Dot's; gives the ids of the two merges."""
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply()
    provider.decides(f"{BEA} {DOT}", survivor=DOT)
    provider.apply()
    return of(f"{BEA} {BEA_TOO}"), of(f"{BEA} {DOT}")


def test_merged_and_undone_it_is_as_before(provider: Provider) -> None:
    before = provider.fingerprint("linked")
    provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN_ORDERS)
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA, **MOVE_ORDERS)
    provider.apply()
    assert provider.fingerprint("linked") != before
    outcome = provider.undo()
    assert (outcome.undone, outcome.moved["visits"]) == (2, 8)
    assert provider.fingerprint("linked") == before
    assert provider.crosswalk() == {}
    assert provider.rows("from merged.merges") == []


@pytest.mark.parametrize(
    ("undone", "crosswalk", "of_dot", "of_bea", "of_bea_too"),
    [
        (0, {BEA: DOT}, "B-SEP B-OCT B-NOV B-DEC", "", "B2-SEP B2-OCT B2-NOV B2-DEC"),
        (1, {BEA_TOO: BEA}, "", "B-SEP B2-SEP B-OCT B2-OCT B-NOV B2-NOV B-DEC B2-DEC", ""),
    ],
)
def test_one_link_of_a_chain(
    provider: Provider, undone: int, crosswalk: dict[str, str], of_dot: str, of_bea: str, of_bea_too: str
) -> None:
    before = provider.fingerprint("linked")
    ids = chained(provider)
    assert provider.crosswalk() == {BEA: DOT, BEA_TOO: DOT}
    provider.undo(ids[undone])
    assert provider.crosswalk() == crosswalk
    assert [provider.visits_of(ref) for ref in (DOT, BEA, BEA_TOO)] == [of_dot, of_bea, of_bea_too]
    provider.undo()
    assert provider.fingerprint("linked") == before


def test_an_undo_that_was_carried_out_before_says_what_to_do(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply()
    provider.undo(of(f"{BEA} {BEA_TOO}"))
    with pytest.raises(DecisionRefusedError, match=r"undone already.* run: oneclient nightly"):
        provider.undo(of(f"{BEA} {BEA_TOO}"))
    with pytest.raises(DecisionRefusedError, match="none of that id stands"):
        provider.undo("M0000000000")


def test_a_link_undone_beside_a_partial_one_leaves_what_that_one_has_not_moved(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply()
    provider.decides(f"{BEA} {DOT}", survivor=DOT)
    provider.apply(from_on=OCTOBER, to_on=NOVEMBER)
    assert provider.visits_of(DOT) == "B-OCT B2-OCT B-DEC B2-DEC"
    provider.undo(of(f"{BEA} {BEA_TOO}"))
    assert [provider.visits_of(ref) for ref in (DOT, BEA, BEA_TOO)] == [
        "B-OCT B-DEC", "B-SEP B-NOV", "B2-SEP B2-OCT B2-NOV B2-DEC",
    ]  # fmt: skip


def test_the_preview_of_an_undo_counts_what_the_undo_moves(provider: Provider) -> None:
    ids = chained(provider)
    plan = plan_undo(provider.settings, [ids[0]])
    assert (plan.moves["visits"], provider.undo(ids[0]).moved["visits"]) == (4, 4)


def test_joined_again_after_one_link_of_the_chain_was_undone(provider: Provider) -> None:
    """Bea's first record and Dot's are then the members of two merges that both stand."""
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply()
    provider.decides(f"{BEA_TOO} {DOT}", survivor=DOT)
    provider.apply()
    provider.undo(of(f"{BEA} {BEA_TOO}"))
    assert provider.crosswalk() == {BEA_TOO: DOT}
    assert provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA_TOO)
    provider.apply()
    assert provider.crosswalk() == {BEA: DOT, BEA_TOO: DOT}


def test_what_came_in_since_goes_to_the_record_that_it_came_in_for(provider: Provider) -> None:
    ids = chained(provider)
    provider.visits(visit("B2-NEW", "B2", VisitDate="21/11/2026"), system="rosterly", on="20261121")
    provider.night(NEXT_NIGHT)
    assert "B2-NEW" in provider.visits_of(DOT)
    provider.undo(ids[1])
    assert "B2-NEW" in provider.visits_of(BEA)
    provider.undo(ids[0])
    assert provider.visits_of(BEA_TOO) == "B2-SEP B2-OCT B2-NOV B2-NEW B2-DEC"


def test_a_visit_that_is_sent_again_as_it_was_stays_where_a_partial_merge_left_it(provider: Provider) -> None:
    """Else the undo would leave it with the file that sent it last, not first."""
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply(from_on=OCTOBER, to_on=NOVEMBER)
    sent = "select file_id, sent_on from staged.visits where visit_id = 'B2-SEP'"
    before = provider.rows(sent)
    again = visit("B2-SEP", "B2", VisitDate="15/09/2026")
    provider.visits(again, visit("B2-NEW", "B2"), system="rosterly", on="20261121")
    provider.night(NEXT_NIGHT)
    assert provider.visits_of(BEA_TOO) == "B2-SEP B2-NOV"
    assert provider.rows(sent) == before


def test_a_plan_of_it_says_what_would_go_back_where(provider: Provider) -> None:
    ids = chained(provider)
    (undone,) = plan_undo(provider.settings, [ids[1].lower()]).undoes
    assert undone.measured.moves["visits"] == 8
    assert {change.client_ref: change.after["visits"] for change in undone.measured.changes}[BEA] == 8
    assert provider.crosswalk() == {BEA: DOT, BEA_TOO: DOT}


def test_what_does_not_stand_cannot_be_undone(provider: Provider) -> None:
    for ids in (["M0000000000"], [of(f"{DOT} {DOT_TOO}"), "M0000000000"]):
        with pytest.raises(DecisionRefusedError, match="cannot be undone"):
            provider.undo(*ids)
    assert provider.undo().signed_in == []
    assert sign_off_undo(provider.settings, None, who="Kim", door="dag") is None


class TestDecidingAnew:
    """Whoever undoes a merge takes back what people said: it is joined again only if somebody says so anew."""

    def test_it_is_not_merged_again_by_itself(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply()
        provider.undo()
        plan = provider.plan()
        assert plan.ready == ()
        assert [(held.standing, held.reason) for held in plan.held_back] == [
            ("lapsed", "the merge that followed from it was undone")
        ]
        assert provider.apply().signed_in == []

    def test_the_very_same_words_say_it_anew(self, provider: Provider) -> None:
        assert provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        assert not provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply()
        assert not provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.undo()
        assert provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        assert not provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply()
        assert provider.crosswalk() == {BEA_TOO: BEA}
