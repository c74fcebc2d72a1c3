"""When the night says that the model should be trained again."""

from __future__ import annotations

from typing import Any

from pipelines.match.comparisons import REGISTER_COLUMNS
from pipelines.match.drift import drift, instability
from pipelines.match.model import comparisons_for

COMPARISONS = comparisons_for(REGISTER_COLUMNS)
THEN: dict[str, Any] = {
    "records": 1000,
    "filled": {"postcode": 0.9, "email": 0.2},
    "levels": {"forename": {"exact": 700, "nickname": 200, "different": 100}},
}


def test_a_register_that_is_as_it_was_needs_nothing() -> None:
    assert drift(THEN, {**THEN, "records": 1100}, COMPARISONS) == []


def test_a_register_twice_the_size() -> None:
    (reason,) = drift(THEN, {**THEN, "records": 2000}, COMPARISONS)
    assert "1,000 to 2,000" in reason


def test_a_column_that_is_not_sent_any_more() -> None:
    (reason,) = drift(THEN, {**THEN, "filled": {"postcode": 0.1, "email": 0.2}}, COMPARISONS)
    assert reason == "postcode is filled in 10% of records; it was in 90%."


def test_likely_pairs_that_agree_in_another_way() -> None:
    now = {**THEN, "levels": {"forename": {"exact": 300, "nickname": 200, "different": 500}}}
    (reason,) = drift(THEN, now, COMPARISONS)
    assert reason.startswith("Likely pairs compare otherwise by Forename")


def test_few_pairs_say_nothing() -> None:
    assert drift(THEN, {**THEN, "levels": {"forename": {"different": 12}}}, COMPARISONS) == []


def test_equal_shares_are_stable_however_many() -> None:
    assert instability({"same": 10, "different": 30}, {"same": 100, "different": 300}) == 0
