"""What a match weight has meant, by the numbers that were held out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipelines.match.calibrate import SHIPPED, Calibration, Curve, fit, quality
from pipelines.settings import MatchSettings

WEIGHTS = np.arange(-9.875, 30, 0.25)


def counts(intercept: float, slope: float, wrong: float = 0.0, pairs: int = 400) -> pd.DataFrame:
    """Pairs at each weight, of which as many agree as a curve says; of one person's, ``wrong`` have wrong numbers."""
    share = (1 - wrong) / (1 + np.exp(-(intercept + slope * WEIGHTS * np.log(2))))
    return pd.DataFrame({"curve": "plain", "weight": WEIGHTS, "pairs": pairs, "agreeing": np.round(share * pairs)})


@pytest.mark.parametrize(("intercept", "slope", "wrong"), [(0.0, 1.0, 0.0), (-1.5, 0.6, 0.0), (0.8, 1.2, 0.05)])
def test_the_curve_that_made_the_numbers_agree_is_found(intercept: float, slope: float, wrong: float) -> None:
    found = fit(counts(intercept, slope, wrong), SHIPPED["plain"])
    assert found.intercept == pytest.approx(intercept, abs=0.15)
    assert found.slope == pytest.approx(slope, abs=0.08)
    assert found.wrong_numbers == pytest.approx(wrong, abs=0.01)


def test_without_numbers_it_is_the_shipped_curve() -> None:
    assert fit(counts(0, 1).iloc[:0], SHIPPED["plain"]) == SHIPPED["plain"]


def test_few_numbers_leave_more_doubt_and_stay_nearer_to_the_shipped_curve() -> None:
    few, many = (fit(counts(-1.5, 0.5, pairs=n), SHIPPED["plain"]) for n in (2, 2_000))
    assert few.var_intercept > many.var_intercept
    assert few.var_slope > many.var_slope
    assert abs(few.slope - SHIPPED["plain"].slope) < abs(many.slope - SHIPPED["plain"].slope)


def test_a_tier_begins_where_its_precision_is_kept() -> None:
    """Were it to begin at 8 bits, 2 in 1,000 pairs would be two people; at 10 bits, 4 in 10,000."""
    tiers = [
        {"tier": "near-certain", "begins_at": 8.0, "pairs": 900, "expected_false": 0.002},
        {"tier": "near-certain", "begins_at": 10.0, "pairs": 800, "expected_false": 0.0004},
        {"tier": "near-certain", "begins_at": 12.0, "pairs": 700, "expected_false": 0.0001},
    ]
    calibration = Calibration(SHIPPED, (), tiers)
    assert calibration.tier_begins("near-certain", 0.9995) == 10.0
    assert calibration.tier_begins("near-certain", 0.999) == 10.0
    assert calibration.tier_begins("near-certain", 0.9998) == 12.0


def test_however_good_a_tier_is_its_edge_is_not_a_gamble() -> None:
    """A million sure pairs would let pairs at 2 bits (4 to 1) hide among them."""
    tiers = [{"tier": "near-certain", "begins_at": 2.0, "pairs": 1_000_000, "expected_false": 0.0001}]
    edge = Calibration(SHIPPED, (), tiers).tier_begins("near-certain", 0.9995)
    assert 1 / (1 + 2**edge) <= 0.02


def test_a_tier_that_nothing_was_measured_for_begins_at_its_precision() -> None:
    edge = Calibration(SHIPPED).tier_begins("near-certain", 0.9995)
    assert 1 / (1 + 2**edge) == pytest.approx(0.0005)


def test_the_quality_says_how_often_numbers_agree_in_a_tier() -> None:
    measured = [{"curve": "plain", "weight": 20.0, "pairs": 1000, "agreeing": 980}]
    curves = {**SHIPPED, "plain": Curve(0.0, 1.0, 0.01, 0.0, 0.01, 1000, 0.02)}
    tiers = [{"tier": "near-certain", "begins_at": 12.0, "pairs": 700, "expected_false": 0.0001}]
    told = quality(Calibration(curves, measured, tiers), MatchSettings())["near-certain"]
    assert told == {
        "begins_at_bits": 12.0,
        "pairs": 700,
        "expected_false": 0.0001,
        "pairs_with_numbers": 1000,
        "numbers_agree": 1.0,
    }
