"""Which merge made one of two records, and which was taken back: from the decision log alone, so that a page may ask.

A sign-off lets the crosswalk follow at once (``pipelines/merge/run.py``); how far the visits of the past have come, the
warehouse alone knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.decisions.crosswalk import Signed, crosswalk, live_merges, signed_off
from pipelines.decisions.entry import Entry, Pair, candidate_id
from pipelines.decisions.standing import in_force
from pipelines.decisions.statement import DecisionRefusedError, person


@dataclass(frozen=True)
class Past:
    """One merge: its sign-off, and the entry that took it back; None while it stands."""

    signed: Signed
    taken_back: Entry | None = None

    @property
    def merge_id(self) -> str:
        """Its id."""
        return self.signed.merge.merge_id

    @property
    def candidate_ids(self) -> tuple[str, ...]:
        """The cases that were decided for it."""
        return tuple(candidate_id(*pair) for pair in self.signed.merge.pairs)


class Joined:
    """What the log says of merges, by record and by pair."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        entries = tuple(entries)
        self.live = live_merges(entries)
        self.crosswalk = crosswalk(signed.merge for signed in self.live.values())
        self._merges_at: dict[str, list[Signed]] = defaultdict(list)
        for signed in self.live.values():
            for ref in signed.merge.origins:
                self._merges_at[ref].append(signed)
        self.undone = _undone(entries)
        self._taken_back = {_in_order(pair): past for past in self.undone for pair in past.signed.merge.pairs}

    def merge_of(self, pair: Pair) -> Past | None:
        """The merge by which the two count as one record now; None while they are two."""
        one, other = pair
        if self.crosswalk.get(one, one) != self.crosswalk.get(other, other):
            return None
        of_one, of_other = self._merges_at.get(one, []), self._merges_at.get(other, [])
        holds_both = (signed for signed in reversed(of_one) if signed in of_other)
        newest = next(holds_both, None)
        return Past(newest) if newest else self.merge_at(one)

    def merge_at(self, client_ref: str) -> Past | None:
        """The newest merge that this record was part of and that stands."""
        found = self._merges_at.get(client_ref)
        return Past(found[-1]) if found else None

    def taken_back(self, pair: Pair) -> Past | None:
        """The merge that followed from this pair and was taken back last; None if there is none, or another stands."""
        return None if self.merge_of(pair) else self._taken_back.get(pair)


def refuse_to_unsay_what_is_merged(entries: Iterable[Entry], pairs: Iterable[Pair], who: str) -> None:
    """Raises DecisionRefusedError when ``who`` said *same* of one of the pairs and its two records are merged."""
    entries = tuple(entries)
    joined, said = Joined(entries), in_force(entries)
    for pair in pairs:
        mine = said.get(pair, {}).get(person(who))
        if mine and mine.verdict == "same" and (past := joined.merge_of(pair)):
            raise DecisionRefusedError(
                f"The two records are merged ({past.merge_id}), so what was said of them cannot simply be unsaid. "
                f"Whoever may merge takes the merge back: undo_merges in Airflow, or oneclient merge undo "
                f"{past.merge_id} --by NAME. The case is open again then.",
                code="D9",
            )


def _undone(entries: Iterable[Entry]) -> tuple[Past, ...]:
    """Every merge that was taken back, in the order of that."""
    standing: dict[str, Signed] = {}
    found: list[Past] = []
    for entry in signed_off(entries):
        for merge in entry.signed_plan.merges:
            standing.setdefault(merge.merge_id, Signed(merge, entry))
        for undone in entry.signed_plan.undoes:
            if signed := standing.pop(undone.merge_id, None):
                found.append(Past(signed, entry))
    return tuple(found)


def _in_order(pair: Pair) -> Pair:
    return min(pair), max(pair)
