"""The model: the comparisons that a set of records can bear, and as Splink is given them.

It is built from the columns that there are, so that a register without phones, or a file with a birth place instead,
gets the comparisons that it can bear.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from pipelines.match.comparisons import EVERY_COMPARISON, MISSING, TOWN, Comparison, Level

_COLUMN = re.compile(r"\b([a-z_0-9]+)_[lr]\b")


def comparisons_for(columns: Collection[str]) -> tuple[Comparison, ...]:
    """The comparisons that records with these columns can bear. A town is compared only where no home can be."""
    has_home = bool({"home", "postcode"} & set(columns))
    offered = EVERY_COMPARISON if has_home else (*EVERY_COMPARISON, TOWN)
    return tuple(c for c in (_fitted(comparison, columns) for comparison in offered) if c)


def terms_of(comparisons: Iterable[Comparison]) -> tuple[str, ...]:
    """The columns whose term frequencies the comparisons use."""
    return tuple(sorted({level.term for c in comparisons for level in c.levels if level.term}))


def splink_settings(comparisons: Iterable[Comparison], blocking: Iterable[str], prior: float) -> dict[str, Any]:
    """The model as Splink settings. ``prior``: the probability that two records taken at random are one person."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "client_id",
        "probability_two_random_records_match": prior,
        "comparisons": [_splink_comparison(comparison) for comparison in comparisons],
        "blocking_rules_to_generate_predictions": [{"blocking_rule": rule} for rule in blocking],
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
        "additional_columns_to_retain": [],
    }


def _fitted(comparison: Comparison, columns: Collection[str]) -> Comparison | None:
    """The comparison with the levels that the columns allow, shares scaled to sum to one; None if nothing is left."""
    asks = tuple(column for column in comparison.asks if column in columns)
    levels = [level for level in (_fitted_level(level, columns) for level in comparison.levels) if level]
    if not asks or len(levels) < 2:
        return None
    m, u = sum(level.m for level in levels), sum(level.u for level in levels)
    scaled = tuple(replace(level, m=level.m / m, u=level.u / u) for level in levels)
    passes_if = comparison.passes_if if _columns_of(comparison.passes_if) <= set(columns) else ""
    return replace(comparison, asks=asks, levels=scaled, passes_if=passes_if)


def _fitted_level(level: Level, columns: Collection[str]) -> Level | None:
    alternatives = (level.condition,) if isinstance(level.condition, str) else level.condition
    able = [condition for condition in alternatives if _columns_of(condition) <= set(columns)]
    if not able:
        return None
    return replace(level, condition=able[0] if len(able) == 1 else " or ".join(f"({c})" for c in able))


def _columns_of(condition: str) -> set[str]:
    return set(_COLUMN.findall(condition))


def _splink_comparison(comparison: Comparison) -> dict[str, Any]:
    empty = [f"coalesce({', '.join(f'{c}_{side}::varchar' for c in comparison.asks)}) is null" for side in "lr"]
    missing = " or ".join([*empty, *([f"coalesce({comparison.passes_if}, false)"] if comparison.passes_if else [])])
    return {
        "output_column_name": comparison.name,
        "comparison_description": comparison.label,
        "comparison_levels": [
            {"sql_condition": missing, "label_for_charts": MISSING.words, "is_null_level": True},
            *map(_splink_level, comparison.levels),
        ],
    }


def _splink_level(level: Level) -> dict[str, Any]:
    written: dict[str, Any] = {
        "sql_condition": "ELSE" if level.condition == "else" else level.condition,
        "label_for_charts": level.words,
        "m_probability": level.m,
        "u_probability": level.u,
        "fix_m_probability": level.shipped,
        "fix_u_probability": level.shipped,
    }
    if level.term:
        written |= {"tf_adjustment_column": level.term, "tf_adjustment_weight": 1.0}
        written |= {"disable_tf_exact_match_detection": True}
    return written
