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
    warehouse: Warehouse,
    comparisons: Sequence[Comparison],
    columns: Sequence[str],
    pairs: str,
    judged: str,
    records: str,
) -> dict[str, Any]:
    """What of a register can drift: records, share filled of each column, levels of the likely among judged pairs."""
    shares = ", ".join(f"count({column}) / greatest(count(*), 1)" for column in columns)
    count, *filled = warehouse.rows(f"select count(*), {shares} from {records}")[0]
    levels = ", ".join(f"level_{comparison.name}" for comparison in comparisons)
    warehouse.execute(
        f"create or replace temp table likely_levels as select {levels} from {pairs}"
        f" semi join (from {judged} where tier in ('near-certain', 'likely')) using (left_id, right_id)"
    )
    return {
        "records": count,
        "filled": dict(zip(columns, filled, strict=True)),
        "levels": {
            comparison.name: dict(
                warehouse.rows(f"select level_{comparison.name}, count(*) from likely_levels group by 1 order by 1")
            )
            for comparison in comparisons
        },
    }


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
