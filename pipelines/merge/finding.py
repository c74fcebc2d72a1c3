"""What the watch finds on past merges, one by one and in short."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One thing that the watch found on a merge. ``breaks_a_law``: it must never be (law 7). ``contradicts``: it speaks
    against the merge, and is reported until it is settled; ``why`` says so, ``owner`` who can settle it, and
    ``client_refs`` names every record concerned."""

    merge_id: str
    client_ref: str
    what: str
    rows: int
    fix: str
    breaks_a_law: bool = False
    contradicts: bool = False
    why: str = ""
    owner: str = ""
    client_refs: tuple[str, ...] = ()

    @property
    def is_a_problem(self) -> bool:
        """Whether ``merge status`` exits 1 for it."""
        return self.breaks_a_law or self.contradicts


@dataclass(frozen=True)
class WatchLine:
    """All findings of one kind: on how many merges, how many rows, the first of the merges (of what contradicts a
    merge, all), and what to do about it."""

    what: str
    merges: int
    rows: int
    fix: str
    breaks_a_law: bool = False
    merge_ids: tuple[str, ...] = ()
    contradicts: bool = False
    why: str = ""
    owner: str = ""


def in_short(findings: Iterable[Finding]) -> tuple[WatchLine, ...]:
    """A line for each kind: first what must never be, then what contradicts a merge."""
    kinds: dict[tuple[bool, bool, str, str], list[Finding]] = {}
    for finding in findings:
        key = (not finding.breaks_a_law, not finding.contradicts, finding.what, finding.fix)
        kinds.setdefault(key, []).append(finding)
    lines = []
    for (lawful, agrees, what, fix), found in sorted(kinds.items(), key=lambda kind: kind[0]):
        merge_ids = sorted({finding.merge_id for finding in found})
        rows = sum(finding.rows for finding in found)
        named = tuple(merge_ids[:NAMED] if agrees else merge_ids)
        first = found[0]
        lines.append(WatchLine(what, len(merge_ids), rows, fix, not lawful, named, not agrees, first.why, first.owner))
    return tuple(lines)
