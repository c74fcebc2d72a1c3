"""Where each pair stands today: a pure function of the log of entries and of the evidence as it is now.

What each person last said, and did not take back, counts. It lapses when the facts it was bound to have changed. Two
people who say *same* and *different* are in conflict; so is a chain of *same* that joins two records which somebody
holds to be different. *Unsure* abstains: it neither joins nor parts. When a merge is undone, every *same* from which it
followed lapses with it: what was taken apart is joined again only if somebody says so anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pipelines.decisions.entry import Entry, Pair
from pipelines.decisions.groups import Groups
from pipelines.decisions.statement import NO_CHOICES, Choices, person

Stands = Literal["same", "different", "unsure", "conflict", "lapsed"]
SETTLED: frozenset[str] = frozenset({"same", "different"})


@dataclass(frozen=True)
class Standing:
    """Where one decided pair stands, and why in words. An open pair has none.

    ``current`` are the verdicts that count, a person each, newest last; ``lapsed`` those whose evidence has changed.
    """

    pair: Pair
    candidate_id: str
    left_ref: str
    right_ref: str
    standing: Stands
    reason: str
    current: tuple[Entry, ...] = ()
    lapsed: tuple[Entry, ...] = ()

    @property
    def choices(self) -> Choices:
        """What the newest *same* that counts says of the merge."""
        return next((entry.chosen for entry in reversed(self.current) if entry.verdict == "same"), NO_CHOICES)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every verdict that is in force or lapsed, in the order of the log."""
        return tuple(sorted((*self.current, *self.lapsed), key=lambda entry: entry.sequence_number))


def undone(entries: Iterable[Entry]) -> frozenset[int]:
    """The numbers of the entries that were taken back."""
    return frozenset(entry.undoes for entry in entries if entry.undoes is not None)


def unmerged(entries: Iterable[Entry]) -> dict[Pair, int]:
    """For each pair whose merge was undone, the number of the entry that did so last."""
    return {
        (one, other): entry.sequence_number
        for entry in sorted(entries, key=lambda entry: entry.sequence_number)
        if entry.kind == "signoff"
        for undone in entry.signed_plan.undoes
        for one, other in undone.pairs
    }


def in_force(entries: Iterable[Entry]) -> dict[Pair, dict[str, Entry]]:
    """For each pair, what each person last said and did not take back, lapsed or not."""
    entries = sorted(entries, key=lambda entry: entry.sequence_number)
    gone = undone(entries)
    found: dict[Pair, dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        if entry.kind == "verdict" and entry.sequence_number not in gone:
            found[entry.pair][person(entry.who)] = entry
    return dict(found)


def standings(entries: Iterable[Entry], evidence: Mapping[Pair, str]) -> dict[Pair, Standing]:
    """The standing of every pair that somebody decided and did not take back.

    ``evidence`` holds the present evidence hash of each pair; a pair that is not in it has lapsed, since one of its
    records is no longer there.
    """
    entries = tuple(entries)
    apart_since = unmerged(entries)
    found = {
        pair: _alone(
            pair,
            tuple(sorted(said.values(), key=lambda e: e.sequence_number)),
            evidence.get(pair),
            apart_since.get(pair, 0),
        )
        for pair, said in in_force(entries).items()
    }
    return found | _contradicted(found)


def _alone(pair: Pair, said: tuple[Entry, ...], evidence_hash: str | None, apart_since: int) -> Standing:
    """The standing of one pair, whatever was said of others. ``apart_since``: the entry that undid its merge, or 0."""

    def has_lapsed(entry: Entry) -> bool:
        merge_undone = entry.verdict == "same" and entry.sequence_number < apart_since
        return merge_undone or entry.evidence_hash != evidence_hash

    current = tuple(entry for entry in said if not has_lapsed(entry))
    lapsed = tuple(entry for entry in said if has_lapsed(entry))
    standing, reason = _judged(current, evidence_hash)
    if not current and said[-1].sequence_number < apart_since and said[-1].evidence_hash == evidence_hash:
        reason = "the merge that followed from it was undone"
    newest = said[-1]
    refs = newest.left_ref or "", newest.right_ref or ""
    return Standing(pair, newest.candidate_id or "", *refs, standing, reason, current, lapsed)


def _judged(current: tuple[Entry, ...], evidence_hash: str | None) -> tuple[Stands, str]:
    if not current:
        gone = "one of the two records is no longer there"
        return "lapsed", gone if evidence_hash is None else "changed since it was decided"
    by = {verdict: [e.who for e in current if e.verdict == verdict] for verdict in ("same", "different", "unsure")}
    if by["same"] and by["different"]:
        return "conflict", f"{_names(by['same'])} said same, {_names(by['different'])} said different"
    verdict: Stands = "same" if by["same"] else "different" if by["different"] else "unsure"
    return verdict, f"{_names(by[verdict])} said {verdict}"


def _contradicted(found: Mapping[Pair, Standing]) -> dict[Pair, Standing]:
    """The *same* pairs of every chain whose ends, or any two links, somebody holds to be different."""
    joined = Groups(pair for pair, standing in found.items() if standing.standing == "same")
    against: dict[str, Standing] = {}
    for pair, standing in sorted(found.items()):
        parts = any(entry.verdict == "different" for entry in standing.current)
        if parts and joined.of(pair[0]) == joined.of(pair[1]):
            against.setdefault(joined.of(pair[0]), standing)
    return {
        pair: Standing(
            pair,
            standing.candidate_id,
            standing.left_ref,
            standing.right_ref,
            "conflict",
            f"a chain of same joins {apart.left_ref} and {apart.right_ref}, which are held to be different "
            f"({apart.candidate_id})",
            standing.current,
            standing.lapsed,
        )
        for pair, standing in found.items()
        if standing.standing == "same" and (apart := against.get(joined.of(pair[0])))
    }


def _names(who: Iterable[str]) -> str:
    return " and ".join(who)
