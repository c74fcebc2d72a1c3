"""Which record stays: the criteria in their order, the same whoever stands left, and never by chance."""

from __future__ import annotations

from itertools import permutations

import pytest
from books import COUNCIL, ROSTER, council, council_reference, named, order, roster, roster_id
from hypothesis import given
from hypothesis import strategies as st

from pipelines.merge.record import Record
from pipelines.merge.survivor import recommend


@pytest.mark.parametrize(
    ("on_the_books", "by_orders", "survivor", "because"),
    [
        ({"upcoming_visits": 9}, {"orders": (order("1"), order("2"))}, COUNCIL, "has 2 active purchase order lines"),
        (
            {"orders": (order("1"),)}, {"orders": (order("2"), order("3"))},
            COUNCIL, "has 2 active purchase order lines, not 1",
        ),
        ({}, {"orders": (order(standing="future"),)}, COUNCIL, "has 1 purchase order line to come"),
        (
            {"references": (roster_id("C1"),)}, {"references": (council_reference("1"),)},
            COUNCIL, "has 1 live council reference",
        ),
        (
            {"references": (roster_id("C1"),)}, {"references": (council_reference("1", live=False),)},
            ROSTER, "has 1 live rostering id",
        ),
        ({"past_visits": 9}, {"profile": named("Ann")}, COUNCIL, "fills 2 fields"),
        ({"past_visits": 900}, {"upcoming_visits": 1}, COUNCIL, "has 1 visit to come"),
        ({"past_visits": 1}, {"past_visits": 2}, COUNCIL, "has 2 past visits, not 1"),
        ({}, {}, ROSTER, "is the older record"),
    ],
)  # fmt: skip
def test_the_first_criterion_that_tells_them_apart_decides(
    on_the_books: dict[str, object], by_orders: dict[str, object], survivor: str, because: str
) -> None:
    for records in permutations((roster(**on_the_books), council(**by_orders))):
        recommended = recommend(records)
        assert recommended.survivor_ref == survivor
        assert recommended.reasons[0].words == because


def test_what_speaks_for_the_other_is_said_too() -> None:
    reasons = recommend((roster(upcoming_visits=9, profile=named("Ann")), council(orders=(order(),)))).reasons
    assert [(reason.speaks_for, reason.words) for reason in reasons] == [
        (COUNCIL, "has 1 active purchase order line"),
        (ROSTER, "fills 2 fields"),
        (ROSTER, "has 9 visits to come"),
    ]


def test_of_three_the_last_two_are_told_apart_by_what_comes_next() -> None:
    third = Record(client_id=3, client_ref="careplan/C3", orders=(order(),), upcoming_visits=1)
    recommended = recommend((roster(), council(orders=(order(),)), third))
    assert recommended.survivor_ref == "careplan/C3"
    assert [reason.criterion for reason in recommended.reasons] == ["active orders", "visits to come"]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=4), st.randoms()
)
def test_the_same_record_whatever_the_order(said: list[tuple[int, int, int]], chance: object) -> None:
    records = [
        Record(client_id=n, client_ref=f"r/{n}", orders=(order(),) * orders, upcoming_visits=upcoming, past_visits=past)
        for n, (orders, upcoming, past) in enumerate(said)
    ]
    shuffled = list(records)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert recommend(records) == recommend(shuffled)
