"""What stops a merge that was signed off already, when it comes to light before the merge is finished.

Of the blockers of the plan only those are asked again that a later arrival cannot make moot: an order or a reference
that comes in for a merged-away record counts for the survivor at once, and is the watch's business, not a reason to
leave a person's care half moved.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.decisions.crosswalk import live_merges
from pipelines.decisions.entry import Entry
from pipelines.merge.blockers import RULES, blockers
from pipelines.merge.case import Case
from pipelines.merge.decided import contested
from pipelines.merge.plan import sides
from pipelines.warehouse import Warehouse

_STILL_ASKED = frozenset({"NHS_NUMBERS_DIFFER", "RESTRICTED", "DECEASED_AND_ALIVE"})


def stopped(warehouse: Warehouse, entries: Iterable[Entry], signed: Entry) -> dict[str, str]:
    """For each merge of a sign-off that must not go further the reason why; merges that were undone are left out."""
    entries = list(entries)
    live = live_merges(entries)
    plan = signed.signed_plan
    merges = [merge for merge in plan.merges if merge.merge_id in live]
    if not merges:
        return {}
    counting = {ref: member.client_ref for merge in merges for member in merge.members for ref in member.origins}
    records = sides(warehouse, plan.as_of, counting.items())
    rules = [rule for rule in RULES if rule.kind in _STILL_ASKED]
    why = contested(entries, merges)
    for merge in merges:
        there = (records.get(member.client_ref) for member in merge.members)
        case = Case(tuple(record for record in there if record), merge.choices)
        if merge.survivor not in records:
            why[merge.merge_id] = "no row is left on the record that stays"
        elif found := blockers(case, merge.survivor, rules):
            why[merge.merge_id] = found[0].what
    return why
