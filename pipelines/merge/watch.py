"""The watch: every night, over all standing merges, whether a merged-away record comes back to life, whether anything
contradicts the merge now, and whether a reviewer decided otherwise. It only reports; a reviewer decides what to do."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.decisions.crosswalk import live_merges, signed_off
from pipelines.decisions.entry import Entry
from pipelines.decisions.store import open_decisions
from pipelines.merge.contradiction import Confirmations, contradictions
from pipelines.merge.decided import contested
from pipelines.merge.finding import NAMED, Finding, WatchLine, in_short
from pipelines.merge.plan import unfinished
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

_ORDER = "order came in since"
_FIX = {
    _ORDER: "ask the council to send the survivor's reference from now on",
    "visit came in since": "plan the visits on the survivor in the rostering system",
    "enrolment came in since": "enrol the survivor instead in the rostering system",
    "still on the books of its rostering system": "click the merge through in the rostering system (worklist)",
}
_BROKEN = "run again: oneclient merge apply; if it stays, keep the home as it is and report it"
_CONTESTED = "settle it; if they are two people: oneclient merge undo"
_UNFINISHED = "finish it: oneclient merge apply; if it is stopped, that says by what"


def watch(warehouse: Warehouse, entries: Iterable[Entry]) -> list[Finding]:
    """What there is to say of the merges that stand, as of the last night. Temporary table: ``merged_away``."""
    entries = list(entries)
    live = live_merges(entries)
    if not live:
        return []
    day = warehouse.one("select coalesce(max(taken_on), date '1900-01-01') from staged.taken_files")
    warehouse.work("merged_away", "merged.merged_away")
    confirmed = Confirmations(live, entries)
    found = [
        _came_to_light(*row)
        for *row, known_since in warehouse.work_rows("merged.watch", {"day": day})
        if row[2] != _ORDER or row[0] not in live or not confirmed.settle(row[0], [row[1]], known_since)
    ]
    merges = [signed.merge for signed in live.values()]
    found += [
        Finding(
            merge_id, live[merge_id].merge.survivor, why, 1, _CONTESTED, contradicts=True, why="reviewers disagree",
            owner="reviewer", client_refs=tuple(sorted(live[merge_id].merge.origins)),
        )
        for merge_id, why in sorted(contested(entries, merges).items())
    ]  # fmt: skip
    found += contradictions(warehouse, live, confirmed, day)
    return found


def _came_to_light(merge_id: str | None, client_ref: str, what: str, rows: int, breaks_a_law: bool) -> Finding:
    """A row of ``sql/5_merged/watch.sql``. An order on the merged-away record contradicts the merge until the council
    sends the survivor's reference; what the rostering system has not ended yet does not."""
    is_order = what == _ORDER
    return Finding(
        merge_id or "", client_ref, what, rows, _FIX.get(what, _BROKEN), breaks_a_law, contradicts=is_order,
        why="the council still pays for the record that was merged away" if is_order else "",
        owner="council" if is_order else "" if breaks_a_law else "rostering team", client_refs=(client_ref,),
    )  # fmt: skip


def watch_tonight(settings: Settings, warehouse: Warehouse) -> tuple[WatchLine, ...]:
    """What the night's report tells of past merges, by the decisions that the night read: an unfinished run first."""
    last = warehouse.one("select coalesce(max(sequence_number), 0) from reviewed.decisions")
    with open_decisions(settings) as store:
        entries = [entry for entry in store.entries() if entry.sequence_number <= last]
    lines = in_short(watch(warehouse, entries))
    begun = unfinished(warehouse, entries)
    waiting = [entry for entry in signed_off(entries) if entry.sequence_number == begun]
    return (*(_unfinished(entry) for entry in waiting), *lines)


def _unfinished(entry: Entry) -> WatchLine:
    plan = entry.signed_plan
    ids = [merge.merge_id for merge in plan.merges] + [undone.merge_id for undone in plan.undoes]
    what = f"the run of sign-off {entry.sequence_number} is not finished"
    return WatchLine(what, len(ids), 0, _UNFINISHED, False, tuple(ids[:NAMED]))
