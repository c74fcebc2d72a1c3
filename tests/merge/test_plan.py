"""What the plan says before anybody signs it off: what follows from the decisions, what it would move, what is in the
way. It changes nothing."""

from __future__ import annotations

from datetime import date

import pytest
from the_merges import (
    ANN,
    ANN_ORDERS,
    BEA,
    BEA_TOO,
    CAT,
    CAT_ORDERS,
    CAT_TOO,
    DOT,
    DOT_TOO,
    MOVE_ORDERS,
    NOVEMBER,
    OCTOBER,
    Provider,
    of,
)

from pipelines.decisions.statement import DecisionRefusedError
from pipelines.merge.plan import plan_merges, plan_undo
from pipelines.merge.policy import UnknownTableError
from pipelines.merge.run import PlanChangedError, sign_off, sign_off_undo
from pipelines.merge.selection import Selection, candidate_id
from pipelines.merge.status import merge_status
from pipelines.warehouse import open_warehouse

ONE_CAT = {"references": {"careplan": "C1"}, "aliases": "keep"}


class TestWhatFollowsFromTheDecisions:
    def test_nothing_while_nobody_decided(self, provider: Provider) -> None:
        plan = provider.plan()
        assert (plan.ready, plan.blocked, plan.held_back, plan.partitions) == ((), (), (), ())
        assert set(plan.moves.values()) == {0}

    def test_rows_by_kind_and_by_month_minutes_and_money(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
        plan = provider.plan()
        bea, ann = plan.ready
        assert bea.measured.moves == {"visits": 4, "references": 1, "contacts": 1, "source_records": 1}
        assert (bea.measured.minutes, bea.measured.weekly_pence) == (120, 0)
        assert ann.measured.moves == {"purchase_orders": 1, "references": 1, "source_records": 1}
        assert (ann.measured.minutes, ann.measured.weekly_pence) == (0, 14_350)
        assert [(part.from_on, part.rows) for part in plan.partitions] == [
            (date(2026, 9, 1), 1), (date(2026, 10, 1), 1), (date(2026, 11, 1), 1), (None, 1),
        ]  # fmt: skip

    def test_what_becomes_of_each_record(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        (bea,) = provider.plan(from_on=OCTOBER, to_on=NOVEMBER).ready
        visits = {one.client_ref: (one.before["visits"], one.after["visits"]) for one in bea.measured.changes}
        assert visits == {BEA: (4, 6), BEA_TOO: (4, 2)}

    def test_what_will_not_move_since_it_is_outside_the_range(self, provider: Provider) -> None:
        """Of B2's visits that of October moves, and that of December, which is still to come."""
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        plan = provider.plan(from_on=OCTOBER, to_on=NOVEMBER)
        assert plan.ready[0].measured.moves["visits"] == 2
        assert plan.ready[0].measured.left == {"visits": 2}
        assert [part.from_on for part in plan.partitions] == [date(2026, 10, 1), None]

    def test_the_survivor_of_the_decision_or_else_the_recommended_one_and_why(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA_TOO)
        provider.decides(f"{ANN} {ANN_ORDERS}", **MOVE_ORDERS)
        said = {one.merge.survivor: one.survivor_because for one in provider.plan().ready}
        assert said == {BEA_TOO: "chosen by the decision", ANN_ORDERS: "has 1 active purchase order line"}

    def test_three_records_decided_pair_by_pair_are_one_merge(self, provider: Provider) -> None:
        provider.decides(f"{CAT} {CAT_TOO}", **ONE_CAT, enrolments={"HC-24": CAT})
        provider.decides(f"{CAT_TOO} {CAT_ORDERS}", survivor=CAT_TOO, aliases="keep", who="Kim")
        plan = provider.plan()
        (cat,) = plan.ready
        assert cat.merge.survivor == CAT_TOO
        assert sorted(cat.merge.origins) == [CAT_ORDERS, CAT, CAT_TOO]
        assert (cat.decided_by, cat.merge.verdicts) == (("Jo", "Kim"), (1, 2))
        assert cat.candidate_ids == (candidate_id(CAT_TOO, CAT_ORDERS), candidate_id(CAT, CAT_TOO))
        assert cat.merge.former == (("careplan", "C2"),)

    def test_the_empty_ones_first_then_those_without_money_then_money(self, provider: Provider) -> None:
        provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT)
        assert [(one.merge.wave, one.merge.survivor) for one in provider.plan().ready] == [
            ("empty", DOT), ("no money", BEA), ("money", ANN),
        ]  # fmt: skip
        assert [one.merge.survivor for one in provider.plan(wave="no money").ready] == [BEA]
        assert [one.merge.survivor for one in provider.plan(authority="kent").ready] == [ANN]
        named = frozenset({candidate_id(DOT, DOT_TOO), of(f"{BEA} {BEA_TOO}")})
        assert [one.merge.survivor for one in provider.plan(candidate_ids=named).ready] == [DOT, BEA]

    def test_a_conflict_is_held_back(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}")
        provider.decides(f"{BEA} {BEA_TOO}", "different", who="Kim")
        plan = provider.plan()
        assert plan.ready == plan.blocked == ()
        assert [(held.standing, held.reason) for held in plan.held_back] == [
            ("conflict", "Jo said same, Kim said different")
        ]


class TestInTheWay:
    """What the decisions themselves put in the way."""

    def test_a_choice_that_is_missing_and_the_other_direction_that_is_open(self, provider: Provider) -> None:
        """Ann's active order would have to move if the rostering system's record stayed; not if the other did."""
        provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN)
        (blocked,) = provider.plan().blocked
        assert [blocker.kind for blocker in blocked.blockers] == ["ACTIVE_ORDER_WOULD_MOVE"]
        assert blocked.open_ways == (ANN_ORDERS,)

    def test_each_kind_of_choice_that_is_missing(self, provider: Provider) -> None:
        provider.decides(f"{CAT} {CAT_TOO}", survivor=CAT)
        assert provider.blockers() == {CAT: ["TWO_LIVE_REFERENCES", "SAME_CONTRACT_TWICE", "ALIASES_UNDECIDED"]}

    def test_somebody_held_two_of_them_to_be_different(self, provider: Provider) -> None:
        """A and C, B and C are said to be the same; that A and B are not was said before both had one NHS number."""
        provider.decides(f"{BEA} {BEA_TOO}", "different", who="Kim")
        provider.share_a_number(BEA, BEA_TOO)
        provider.decides(f"{BEA} {DOT}", survivor=DOT)
        provider.decides(f"{BEA_TOO} {DOT}", survivor=DOT)
        assert provider.blockers() == {DOT: ["DIFFERENT_BETWEEN_MEMBERS"]}

    def test_different_holds_for_what_was_merged_long_ago(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply()
        provider.moves_house(BEA)
        provider.decides(f"{BEA_TOO} {DOT}", "different")
        provider.decides(f"{BEA} {DOT}", survivor=BEA)
        (held,) = provider.plan().held_back
        assert held.standing == "conflict"
        assert f"{DOT} and {BEA_TOO}" in held.reason or f"{BEA_TOO} and {DOT}" in held.reason

    def test_somebody_was_unsure_about_two_of_them(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {DOT}", survivor=DOT)
        provider.decides(f"{BEA_TOO} {DOT}", survivor=DOT)
        provider.decides(f"{BEA} {BEA_TOO}", "unsure")
        assert provider.blockers() == {DOT: ["DECISION_PENDING"]}

    def test_a_decision_about_two_of_them_has_lapsed(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.moves_house(BEA)
        provider.decides(f"{BEA} {DOT}", survivor=DOT)
        provider.decides(f"{BEA_TOO} {DOT}", survivor=DOT)
        assert provider.blockers() == {DOT: ["DECISION_LAPSED"]}
        assert [held.reason for held in provider.plan().held_back] == ["changed since it was decided"]

    def test_the_decisions_name_two_survivors(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {DOT}", survivor=BEA)
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA_TOO)
        provider.decides(f"{BEA_TOO} {DOT}", survivor=DOT)
        (blocked,) = provider.plan().blocked
        (contradiction,) = blocked.blockers
        assert contradiction.kind == "CHOICES_CONTRADICT"
        assert "the survivor" in contradiction.what

    def test_a_merge_that_is_not_finished_touches_one_of_them(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        sign_off(provider.settings, Selection(), who="Sam", door="dag")
        provider.decides(f"{BEA} {DOT}", survivor=DOT)
        provider.decides(f"{CAT_ORDERS} {DOT_TOO}", survivor=DOT_TOO)
        plan = provider.plan()
        assert plan.unfinished == 2
        assert [[blocker.kind for blocker in one.blockers] for one in plan.blocked] == [["MERGE_IN_FLIGHT"]]
        assert [one.merge.survivor for one in plan.ready if not one.carries_on] == [DOT_TOO]

    def test_who_would_sign_it_off_decided_it(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT, who="Kim")
        plan = provider.plan(without_decisions_of=" jo ")
        assert [one.merge.survivor for one in plan.ready] == [DOT]
        assert [[blocker.kind for blocker in one.blockers] for one in plan.blocked] == [["DECIDED_BY_EXECUTOR"]]

    def test_every_blocker_of_a_plan_says_what_why_how_to_fix_it_and_whose_it_is(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        (one,) = provider.plan(without_decisions_of="Jo").blocked
        (blocker,) = one.blockers
        assert blocker.concerns == (BEA, BEA_TOO)
        assert blocker.what and blocker.why and blocker.fix and blocker.owner == "office"


class TestNothingIsChanged:
    def test_by_a_plan_whatever_it_finds(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply()
        provider.decides(f"{CAT} {CAT_TOO}", survivor=CAT)
        provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
        before = provider.fingerprint(), provider.state()
        provider.plan(from_on=OCTOBER)
        plan_undo(provider.settings, None)
        merge_status(provider.settings)
        assert (provider.fingerprint(), provider.state()) == before

    def test_the_same_plan_has_the_same_hash_and_says_so_of_what_it_is(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        assert provider.plan().plan_hash == provider.plan().plan_hash
        assert provider.plan().plan_hash != provider.plan(from_on=OCTOBER).plan_hash
        nothing = provider.plan(candidate_ids=frozenset({"C0000000000"}))
        assert nothing.plan_hash != provider.plan().plan_hash
        assert nothing.ready == ()

    @pytest.mark.parametrize("column", ["client_id", "origin_client_id"])
    def test_a_new_table_with_a_client_key_stops_everything(self, provider: Provider, column: str) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        with open_warehouse(provider.settings) as warehouse:
            warehouse.execute(f"create table staged.allergies ({column} integer, allergy varchar)")
        with pytest.raises(UnknownTableError, match=r"staged\.allergies has a client key"):
            plan_merges(provider.settings)
        with pytest.raises(UnknownTableError):
            provider.apply()
        with pytest.raises(UnknownTableError):
            plan_undo(provider.settings, None)
        assert provider.crosswalk() == {}

    def test_a_range_without_a_day_and_an_unknown_wave_are_refused(self) -> None:
        with pytest.raises(DecisionRefusedError, match="holds no day"):
            Selection(from_on=NOVEMBER, to_on=NOVEMBER)
        with pytest.raises(DecisionRefusedError, match="wave has to be one of"):
            Selection(wave="gold")


class TestSignedAsItWasLookedAt:
    """A person signs off what they saw, by its hash."""

    def test_refused_when_another_decision_came_in_between(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        seen = provider.plan().plan_hash
        provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT)
        with pytest.raises(PlanChangedError, match="Plan again"):
            sign_off(provider.settings, Selection(), who="Sam", door="dag", plan_hash=seen)
        assert provider.crosswalk() == {}
        assert sign_off(
            provider.settings, Selection(), who="Sam", door="dag", plan_hash=provider.plan().plan_hash
        ) == 3  # fmt: skip

    def test_refused_when_another_plan_was_signed_off_in_between(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT)
        bea = frozenset({candidate_id(BEA, BEA_TOO)})
        seen = provider.plan(candidate_ids=bea).plan_hash
        provider.apply(candidate_ids=frozenset({candidate_id(DOT, DOT_TOO)}))
        with pytest.raises(PlanChangedError):
            sign_off(provider.settings, Selection(candidate_ids=bea), who="Sam", door="dag", plan_hash=seen)

    def test_an_undo_is_signed_by_its_hash_too(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.apply()
        seen = plan_undo(provider.settings, None).plan_hash
        provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT)
        provider.apply()
        with pytest.raises(PlanChangedError):
            sign_off_undo(provider.settings, None, who="Kim", door="dag", plan_hash=seen)
        assert len(provider.crosswalk()) == 2


class TestTwoPersons:
    def test_who_decided_all_of_it_may_not_sign_it_off(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        with pytest.raises(DecisionRefusedError, match="Ask another person"):
            provider.apply(who="JO")
        with pytest.raises(DecisionRefusedError, match="Ask another person"):
            sign_off(provider.settings, Selection(), who="Jo", door="dag")
        with pytest.raises(DecisionRefusedError, match="machine's name"):
            provider.apply(who="airflow")
        assert provider.crosswalk() == {}

    def test_what_others_decided_may_be_signed_off_without_ones_own(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT, who="Kim")
        provider.apply(who="Jo")
        assert provider.crosswalk() == {DOT_TOO: DOT}

    def test_one_of_two_who_decided_is_no_other_person(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA, who="Kim")
        with pytest.raises(DecisionRefusedError):
            provider.apply(who="Kim")

    def test_switched_off_one_person_may_do_it_all(self, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
        (provider.settings.home / "settings.toml").write_text("[decisions]\ntwo_persons = false\n")
        alone = Provider(provider.settings.home)
        alone.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        assert alone.apply(who="Jo").merges == 1
        assert "TWO PERSONS ARE NOT ASKED FOR" in caplog.text
