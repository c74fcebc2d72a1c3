"""The event feed ``HOME/published/events.jsonl``: one line for each merge, partial merge, undo and forgetting, in the
order in which they were carried out. Other systems follow it; its lines, applied in order, give the crosswalk.

Every event follows from the decision store. What is not in the feed yet is added at its end, so a killed process
neither loses an event nor publishes one twice; lines that are there are never changed.
"""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipelines.decisions.crosswalk import crosswalk, ever_joined, signed_off
from pipelines.decisions.entry import Entry
from pipelines.decisions.forgetting import Forgetting, read_forgettings
from pipelines.decisions.signoff import Merge
from pipelines.decisions.store import DecisionStore
from pipelines.merge.masks import masked
from pipelines.private import whole_file
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

FEED = "events.jsonl"
Key = tuple[int, str]
"""The number of a sign-off with the id of a merge, or the number of a forgetting with no id."""


@dataclass(frozen=True)
class Event:
    """Something that was carried out. ``at`` is when it was signed or recorded, UTC in ISO 8601.

    ``number`` is that of the sign-off in the decision log, of a forgetting that of its own record. ``counts_for`` says
    of every record for which something changed which record it counts for from now on: itself, if it is live again.
    """

    event: Literal["merged", "partially_merged", "undone", "record_forgotten"]
    at: str
    number: int
    merge_id: str = ""
    refs: Mapping[str, Any] = field(default_factory=dict)
    counts_for: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What tells this event from every other."""
        return self.number, self.merge_id

    def line(self, sequence: int, *, mask: bool) -> bytes:
        """The event as a line of the feed."""
        number = {"signed_in": self.number, "merge_id": self.merge_id} if self.merge_id else {"forgetting": self.number}
        moved = [{"client_ref": ref, "survivor_ref": now} for ref, now in self.counts_for.items()]
        refs: dict[str, Any] = {**self.refs, **({"counts_for": moved} if self.merge_id else {})}
        said = {"sequence": sequence, "at": self.at, "event": self.event, **number, **(masked(refs) if mask else refs)}
        return json.dumps(said, ensure_ascii=False).encode() + b"\n"


def carried_out(warehouse: Warehouse, store: DecisionStore, known: Collection[Key] = ()) -> list[Event]:
    """What this warehouse has carried out, in order; but for the events that are ``known``."""
    last = warehouse.one(
        "select coalesce(max(signed_in), 0) from (select signed_in from merged.runs union all from"
        " (select signed_in from merged.merges))"
    )
    done = {number for (number,) in warehouse.rows("select number from staged.forgettings")}
    entries = [entry for entry in store.entries() if entry.sequence_number <= last]
    forgettings = [each for each in read_forgettings(store.engine) if each.number in done]
    return list(events_of(entries, forgettings, known))


def events_of(
    entries: Iterable[Entry], forgettings: Iterable[Forgetting] = (), known: Collection[Key] = ()
) -> Iterator[Event]:
    """The events that follow from these entries of the log, in its order; but for those that are ``known``."""
    forgotten = (_forgotten(each) for each in forgettings if (each.number, "") not in known)
    return heapq.merge(_signed(list(entries), known), forgotten, key=lambda event: event.at)


def read_feed(settings: Settings) -> list[bytes]:
    """The lines of the feed, each with its end; none if it is not there."""
    file = settings.published / FEED
    return file.read_bytes().splitlines(keepends=True) if file.exists() else []


def publish_events(settings: Settings, warehouse: Warehouse, store: DecisionStore) -> int:
    """Add what was carried out and is not in the feed yet; gives how many events. Nothing new: no byte is written.

    It has to be the caller's turn in ``HOME/published``.
    """
    lines = read_feed(settings)
    events = carried_out(warehouse, store, {key for line in lines if (key := _key_of(line))})
    if events or not (settings.published / FEED).exists():
        added = (
            event.line(sequence, mask=settings.report.mask) for sequence, event in enumerate(events, len(lines) + 1)
        )
        with whole_file(settings.published / FEED) as file:
            file.writelines([*lines, *added])
    return len(events)


def feed_problem(settings: Settings, warehouse: Warehouse, store: DecisionStore) -> str:
    """What is wrong with the feed; empty if it says all that was carried out, and nothing else."""
    lines, events = read_feed(settings), {event.key: event for event in carried_out(warehouse, store)}
    told = [(line, _key_of(line)) for line in lines]
    changed = [
        sequence
        for sequence, (line, key) in enumerate(told, start=1)
        if not key or key not in events or all(line != events[key].line(sequence, mask=mask) for mask in (False, True))
    ]
    missing = len(events.keys() - {key for _, key in told})
    if changed:
        return f"line {changed[0]} is not as it was published"
    return f"{missing} events are missing" if missing else ""


def replayed(lines: Iterable[bytes]) -> dict[str, str]:
    """The crosswalk that the lines of a feed give: for each merged-away record the one that it counts for."""
    counts_for: dict[str, str] = {}
    for line in lines:
        for moved in json.loads(line).get("counts_for", ()):
            counts_for[moved["client_ref"]] = moved["survivor_ref"]
    return {ref: survivor for ref, survivor in sorted(counts_for.items()) if ref != survivor}


def _signed(entries: list[Entry], known: Collection[Key]) -> Iterator[Event]:
    """Merges and undos. Who counts for whom is asked of the records alone that any merge ever joined to these."""
    groups = ever_joined(entries)
    live: dict[str, dict[str, Merge]] = defaultdict(dict)
    for entry in signed_off(entries):
        plan = entry.signed_plan
        limits = {"visits_from": plan.from_on and str(plan.from_on), "visits_to": plan.to_on and str(plan.to_on)}
        for merge in plan.merges:
            joined = live[groups.of(merge.survivor)]
            now = {**joined, merge.merge_id: joined.get(merge.merge_id, merge)}
            if (entry.sequence_number, merge.merge_id) not in known:
                limited = plan.from_on or plan.to_on
                refs = _refs(merge) | (limits if limited else {})
                how: Literal["merged", "partially_merged"] = "partially_merged" if limited else "merged"
                yield Event(how, entry.recorded_at, entry.sequence_number, merge.merge_id, refs, _changes(joined, now))
            live[groups.of(merge.survivor)] = now
        for undone in plan.undoes:
            group = groups.of(undone.pairs[0][0])
            now = {merge_id: merge for merge_id, merge in live[group].items() if merge_id != undone.merge_id}
            merge_undone = live[group].get(undone.merge_id)
            if merge_undone and (entry.sequence_number, undone.merge_id) not in known:
                yield Event(
                    "undone", entry.recorded_at, entry.sequence_number, undone.merge_id, _refs(merge_undone),
                    _changes(live[group], now),
                )  # fmt: skip
            live[group] = now


def _refs(merge: Merge) -> dict[str, Any]:
    return {"survivor_ref": merge.survivor, "merged_refs": [member.client_ref for member in merge.sources]}


def _changes(before: Mapping[str, Merge], after: Mapping[str, Merge]) -> dict[str, str]:
    then, now = crosswalk(before.values()), crosswalk(after.values())
    return {ref: now.get(ref, ref) for ref in sorted({*then, *now}) if then.get(ref, ref) != now.get(ref, ref)}


def _forgotten(each: Forgetting) -> Event:
    refs = {"client_refs": sorted(each.forgotten.client_refs)}
    return Event("record_forgotten", each.recorded_at, each.number, refs=refs)


def _key_of(line: bytes) -> Key | None:
    """The key of a line's event; None for a line that is none."""
    try:
        said = json.loads(line)
        return (said["signed_in"], said["merge_id"]) if "signed_in" in said else (said["forgetting"], "")
    except (ValueError, KeyError, TypeError):
        return None
