"""Whether what was merged holds: nothing that counts today stands on a merged-away record (law 7), every row counts for
whom it should within the range, and the tables of ``merged`` pass their suites."""

from __future__ import annotations

from pipelines.decisions.entry import Entry
from pipelines.quality import check
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

_CHECKED = {
    "merged.crosswalk": "select *, survivor_id not in (select client_id from merged.crosswalk) as survivor_is_live"
    " from merged.crosswalk",
    "merged.ledger": "select checksum_before, checksum_after, visits, signed_by from merged.ledger",
}


def failures(settings: Settings, warehouse: Warehouse, signed: Entry) -> dict[str, str]:
    """For each merge (or undo) of a sign-off that does not hold the reason why, in counts.

    Temporary table ``touched`` has to be there (``Run``).
    """
    plan = signed.signed_plan
    bounds = {
        "as_of": plan.as_of, "from_on": plan.from_on, "to_on": plan.to_on, "partition": settings.merge.partition,
    }  # fmt: skip
    own = {merge.merge_id for merge in plan.merges} | {undone.merge_id for undone in plan.undoes}
    found: dict[str, str] = {}
    for merge_id, _, kind, rows in warehouse.work_rows("merged.left_behind", bounds):
        if merge_id in own:
            found[merge_id] = f"{rows:,} {kind.replace('_', ' ')} still count for a merged-away record"
    warehouse.execute(_MOVING, {"own": sorted(own)})
    warehouse.work("moves", "merged.moves", bounds)
    for of_merge, kind, rows in warehouse.rows(
        "select merge_id, kind, sum(rows)::bigint from moves where in_range group by all order by all"
    ):
        for merge_id in ({of_merge} if of_merge else own) - found.keys():
            found[merge_id] = f"{rows:,} {kind.replace('_', ' ')} do not count for whom they should"
    for table, rows_of in _CHECKED.items():
        if problem := check(table, warehouse.frame(rows_of), table).failures():
            found |= dict.fromkeys(own - found.keys(), f"{table}: {problem}")
    return found


# Records of no merge of the sign-off (undone, or an earlier link of its chain) are on the account of all of them.
_MOVING = """
    create or replace temp table moving as
    select coalesce(m.merge_id, '') as merge_id, t.*
    from touched as t
    left join merged.merges as m on m.client_id = t.client_id and list_contains($own, m.merge_id)
"""
