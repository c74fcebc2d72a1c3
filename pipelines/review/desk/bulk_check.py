"""*Same* for many near-certain candidates at once, once one person has checked a sample of them without the score.

The sample is drawn by a keyed hash, so nobody can choose it, and it is the same each time that the page is opened. What
one decided with the score in view is not drawn, and what one ever found not to be the same is not forgotten by an undo.
Nothing in the way, no household relation, no conflict: what has any of these is decided one by one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.decisions.entry import Entry
from pipelines.decisions.statement import DecisionRefusedError, person
from pipelines.decisions.store import DecisionStore
from pipelines.review.decide import BULK_SAME_TIER, bulk, open_queue
from pipelines.review.desk.queue import Night, Row, Wanted
from pipelines.review.quality import most_wrong
from pipelines.settings import Settings

SAMPLE = 20
_STATES = {"conflict": "in conflict", "lapsed": "changed since it was decided", "unsure": "somebody was unsure"}


@dataclass(frozen=True)
class BulkCheck:
    """A filtered set: what may be decided in bulk, the sample to be checked first, and how far that has come.

    ``passed`` and ``failed`` are what this person found the same, or ever found otherwise; ``open_ids`` are still to be
    decided and not of the sample; ``left_out`` counts what needs a look of its own.
    """

    sample: tuple[Row, ...]
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    open_ids: tuple[str, ...]
    left_out: dict[str, int]
    found_different: int

    @property
    def next_id(self) -> str:
        """The next of the sample to be checked; empty if all are."""
        done = {*self.passed, *self.failed}
        return next((row.candidate_id for row in self.sample if row.candidate_id not in done), "")

    @property
    def refusal(self) -> str:
        """Why the rest may not be decided in bulk; empty if it may."""
        if len(self.sample) < SAMPLE or not self.open_ids:
            return f"There are too few left for a sample of {SAMPLE}. Decide these one by one."
        if self.failed or self.found_different:
            return "Somebody found one of them not to be the same. Decide the others one by one."
        if self.next_id:
            return f"First decide the {SAMPLE} of the sample one by one, with the score hidden."
        return ""

    @property
    def most_wrong(self) -> float:
        """The largest share of the set that may be wrong although the whole sample was right (95%)."""
        return most_wrong(len(self.sample))


def bulk_check(night: Night, entries: Sequence[Entry], wanted: Wanted, who: str, key: bytes) -> BulkCheck:
    """How far ``who`` has come with the filtered set. ``entries``: the whole log."""
    rows = [row for row in night.rows if wanted.fits_but_for_state(row) and row.queued.tier == BULK_SAME_TIER]
    fit = [row for row in rows if not _in_the_way(row)]
    left_out = Counter(_in_the_way(row) for row in rows if _in_the_way(row) and not row.settled)
    mine = _said_of(entries, who)
    in_view = {candidate_id for candidate_id, said in mine.items() if not said[0].score_was_hidden}
    by_lot = sorted(fit, key=lambda row: _lot(key, night, who, row))
    sample = tuple(row for row in by_lot if row.candidate_id not in in_view)[:SAMPLE]
    drawn = {row.candidate_id for row in sample}
    rest = [row for row in by_lot if row.candidate_id not in drawn]
    left_out.update(_STATES[row.state] for row in rest if row.state in _STATES)
    return BulkCheck(
        sample,
        tuple(row.candidate_id for row in sample if (entry := row.holds_for(who)) and entry.verdict == "same"),
        tuple(row.candidate_id for row in fit if any(e.verdict != "same" for e in mine.get(row.candidate_id, ()))),
        tuple(row.candidate_id for row in rest if row.state == "open"),
        dict(sorted(left_out.items())),
        sum(any(entry.verdict == "different" for entry in row.said) for row in fit),
    )


def decide_the_rest(
    settings: Settings, store: DecisionStore, night: Night, wanted: Wanted, *, who: str, reason: str, key: bytes
) -> tuple[int, dict[str, int]]:
    """Record *same* of the rest of the set; gives how many, and how many were left out by why.

    Raises DecisionRefusedError unless the sample has been checked and every one of it is the same.
    """
    check = bulk_check(night, store.entries(), wanted, who, key)
    if check.refusal:
        raise DecisionRefusedError(check.refusal, code="D8")
    said = f"{reason.strip()} (in bulk, after a blind check of {SAMPLE})" if reason.strip() else ""
    found = bulk(open_queue(settings, store), BULK_SAME_TIER, verdict="same", who=who, door="page", reason=said)
    rest = frozenset(check.open_ids)
    recorded = store.record([one for one in found.statements if one.candidate_id in rest])
    done = sum(one.new for one in recorded)
    contradicting = len(rest) - len(recorded)
    return done, check.left_out | ({"would contradict another decision": contradicting} if contradicting else {})


def _said_of(entries: Sequence[Entry], who: str) -> dict[str, list[Entry]]:
    """Every verdict that this person ever gave, taken back or not, by candidate."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.kind == "verdict" and person(entry.who) == person(who):
            found[entry.candidate_id or ""].append(entry)
    return found


def _in_the_way(row: Row) -> str:
    if row.queued.relation:
        return "a household relation is likely"
    if row.torn:
        return "a third record contradicts it"
    return "something is in the way of a merge" if row.queued.blockers else ""


def _lot(key: bytes, night: Night, who: str, row: Row) -> bytes:
    said = f"{night.day}|{who}|{row.candidate_id}".encode()
    return hmac.new(key, said, hashlib.sha256).digest()
