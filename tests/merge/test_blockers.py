"""Each blocker as one small case, asked in both directions; and which choice of a decision lifts it."""

from __future__ import annotations

import pytest
from books import (
    COUNCIL,
    ROSTER,
    alias,
    case,
    council,
    council_reference,
    enrolment,
    nhs,
    order,
    roster,
    roster_id,
)

from pipelines.decisions.statement import NO_CHOICES, Choices
from pipelines.merge.blockers import RULES, Rule, blockers
from pipelines.merge.case import Case
from pipelines.merge.outcomes import other_ways, outcomes
from pipelines.merge.policy import POLICY
from pipelines.merge.record import Record

FUTURE = order(standing="future")


def kinds(record_a: Record, record_b: Record, into: str, choices: Choices = NO_CHOICES) -> list[str]:
    return [blocker.kind for blocker in blockers(case(record_a, record_b, choices=choices), into)]


@pytest.mark.parametrize(
    ("on_the_books", "by_orders", "into_roster", "into_council"),
    [
        # Nothing hangs on either.
        ({}, {}, [], []),
        # An order blocks only the direction in which its record would be merged away.
        ({}, {"orders": (order(),)}, ["ACTIVE_ORDER_WOULD_MOVE"], []),
        ({}, {"orders": (FUTURE,)}, ["ACTIVE_ORDER_WOULD_MOVE"], []),
        ({"orders": (order(),)}, {}, [], ["ACTIVE_ORDER_WOULD_MOVE"]),
        ({}, {"past_orders": 4}, [], []),
        # Orders on both block both.
        (
            {"orders": (order("PO1"),)}, {"orders": (order("PO2"),)},
            ["ACTIVE_ORDER_WOULD_MOVE", "BOTH_HAVE_ACTIVE_ORDERS"],
            ["ACTIVE_ORDER_WOULD_MOVE", "BOTH_HAVE_ACTIVE_ORDERS"],
        ),
        (
            {"orders": (order("PO1"),)}, {"orders": (FUTURE,)},
            ["ACTIVE_ORDER_WOULD_MOVE"], ["ACTIVE_ORDER_WOULD_MOVE"],
        ),
        # One system knows a client by one live number; a former one, or one of another system, is no matter.
        (
            {"references": (council_reference("0123456"),)}, {"references": (council_reference("123456"),)},
            ["TWO_LIVE_REFERENCES"], ["TWO_LIVE_REFERENCES"],
        ),
        (
            {"references": (roster_id("C1"),)}, {"references": (roster_id("C2"),)},
            ["TWO_LIVE_REFERENCES"], ["TWO_LIVE_REFERENCES"],
        ),
        ({"references": (council_reference("1"),)}, {"references": (council_reference("2", live=False),)}, [], []),
        (
            {"references": (council_reference("SS-0123", core="123"),)},
            {"references": (council_reference("123", core="123"),)},
            [], [],
        ),
        ({"references": (council_reference("1"),)}, {"references": (council_reference("2", issuer="ESSEX"),)}, [], []),
        ({"references": (council_reference("1"),)}, {"references": (council_reference("1"),)}, [], []),
        # A number whose council is not known may be any council's.
        (
            {"references": (council_reference("1"),)}, {"references": (council_reference("2", issuer=""),)},
            ["TWO_LIVE_REFERENCES"], ["TWO_LIVE_REFERENCES"],
        ),
        (
            {"references": (council_reference("1", issuer=""),)}, {"references": (council_reference("2", issuer=""),)},
            ["TWO_LIVE_REFERENCES"], ["TWO_LIVE_REFERENCES"],
        ),
        ({"references": (council_reference("1"),)}, {"references": (council_reference("1", issuer=""),)}, [], []),
        # Enrolments on one contract; on two they may both stand.
        (
            {"enrolments": (enrolment(),)}, {"enrolments": (enrolment(),)},
            ["SAME_CONTRACT_TWICE"], ["SAME_CONTRACT_TWICE"],
        ),
        ({"enrolments": (enrolment("HC-22"),)}, {"enrolments": (enrolment("HC-24"),)}, [], []),
        # A name blocks the direction in which it would have to go somewhere.
        ({"aliases": (alias("Annie"),)}, {}, [], ["ALIASES_UNDECIDED"]),
        ({"aliases": (alias("Annie"),)}, {"aliases": (alias("ANNIE"),)}, [], []),
        ({"aliases": (alias("Ann Archre", kind="name_sent"),)}, {}, [], []),
        # Two NHS numbers.
        (
            {"references": (nhs("9434765919"),)}, {"references": (nhs("9434765870"),)},
            ["NHS_NUMBERS_DIFFER"], ["NHS_NUMBERS_DIFFER"],
        ),
        ({"references": (nhs("9434765919"),)}, {"references": (nhs("9434765919"),)}, [], []),
        # What a status says in words.
        ({"restricted": True}, {}, ["RESTRICTED"], ["RESTRICTED"]),
        ({"deceased": True}, {"upcoming_visits": 1}, ["DECEASED_AND_ALIVE"], ["DECEASED_AND_ALIVE"]),
        ({"deceased": True}, {"past_visits": 9}, [], []),
        ({"deceased": True}, {"deceased": True, "upcoming_visits": 1}, [], []),
    ],
)  # fmt: skip
def test_each_blocker_in_both_directions(
    on_the_books: dict[str, object], by_orders: dict[str, object], into_roster: list[str], into_council: list[str]
) -> None:
    assert kinds(roster(**on_the_books), council(**by_orders), ROSTER) == into_roster
    assert kinds(roster(**on_the_books), council(**by_orders), COUNCIL) == into_council


@pytest.mark.parametrize(
    ("on_the_books", "by_orders", "choices"),
    [
        ({"orders": (order("PO1"),)}, {"orders": (order("PO2"),)}, Choices(move_active_orders=True)),
        (
            {"references": (council_reference("0123456"),)}, {"references": (council_reference("123456"),)},
            Choices(references={"KENT": "0123456"}),
        ),
        ({"enrolments": (enrolment(),)}, {"enrolments": (enrolment(),)}, Choices(enrolments={"HC-24": COUNCIL})),
        ({"aliases": (alias("Annie"),)}, {"aliases": (alias("Nan"),)}, Choices(aliases="drop")),
        ({"aliases": (alias("Annie"),)}, {"aliases": (alias("Nan"),)}, Choices(aliases="keep")),
    ],
)  # fmt: skip
def test_a_choice_lifts_what_it_decides(
    on_the_books: dict[str, object], by_orders: dict[str, object], choices: Choices
) -> None:
    one, other = roster(**on_the_books), council(**by_orders)
    for into in (ROSTER, COUNCIL):
        (_, *lifts) = {blocker.lifted_by for blocker in blockers(case(one, other), into)} | {""}
        assert lifts
        assert kinds(one, other, into, choices) == []


@pytest.mark.parametrize(
    ("said", "choices"),
    [
        ({"references": (council_reference("1"),)}, Choices(references={"KENT": "3"})),
        ({"references": (council_reference("1"),)}, Choices(references={"ESSEX": "1"})),
        ({"enrolments": (enrolment(),)}, Choices(enrolments={"HC-22": ROSTER})),
    ],
)
def test_a_choice_of_something_else_lifts_nothing(said: dict[str, object], choices: Choices) -> None:
    other = {"references": (council_reference("2"),), "enrolments": (enrolment(),)}
    by_orders = {name: other[name] for name in said}
    assert kinds(roster(**said), council(**by_orders), ROSTER, choices) == kinds(
        roster(**said), council(**by_orders), ROSTER
    )


def test_no_choice_lifts_what_has_to_be_put_right() -> None:
    everything = Choices(move_active_orders=True, aliases="keep", references={"nhs": "9434765919"})
    one = roster(references=(nhs("9434765919"),), restricted=True, deceased=True)
    other = council(references=(nhs("9434765870"),), upcoming_visits=2)
    found = blockers(case(one, other, choices=everything), ROSTER)
    assert [blocker.kind for blocker in found] == ["NHS_NUMBERS_DIFFER", "RESTRICTED", "DECEASED_AND_ALIVE"]
    assert {blocker.owner for blocker in found} == {"office"}
    assert {blocker.lifted_by for blocker in found} == {""}


def test_a_blocker_says_what_why_how_to_fix_it_and_whose_it_is() -> None:
    (blocker,) = blockers(case(roster(), council(orders=(order("PO1"), FUTURE))), ROSTER)
    assert blocker.what == (
        "1 active purchase order line and 1 future purchase order line on the record that would be merged away"
    )
    assert (blocker.concerns, blocker.shows) == ((COUNCIL,), ("KENT PO1/1", "KENT PO1/1"))
    assert blocker.why and blocker.fix
    assert (blocker.owner, blocker.lifted_by) == ("analyst", "move_active_orders")


def test_the_other_direction_is_named_when_nothing_blocks_it() -> None:
    recommended, tried = outcomes(case(roster(), council(orders=(order(),))))
    assert recommended.survivor_ref == COUNCIL
    assert [outcome.survivor_ref for outcome in tried] == [COUNCIL, ROSTER]
    assert [outcome.survivor_ref for outcome in other_ways(tried, ROSTER)] == [COUNCIL]
    assert other_ways(tried, COUNCIL) == ()


def test_of_three_records_two_go() -> None:
    third = Record(client_id=3, client_ref="careplan/C3", orders=(order("PO3"),))
    cluster = case(roster(), council(orders=(order("PO2"),)), third)
    (moving, both) = blockers(cluster, COUNCIL)
    assert (moving.concerns, both.concerns) == (("careplan/C3",), (COUNCIL, "careplan/C3"))


def test_the_plan_may_ask_rules_of_its_own() -> None:
    from pipelines.merge.blockers import Found

    def in_flight(merging: Case, survivor: Record) -> Found:
        return Found("a merge of it is under way", merging.others(survivor))

    rule = Rule("MERGE_IN_FLIGHT", in_flight, "two at once would tear it", "wait for it to end", "office")
    assert [b.kind for b in blockers(case(roster(), council()), ROSTER, rules=(*RULES, rule))] == ["MERGE_IN_FLIGHT"]


def test_a_survivor_who_is_not_in_the_case_is_refused() -> None:
    with pytest.raises(KeyError):
        blockers(case(roster(), council()), "careplan/C9")


def test_every_blocker_that_the_policy_names_is_a_rule() -> None:
    assert {kind for policy in POLICY for kind in policy.blocked_by} == {rule.kind for rule in RULES}
