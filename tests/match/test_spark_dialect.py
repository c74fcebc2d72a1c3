"""What DuckDB's conditions become in Spark SQL; that they mean the same is seen in test_on_spark.py."""

from __future__ import annotations

import pytest

from pipelines.match.blocking import BLOCKING, block_keys, blocked_pairs
from pipelines.match.comparisons import REGISTER_COLUMNS
from pipelines.match.model import comparisons_for, splink_settings
from pipelines.match.spark.dialect import UntranslatedError, in_spark

EVERY_COLUMN = (*REGISTER_COLUMNS, "national_id", "birth_place", "occupation")


def test_every_condition_of_every_comparison_has_a_translation() -> None:
    for comparison in splink_settings(comparisons_for(EVERY_COLUMN), [], 0.001)["comparisons"]:
        for level in comparison["comparison_levels"]:
            if level["sql_condition"] != "ELSE":
                written = in_spark(level["sql_condition"]).lower()
                assert "jaro_winkler_similarity" not in written and "jarowinkler" not in written
                assert "hamming" not in written and "::" not in written


def test_blocking_has_one_too() -> None:
    written = in_spark(blocked_pairs(BLOCKING, f"({block_keys(BLOCKING, 'changed_records')})", "blocks"))
    assert "XXHASH64(born, LEFT(surname, 2))" in written
    assert "LEAST(one_id, other_id) AS left_id" in written


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param("jaro_winkler_similarity(a_l, a_r) >= 0.6", id="below what the bound holds for"),
        pytest.param("jaro_winkler_similarity(a_l, a_r) > 0.9", id="another comparison"),
        pytest.param("jaro_winkler_similarity(a_l, a_r) + 1 >= 1.9", id="reckoned with"),
    ],
)
def test_what_may_not_come_out_the_same_is_refused(condition: str) -> None:
    with pytest.raises(UntranslatedError, match="no translation"):
        in_spark(condition)
