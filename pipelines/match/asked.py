"""Weigh pairs of records that a person names, whether or not a night would have looked at them."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from pipelines.match.blocking import block_keys, blocked_pairs
from pipelines.match.groups import find_variants, join_variants, show_compared
from pipelines.match.judge import judge
from pipelines.match.models import load_model
from pipelines.match.score import COMPARED, load_records
from pipelines.match.train import take_over_pairs
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

LEAST = 1e-300
"""Every pair is kept, however unlikely."""
_WITH_VARIANTS = """
    with compared_as as (
        select distinct unnest([left_id, right_id]) as client_id, unnest([left_id, right_id]) as compared_id from asked
        union all
        select survivor_id, client_id from variants
    )
    select
        least(l.compared_id, r.compared_id)::integer as left_id,
        greatest(l.compared_id, r.compared_id)::integer as right_id
    from asked as a
    join compared_as as l on l.client_id = a.left_id
    join compared_as as r on r.client_id = a.right_id
    order by all
"""  # a merged group is compared by its profile and by each of its members


def weigh_asked(settings: Settings, warehouse: Warehouse, pairs: Collection[tuple[int, int]]) -> bool:
    """Score pairs of live client records (the smaller id left) with the present model; False: there is none.

    Temporary tables: ``cases``, the pairs as candidates, of which those that matching would not propose have an empty
    tier; ``case_levels``, what each comparison says.
    """
    model = load_model(settings)
    if model is None:
        return False
    asked = pd.DataFrame(sorted(pairs), columns=["left_id", "right_id"], dtype="int32")
    with warehouse.relation("named_pairs", asked):
        warehouse.execute("create or replace temp table asked as from named_pairs")
    warehouse.execute(
        "create or replace temp table touched as"
        " select distinct unnest([left_id, right_id]) as client_id, 0::ubigint as source_hash from asked"
    )
    warehouse.work("profiles", "matched.profiles")
    show_compared(warehouse)
    warehouse.work("asked_records", "matched.records")
    keys = block_keys(model.blocking, "asked_records")
    warehouse.execute(f"create or replace temp table asked_blocks as {keys}")
    met = blocked_pairs(model.blocking, "asked_blocks", "asked_blocks")
    warehouse.execute(f"create or replace temp table met as {met}")
    variants = find_variants(warehouse)
    with warehouse.scratch() as scratch:
        records = f"select {COMPARED} from (from asked_records union all by name from variant_records)"
        load_records(scratch, "records", warehouse.batches(records))
        with scratch.relation("asked", warehouse.batches(_WITH_VARIANTS)):
            model.engine(scratch).score("from asked", "scored_pairs", LEAST)
        take_over_pairs(warehouse, scratch)
    if variants:
        join_variants(warehouse)
    judge(warehouse, model.comparisons, model.calibration, settings.match, "scored_pairs", "asked_records")
    warehouse.work("cases", "matched.asked")
    warehouse.execute("create or replace temp view case_levels as from scored_pairs")
    return True
