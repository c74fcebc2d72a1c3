"""Which tier a pair may be in at most, whatever its weight: rows in, tiers out."""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.warehouse import scratch_warehouse

CERTAIN = {
    "left_id": 1, "right_id": 2, "left_ref": "careplan/A", "right_ref": "KENT/reference/1", "match_weight": 60.0,
    "number_weight": 0.0, "curve": "plain", "relation": "", "numbers_differ": False, "numbers_agree": False,
    "births_differ": False, "births_agree": True, "years_apart": 0, "told_from_family": True, "forenames_differ": False,
    "surnames_agree": True, "genders_differ": False,
}  # fmt: skip
PLAIN = {"curve": "plain", "intercept": 0.0, "slope": 1.0, "var_intercept": 0.0, "covariance": 0.0, "var_slope": 0.0}
TIERS = {"caution": 2.0, "near_certain": 11.0, "likely": 7.0, "possible": 0.5}
ONE_NUMBER = {"numbers_agree": True, "forenames_differ": True}


@pytest.mark.parametrize(
    ("pair", "tier"),
    [
        ({}, "near-certain"),
        ({"relation": "probably twins"}, "possible"),
        ({"relation": "probably a couple"}, "possible"),
        ({"numbers_differ": True}, "possible"),
        ({"told_from_family": False}, "likely"),
        ({"births_differ": True}, "likely"),
        ({"years_apart": 14}, "likely"),
        ({"forenames_differ": True}, "likely"),
        (ONE_NUMBER, "near-certain"),
        ({**ONE_NUMBER, "genders_differ": True}, "likely"),
        ({"match_weight": 9.0}, "likely"),
        ({"match_weight": 1.0}, "possible"),
        ({"match_weight": -1.0}, None),
    ],
    ids=str,
)
def test_a_pair_is_at_most(pair: dict[str, object], tier: str | None) -> None:
    with (
        scratch_warehouse() as scratch,
        scratch.relation("related", pd.DataFrame([CERTAIN | pair])),
        scratch.relation("calibration", pd.DataFrame([PLAIN])),
    ):
        scratch.work("judged", "matched.judged", TIERS)
        assert scratch.rows("select tier from judged") == [(tier,)]
