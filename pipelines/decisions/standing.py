"""Where each pair stands today: a pure function of the log of entries and of the evidence as it is now.

What each person last said, and did not take back, counts. It lapses when the facts it was bound to have changed; a
*different* only when the change brings the two records nearer to each other. Two people who say *same* and *different*
are in conflict; so is a chain of *same* that joins two records which somebody holds to be different. *Unsure* abstains:
it neither joins nor parts. When a merge is undone, every *same* from which it followed lapses with it: what was taken
apart is joined again only if somebody says so anew.

*Different* holds through merges: while one of the two records counts for a survivor, the survivor is different too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pipelines.decisions.crosswalk import crosswalk, live_merges
from pipelines.decisions.entry import Entry, Pair, candidate_id
from pipelines.decisions.evidence import brings_nearer
from pipelines.decisions.groups import Groups
from pipelines.decisions.statement import NO_CHOICES, Choices, person

Stands = Literal["same", "different", "unsure", "conflict", "lapsed"]
SETTLED: frozenset[str] = frozenset({"same", "different"})

_OUTWEIGH = frozenset({"different", "conflict"})

Recall = Callable[[Collection[str]], Mapping[str, str]]
"""Gives the facts behind evidence hashes, as far as they are known."""


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


def standings(
    entries: Iterable[Entry], evidence: Mapping[Pair, str], recall: Recall = lambda hashes: {}
) -> dict[Pair, Standing]:
    """The standing of every pair that somebody decided and did not take back, and of every pair of survivors of which
    *different* was said of records that count for them.

    ``evidence`` holds the present evidence hash of each pair; a pair that is not in it has lapsed, since one of its
    records is no longer there. A *different* whose facts ``recall`` does not know lapses by any change.
    """
    entries = tuple(entries)
    apart_since = unmerged(entries)
    survivor = crosswalk(signed.merge for signed in live_merges(entries).values())
    decided = in_force(entries)
    known = _facts_of_different(decided, evidence, recall)
    found = {
        pair: _alone(
            pair,
            tuple(sorted(said.values(), key=lambda e: e.sequence_number)),
            evidence.get(pair),
            apart_since.get(pair, 0),
            known,
        )
        for pair, said in decided.items()
    }
    found |= _contradicted(found, survivor)
    return found | _apart_through_merges(found, survivor)


def _facts_of_different(
    decided: Mapping[Pair, Mapping[str, Entry]], evidence: Mapping[Pair, str], recall: Recall
) -> Mapping[str, str]:
    """The facts, then and now, of every *different* that was said of other facts than those of today."""
    hashes = {
        seen
        for pair, said in decided.items()
        for entry in said.values()
        if entry.verdict == "different" and (now := evidence.get(pair)) and entry.evidence_hash != now
        for seen in (entry.evidence_hash or "", now)
    }
    return recall(hashes) if hashes else {}


def _alone(
    pair: Pair, said: tuple[Entry, ...], evidence_hash: str | None, apart_since: int, known: Mapping[str, str]
) -> Standing:
    """The standing of one pair, whatever was said of others. ``apart_since``: the entry that undid its merge, or 0."""

    def has_lapsed(entry: Entry) -> bool:
        if entry.evidence_hash == evidence_hash:
            return entry.verdict == "same" and entry.sequence_number < apart_since
        before, now = known.get(entry.evidence_hash or ""), known.get(evidence_hash or "")
        return entry.verdict != "different" or not before or not now or brings_nearer(before, now)

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


def _contradicted(found: Mapping[Pair, Standing], survivor: Mapping[str, str]) -> dict[Pair, Standing]:
    """The *same* pairs of every chain whose ends, or any two links, somebody holds to be different. What is merged
    (``survivor``) is a link of a chain too."""
    joined = Groups((*survivor.items(), *(pair for pair, standing in found.items() if standing.standing == "same")))
    against: dict[str, Standing] = {}
    for pair, standing in sorted(found.items()):
        if _parts(standing) and joined.of(pair[0]) == joined.of(pair[1]):
            against.setdefault(joined.of(pair[0]), standing)
    return {
        pair: replace(
            standing,
            standing="conflict",
            reason=f"a chain of same joins {apart.left_ref} and {apart.right_ref}, which are held to be different "
            f"({apart.candidate_id})",
        )
        for pair, standing in found.items()
        if standing.standing == "same" and (apart := against.get(joined.of(pair[0])))
    }


def _apart_through_merges(found: Mapping[Pair, Standing], survivor: Mapping[str, str]) -> dict[Pair, Standing]:
    """Pairs of live records that stand as *different* since it was said of records that count for them now."""
    inherited: dict[Pair, Standing] = {}
    for pair, standing in sorted(found.items()):
        one, other = sorted(survivor.get(ref, ref) for ref in pair)
        own = found.get((one, other))
        if one == other or (one, other) == pair or not _parts(standing) or (own and own.standing in _OUTWEIGH):
            continue
        merged = ", ".join(f"{ref} counts for {survivor[ref]}" for ref in pair if ref in survivor)
        who = _names(entry.who for entry in standing.current if entry.verdict == "different")
        reason = f"{who} said that {pair[0]} and {pair[1]} are two people ({standing.candidate_id}), and {merged}"
        blank = Standing((one, other), candidate_id(one, other), one, other, "different", "")
        inherited.setdefault((one, other), replace(own or blank, standing="different", reason=reason))
    return inherited


def _parts(standing: Standing) -> bool:
    """Whether somebody holds the two to be different."""
    return any(entry.verdict == "different" for entry in standing.current)


def _names(who: Iterable[str]) -> str:
    return " and ".join(who)
