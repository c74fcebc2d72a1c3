"""A decision log in short: rows in, as people said them, each with its number; nobody in it lives."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.decisions.entry import Entry, Pair
from pipelines.decisions.evidence import evidence_hash
from pipelines.decisions.standing import Standing, standings
from pipelines.decisions.statement import Statement

Line = tuple[str, str, str] | tuple[str, str, str, str]


def facts(pair: str, version: str = "as seen") -> str:
    """The facts of a pair such as "Ann Bea", in a version of them."""
    one, other = sorted(pair.split())
    return f'[{{"client_ref":"{one}","surname":"{version}"}},{{"client_ref":"{other}","surname":"ARCHER"}}]'


def said(who: str, pair: str, verdict: str, version: str = "as seen", **more: object) -> Statement:
    """What somebody says of a pair such as "Ann Bea"."""
    left, right = pair.split()
    text = facts(pair, version)
    reason = str(more.pop("reason", "looked at both files"))
    return Statement(
        f"C-{'-'.join(sorted(pair.split()))}", left, right, verdict, who, str(more.pop("door", "cli")), reason,
        evidence_hash(text), text, 0.97, 5.0, "likely", "m1", **more,  # type: ignore[arg-type]
    )  # fmt: skip


def log(*lines: Line) -> list[Entry]:
    """Entries 1, 2, 3 … from rows (who, pair, verdict) or (who, pair, verdict, version of the facts); a row
    (who, "undo", number) takes an entry back."""
    entries: list[Entry] = []
    for number, (who, pair, verdict, *version) in enumerate(lines, start=1):
        if pair == "undo":
            gone = entries[int(verdict) - 1]
            entries.append(
                Entry(
                    number, who, "cli", "undo", candidate_id=gone.candidate_id, left_ref=gone.left_ref,
                    right_ref=gone.right_ref, undoes=gone.sequence_number,
                )
            )  # fmt: skip
        else:
            one = said(who, pair, verdict, *version)
            entries.append(
                Entry(
                    number, who, "cli", "verdict", candidate_id=one.candidate_id, left_ref=one.left_ref,
                    right_ref=one.right_ref, verdict=verdict, reason=one.reason, choices="{}",
                    evidence_hash=one.evidence_hash,
                )
            )  # fmt: skip
    return entries


def key(pair: str) -> Pair:
    one, other = sorted(pair.split())
    return one, other


def standing_of(entries: Iterable[Entry], now: dict[str, str] | None = None) -> dict[Pair, Standing]:
    """Where each pair stands, when the facts are as they were seen but for those in ``now`` (pair: version)."""
    entries = list(entries)
    seen = {entry.pair: evidence_hash(facts(" ".join(entry.pair))) for entry in entries if entry.left_ref}
    return standings(entries, seen | {key(p): evidence_hash(facts(p, version)) for p, version in (now or {}).items()})


def in_short(found: dict[Pair, Standing]) -> dict[str, str]:
    return {" ".join(pair): standing.standing for pair, standing in found.items()}
