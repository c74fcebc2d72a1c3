"""Hold the candidates against a known truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse


@dataclass(frozen=True)
class Truth:
    """True pairs of client records, how many are candidates, and how many candidates are two people.

    ``by_tier``: tier → {"true": candidates that are one person, "false": that are two}. ``missed_by_kind`` and
    ``false_by_kind`` count by the hardest thing about the pair.
    """

    true_pairs: int
    found: int
    missed: int
    false_candidates: int
    by_tier: dict[str, dict[str, int]]
    missed_by_kind: dict[str, int]
    false_by_kind: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def against_truth(settings: Settings, truth_csv: Path) -> Truth:
    """Count found, missed and false candidates against ``truth.csv`` as ``oneclient sample`` writes it."""
    with open_warehouse(settings) as warehouse:
        warehouse.execute(
            "create or replace temp table truth as select * from read_csv($path, all_varchar = true)",
            {"path": str(truth_csv)},
        )
        warehouse.work("judged", "matched.truth_pairs")
        tiers = warehouse.rows(
            "select tier, is_true, count(*) from judged where tier is not null group by all order by all"
        )
        missed = dict(warehouse.rows("select kind, count(*) from judged where tier is null group by 1 order by 2 desc"))
        false = dict(warehouse.rows("select kind, count(*) from judged where not is_true group by 1 order by 2 desc"))
    by_tier = {tier: {"true": 0, "false": 0} for tier in ("near-certain", "likely", "possible")}
    for tier, is_true, count in tiers:
        by_tier[tier]["true" if is_true else "false"] = count
    found = sum(counts["true"] for counts in by_tier.values())
    return Truth(found + sum(missed.values()), found, sum(missed.values()), sum(false.values()), by_tier, missed, false)
