"""A merge run from its sign-off to its end, the way people meet it: rows in, decisions, rows out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from crashes import Crash, after, crash
from office import client, enrolment, order, visit
from the_merges import (
    ANN,
    ANN_ORDERS,
    BEA,
    BEA_TOO,
    CAT,
    CAT_TOO,
    DOT,
    DOT_TOO,
    MOVE_ORDERS,
    NOVEMBER,
    OCTOBER,
    Provider,
)

from pipelines.decisions.snapshot import DecisionsDamagedError
from pipelines.decisions.store import DecisionStore
from pipelines.merge import run
from pipelines.merge.plan import sides
from pipelines.merge.record import Record
from pipelines.merge.run import (
    MergeInFlightError,
    NotSignedOffError,
    Run,
    VerificationFailedError,
    open_run,
    sign_off,
)
from pipelines.merge.selection import Selection
from pipelines.warehouse import open_warehouse

NEXT_NIGHT = date(2026, 11, 21)


def side(provider: Provider, survivor: str, *merged_away: str) -> Record:
    """What people see of a record and all that counts for it."""
    with open_warehouse(provider.settings) as warehouse, warehouse.rehearsal():
        return sides(warehouse, provider.day, [(ref, survivor) for ref in (survivor, *merged_away)])[survivor]


class TestMerged:
    def test_everything_counts_for_the_survivor_and_keeps_where_it_came_from(self, provider: Provider) -> None:
        provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        outcome = provider.apply()
        assert (outcome.merges, outcome.partitions, outcome.moved["visits"]) == (2, 4, 4)
        assert provider.crosswalk() == {ANN_ORDERS: ANN, BEA_TOO: BEA}
        assert provider.hangs_on(ANN_ORDERS) == provider.hangs_on(BEA_TOO) == {}
        assert provider.hangs_on(ANN)["purchase_orders"] == 1
        assert provider.visits_of(BEA) == "B-SEP B2-SEP B-OCT B2-OCT B-NOV B2-NOV B-DEC B2-DEC"
        assert provider.rows(
            "select distinct client_ref from staged.visits as v join staged.client_ids as i"
            " on i.client_id = v.origin_client_id where visit_id like 'B2-%'"
        ) == [(BEA_TOO,)]

    def test_again_changes_nothing(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply()
        before = provider.fingerprint(), provider.state()
        assert provider.apply().signed_in == []
        assert (provider.fingerprint(), provider.state()) == before

    def test_a_narrow_range_leaves_it_partial_and_a_wider_one_carries_it_on(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply(from_on=OCTOBER, to_on=NOVEMBER)
        half = provider.status(f"{BEA} {BEA_TOO}")
        assert (half.state, half.visits_left) == ("partial", 2)
        assert provider.visits_of(BEA_TOO) == "B2-SEP B2-NOV"
        assert provider.plan(from_on=OCTOBER, to_on=NOVEMBER).ready == ()
        assert [one.carries_on for one in provider.plan().ready] == [True]
        provider.apply(to_on=NOVEMBER)
        assert provider.visits_of(BEA_TOO) == "B2-NOV"
        provider.apply()
        whole = provider.status(f"{BEA} {BEA_TOO}")
        assert (whole.state, whole.visits_left, whole.signed_in) == ("complete", 0, 2)

    def test_what_came_first_is_carried_on_before_its_survivor_is_merged_away(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply(from_on=OCTOBER, to_on=NOVEMBER)
        provider.decides(f"{BEA} {DOT}", survivor=DOT)
        assert provider.blockers() == {DOT: ["MERGE_PARTIAL"]}
        provider.apply()
        assert provider.blockers() == {}
        provider.apply()
        assert provider.crosswalk() == {BEA: DOT, BEA_TOO: DOT}
        assert provider.hangs_on(BEA) == provider.hangs_on(BEA_TOO) == {}

    def test_a_partial_merge_that_people_see_otherwise_now_is_not_carried_on(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply(from_on=OCTOBER, to_on=NOVEMBER)
        provider.decides(f"{BEA} {BEA_TOO}", "different", who="Lee")
        plan = provider.plan()
        assert plan.ready == ()
        assert "contested" in {held.standing for held in plan.held_back}


class TestChoices:
    """What the decision chose to set aside can still be read, and does not hang on the survivor any more."""

    def decided(self, provider: Provider, aliases: str) -> Record:
        provider.decides(
            f"{CAT} {CAT_TOO}", survivor=CAT, aliases=aliases, enrolments={"HC-24": CAT_TOO},
            references={"careplan": "C1"},
        )  # fmt: skip
        provider.apply()
        return side(provider, CAT, CAT_TOO)

    def test_one_side_of_the_enrolments_one_reference_and_no_other_names(self, provider: Provider) -> None:
        cat = self.decided(provider, "drop")
        assert provider.rows(
            "select kind, client_ref, issuer, name from merged.choices join staged.client_ids using (client_id)"
            " order by kind, client_ref"
        ) == [
            ("alias", CAT_TOO, "", ""),
            ("enrolment", CAT, "", "HC-24"),
            ("reference", CAT, "careplan", "C2"),
            ("reference", CAT_TOO, "careplan", "C2"),
        ]
        assert [one.funding for one in cat.enrolments] == ["Direct payment"]
        assert {one.number: one.live for one in cat.references} == {"C1": True, "C2": False}
        assert [one.name for one in cat.aliases if one.given] == ["Kitty"]

    def test_or_the_other_names_kept(self, provider: Provider) -> None:
        cat = self.decided(provider, "keep")
        assert [one.name for one in cat.aliases if one.given] == ["Cathy", "Kitty"]

    def test_undone_all_of_it_counts_again(self, provider: Provider) -> None:
        self.decided(provider, "drop")
        provider.undo()
        assert provider.rows("from merged.choices") == []
        assert [one.name for one in side(provider, CAT_TOO).aliases if one.given] == ["Cathy"]
        assert [one.live for one in side(provider, CAT_TOO).references] == [True]
        assert len(side(provider, CAT).enrolments) == 1


class TestWhatComesInSince:
    def test_counts_for_the_survivor_and_makes_no_new_client(self, provider: Provider) -> None:
        """The council still sends the old reference, the second rostering system still exports its client."""
        provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply()
        provider.orders(order("PO7", SocialServicesRef="111", ContractNumber="HC-24"), on="20261121")
        provider.visits(visit("B2-NEW", "B2", VisitDate="21/11/2026"), system="rosterly", on="20261121")
        provider.enrolments(enrolment("B2", "HC-31"), system="rosterly", on="20261121")
        provider.clients(client("B2", Forename="Beatrice", Surname="Bell", Phone="01206 555222"),
                         system="rosterly", on="20261121")  # fmt: skip
        assert provider.night(NEXT_NIGHT).new_clients == {}
        assert provider.hangs_on(ANN_ORDERS) == provider.hangs_on(BEA_TOO) == {}
        assert provider.hangs_on(ANN)["purchase_orders"] == 2
        assert provider.hangs_on(BEA) | {"contacts": 0} == {
            "visits": 9, "enrolments": 1, "contacts": 0, "references": 2, "source_records": 2,
        }  # fmt: skip
        provider.undo()
        assert provider.hangs_on(ANN_ORDERS)["purchase_orders"] == 2
        assert provider.visits_of(BEA_TOO) == "B2-SEP B2-OCT B2-NOV B2-NEW B2-DEC"
        assert provider.hangs_on(BEA_TOO)["enrolments"] == 1

    def test_a_survivor_who_moves_house_stays_merged(self, provider: Provider) -> None:
        """The decision lapses, since its evidence has changed; its merge stands until somebody undoes it."""
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply()
        provider.clients(client("B1", Forename="Bea", Surname="Bell", Postcode="CT1 2AB"), on="20261121")
        provider.night(NEXT_NIGHT)
        plan = provider.plan()
        assert (plan.ready, plan.blocked, plan.held_back) == ((), (), ())
        assert provider.apply().signed_in == []
        assert provider.crosswalk() == {BEA_TOO: BEA}


class TestOnlyTheLogIsBelieved:
    def test_nothing_is_carried_out_that_nobody_signed_off(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        forged = provider.plan().plan_hash
        for number, plan_hash in ((1, None), (2, None), (2, forged)):
            with pytest.raises(NotSignedOffError), open_run(provider.settings, number, plan_hash=plan_hash):
                pass
        sign_off(provider.settings, Selection(), who="Sam", door="dag")
        with pytest.raises(NotSignedOffError), open_run(provider.settings, 2, plan_hash="0" * 64):
            pass

    @pytest.mark.parametrize("deed", ["update entries set who = 'Kim' where sequence_number = 1",
                                      "delete from entries where sequence_number = 2"])  # fmt: skip
    def test_nor_on_the_word_of_a_log_that_somebody_changed(self, provider: Provider, deed: str) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT)
        sign_off(provider.settings, Selection(), who="Sam", door="dag")
        before = provider.fingerprint("linked")
        with sqlite3.connect(provider.settings.decisions_file) as database:
            for trigger in ("entries_not_updated", "entries_not_deleted"):
                database.execute(f"drop trigger {trigger}")
            database.execute(deed)
        database.close()
        for act in (provider.plan, provider.apply, provider.undo):
            with pytest.raises(DecisionsDamagedError, match="not as it was recorded"):
                act()
        assert provider.fingerprint("linked") == before

    def test_a_second_merge_waits_until_the_first_is_finished(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        first = sign_off(provider.settings, Selection(), who="Sam", door="dag")
        provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT)
        with pytest.raises(MergeInFlightError, match="entry 2 of the decision log"):
            sign_off(provider.settings, Selection(), who="Sam", door="dag")
        outcome = provider.apply()
        assert (first, outcome.signed_in) == (2, [2, 4])
        assert provider.crosswalk() == {BEA_TOO: BEA, DOT_TOO: DOT}


class TestVerification:
    """What does not hold is taken back, wave by wave, and says why."""

    def tampered(self, provider: Provider, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
        """Somebody changes the warehouse while partitions move."""

        def move(running: Run, partition: Any) -> Any:
            moved = real(running, partition)
            if running.plan.merges:
                running.warehouse.execute(statement)
            return moved

        real = Run.move
        monkeypatch.setattr(Run, "move", move)

    def test_an_active_order_that_is_back_on_the_merged_away_record(
        self, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = provider.fingerprint("linked")
        provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        self.tampered(
            provider, monkeypatch,
            "update staged.purchase_orders set client_id = origin_client_id where purchase_order_number = 'PO1'",
        )  # fmt: skip
        with pytest.raises(VerificationFailedError, match="1 purchase orders still count for a merged-away record"):
            provider.apply()
        assert provider.crosswalk() == {BEA_TOO: BEA}, "the wave without money holds"
        assert provider.rows("select signed_in, state, problem from merged.runs order by 1") == [
            (3, "rolled back", "1 purchase orders still count for a merged-away record"), (4, "done", ""),
        ]  # fmt: skip
        provider.undo()
        assert provider.fingerprint("linked") == before

    def test_what_was_rolled_back_is_not_merged_again_until_somebody_decides_anew(
        self, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        with monkeypatch.context() as patched:
            self.tampered(provider, patched, "update staged.visits set client_id = origin_client_id")
            with pytest.raises(VerificationFailedError):
                provider.apply()
        plan = provider.plan()
        assert (plan.ready, plan.unfinished) == ((), None)
        assert [held.reason for held in plan.held_back] == ["the merge that followed from it was undone"]
        assert provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        assert provider.apply().merges == 1

    def test_an_undo_that_does_not_hold_stays_unfinished_and_the_next_run_puts_it_right(
        self, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = provider.fingerprint("linked")
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply()

        def finish(running: Run) -> None:
            running.warehouse.execute("update staged.visits set client_id = 1 where visit_id = 'B2-OCT'")
            real(running)

        real = Run.finish
        with monkeypatch.context() as patched:
            patched.setattr(Run, "finish", finish)
            with pytest.raises(VerificationFailedError, match="1 visits do not count for whom they should"):
                provider.undo()
        provider.undo()
        assert provider.fingerprint("linked") == before
        assert provider.plan().unfinished is None


STEPS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "before the log says so": (DecisionStore, "sign_off", crash),
    "when the log says so and the warehouse does not": (DecisionStore, "sign_off", after(DecisionStore.sign_off)),
    "while what is to come moves": (run, "write_ledger", after(run.write_ledger)),
    "when what is to come has moved": (Run, "partitions", crash),
    "between two partitions": (Run, "move", after(Run.move)),
    "before the verification": (Run, "finish", crash),
    "after the verification": (Run, "finish", after(Run.finish)),
}


@pytest.fixture(scope="module")
def ends(after_the_first_night: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The state after a merge and after its undo, when nothing goes wrong."""
    import shutil

    provider = Provider(shutil.copytree(after_the_first_night, tmp_path_factory.mktemp("ends") / "home"))
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply()
    merged = provider.fingerprint()
    provider.undo()
    return {"apply": merged, "undo": provider.fingerprint()}


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_is_made_good_by_the_same_command(
    provider: Provider, ends: dict[str, str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    where, name, crash = STEPS[step]
    for act in ("apply", "undo"):
        with monkeypatch.context() as patched:
            patched.setattr(where, name, crash)
            with pytest.raises(Crash):
                getattr(provider, act)()
        getattr(provider, act)()
        assert provider.fingerprint() == ends[act]
