"""Judge scored pairs: what relation may explain them, what their weight has meant, and so which tier is theirs."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.match.calibrate import Calibration, judging, number_level, number_weight, write_curves
from pipelines.match.comparisons import Comparison
from pipelines.settings import MatchSettings
from pipelines.warehouse import Warehouse

_RELATED_BY = ("forename", "surname", "birth", "home", "gender", "reference")


def relate(
    warehouse: Warehouse, comparisons: Sequence[Comparison], pairs: str, records: str, *, hold_numbers_out: bool = False
) -> None:
    """Temporary table ``related``: the scored pairs of records with the relation that may explain each.

    ``hold_numbers_out`` keeps what their identity numbers say in the column ``held_out``, as if nobody knew.
    """
    there = {comparison.name for comparison in comparisons}
    levels = {name: f"level_{name}" if name in there else "null::varchar" for name in _RELATED_BY}
    number = number_level(comparisons)
    levels["number"] = "null::varchar" if hold_numbers_out else number
    columns = ", ".join(f"{source} as level_{name}" for name, source in levels.items())
    weight = "0.0" if hold_numbers_out else number_weight(comparisons)
    warehouse.execute(
        "create or replace temp view pair_levels as select left_id, right_id, match_weight,"
        f" {number} as held_out, ({weight})::double as number_weight, {columns} from {pairs}"
    )
    warehouse.execute(f"create or replace temp view compared_records as select * from {records}")
    warehouse.work("related", "matched.related")


def judge(
    warehouse: Warehouse,
    comparisons: Sequence[Comparison],
    calibration: Calibration,
    settings: MatchSettings,
    pairs: str,
    records: str,
) -> None:
    """Temporary table ``judged``: the scored pairs of records, each with its calibrated probability and its tier."""
    relate(warehouse, comparisons, pairs, records)
    write_curves(warehouse, calibration.curves)
    warehouse.work("judged", "matched.judged", judging(calibration, settings))
