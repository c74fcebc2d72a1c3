"""Drift: is the register still like the one that the model was trained on?

A model stays pinned, so that scores can be compared from night to night. What it learnt wears out when the register
grows, when a column that was filled is not any more, or when likely pairs come to agree in other ways than they did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import Any

from pipelines.match.comparisons import Comparison
from pipelines.warehouse import Warehouse

GROWTH = 2.0
FILLED_SHIFT = 0.10
# The population stability index above which a credit score is remade (Siddiqi, Credit Risk Scorecards, 2006).
INSTABILITY = 0.25
ENOUGH_PAIRS = 300
LEAST_SHARE = 1e-3

Profile = Mapping[str, Any]


def profile(
    warehouse: Warehouse, filled: Mapping[str, int], comparisons: Sequence[Comparison], pairs: str, judged: str
) -> dict[str, Any]:
    """What of a register can drift: records, share filled of each column, levels of the likely among judged pairs.

    ``filled`` is the row of ``filled_columns``.
    """
    columns = ", ".join(f"histogram(level_{comparison.name})" for comparison in comparisons)
    levels = warehouse.rows(
        f"select {columns} from {pairs}"
        f" semi join (from {judged} where tier in ('near-certain', 'likely')) using (left_id, right_id)"
    )[0]
    return {
        "records": filled["records"],
        "filled": {
            column: count / max(filled["records"], 1) for column, count in filled.items() if column != "records"
        },
        "levels": {
            comparison.name: dict(sorted((counts or {}).items()))
            for comparison, counts in zip(comparisons, levels, strict=True)
        },
    }


def filled_columns(columns: Sequence[str], records: str) -> str:
    """SQL for one row: how many ``records`` there are, and of how many each column is filled."""
    counts = ", ".join(f"count({column}) as {column}" for column in columns)
    return f"select count(*) as records, {counts} from {records}"


def drift(then: Profile, now: Profile, comparisons: Sequence[Comparison]) -> list[str]:
    """Why the model should be trained again, in words; empty while it holds."""
    reasons = []
    if now["records"] >= GROWTH * then["records"]:
        reasons.append(f"The register has grown from {then['records']:,} to {now['records']:,} records.")
    for column, share in then["filled"].items():
        found = now["filled"].get(column, 0.0)
        if abs(found - share) > FILLED_SHIFT:
            reasons.append(f"{column.replace('_', ' ')} is filled in {found:.0%} of records; it was in {share:.0%}.")
    for comparison in comparisons:
        before, after = then["levels"].get(comparison.name, {}), now["levels"].get(comparison.name, {})
        if min(sum(before.values()), sum(after.values())) >= ENOUGH_PAIRS:
            index = instability(before, after)
            if index > INSTABILITY:
                reasons.append(f"Likely pairs compare otherwise by {comparison.label} (stability index {index:.2f}).")
    return reasons


def instability(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """The population stability index between two counts by level; 0 when the shares are the same."""

    def share(counts: Mapping[str, int], level: str) -> float:
        return max(counts.get(level, 0) / sum(counts.values()), LEAST_SHARE)

    return sum(
        (share(after, level) - share(before, level)) * log(share(after, level) / share(before, level))
        for level in sorted({*before, *after})
    )
