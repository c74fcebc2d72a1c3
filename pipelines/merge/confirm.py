"""A reviewer says *same* again of a standing merge, on the facts as they are now."""

from __future__ import annotations

from pipelines.decisions.crosswalk import live_merges
from pipelines.decisions.evidence import evidence_hash
from pipelines.decisions.snapshot import show_facts
from pipelines.decisions.statement import DecisionRefusedError, Statement
from pipelines.decisions.store import open_decisions
from pipelines.merge.selection import candidate_id
from pipelines.settings import Settings
from pipelines.stage.register import require_register
from pipelines.warehouse import Warehouse, open_warehouse


def confirm(settings: Settings, merge_id: str, *, who: str, reason: str) -> int:
    """Record *same* for every pair of the merge, and give the number of entries that are new.

    Raises DecisionRefusedError for a merge that is not live.
    """
    with open_decisions(settings) as store:
        signed = live_merges(store.entries()).get(merge_id.strip().upper())
        if signed is None:
            raise DecisionRefusedError("No merge of that id stands. See: oneclient merge status", code="D14")
        with open_warehouse(settings) as warehouse:
            require_register(warehouse)
            day = warehouse.one("select max(taken_on) from staged.taken_files")
            facts = _facts(warehouse, {ref for pair in signed.merge.pairs for ref in pair})
        if lost := {ref for pair in signed.merge.pairs for ref in pair} - facts.keys():
            raise DecisionRefusedError(
                f"{len(lost)} of its records are no longer in the register. Undo the merge instead.", code="D14"
            )
        reason = reason.strip()
        said = []
        for one, other in signed.merge.pairs:
            shown = f"[{','.join(sorted((facts[one], facts[other])))}]"
            why = f"{reason} ({signed.merge.merge_id} confirmed on the facts of {day})" if reason else ""
            said.append(
                Statement(candidate_id(one, other), one, other, "same", who, "cli", why, evidence_hash(shown), shown)
            )
        return sum(recorded.new for recorded in store.record(said))


def _facts(warehouse: Warehouse, refs: set[str]) -> dict[str, str]:
    show_facts(warehouse)
    found = warehouse.rows("select client_ref, facts from facts where client_ref in $refs", {"refs": sorted(refs)})
    return dict(found)
