"""What the watch finds on past merges, one by one and in short."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One thing that the watch found on a merge. ``breaks_a_law``: it must never be (law 7)."""

    merge_id: str
    client_ref: str
    what: str
    rows: int
    fix: str
    breaks_a_law: bool = False


@dataclass(frozen=True)
class WatchLine:
    """All findings of one kind: on how many merges, how many rows, the first of the merges, and what to do about it."""

    what: str
    merges: int
    rows: int
    fix: str
    breaks_a_law: bool = False
    merge_ids: tuple[str, ...] = ()


def in_short(findings: Iterable[Finding]) -> tuple[WatchLine, ...]:
    """A line for each kind, what must never be first."""
    kinds: dict[tuple[bool, str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((not finding.breaks_a_law, finding.what, finding.fix), []).append(finding)
    lines = []
    for (lawful, what, fix), found in sorted(kinds.items(), key=lambda kind: kind[0]):
        merge_ids = sorted({finding.merge_id for finding in found})
        rows = sum(finding.rows for finding in found)
        lines.append(WatchLine(what, len(merge_ids), rows, fix, not lawful, tuple(merge_ids[:NAMED])))
    return tuple(lines)
