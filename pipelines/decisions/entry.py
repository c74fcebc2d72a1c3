"""One line of the decision log, and the chain of hashes that shows whether a line was changed, removed or put in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from pipelines.decisions.signoff import SignedPlan, plan_read
from pipelines.decisions.statement import Choices, canonical_json, choices_read

Kind = Literal["verdict", "undo", "signoff"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Pair = tuple[str, str]

FIRST_HASH = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One entry, numbered from 1 without gaps. ``undoes`` is the number of the entry that an undo takes back; ``plan``
    is what a sign-off signs (``signoff.SignedPlan`` as canonical JSON).

    ``recorded_at`` is UTC in ISO 8601; ``choices`` is canonical JSON; the score is what the person saw, or would have
    seen but for the blind mode (``score_was_hidden``).
    """

    sequence_number: int
    who: str
    door: str
    kind: str
    candidate_id: str | None = None
    left_ref: str | None = None
    right_ref: str | None = None
    verdict: str | None = None
    reason: str | None = None
    choices: str | None = None
    evidence_hash: str | None = None
    match_probability: float | None = None
    match_weight: float | None = None
    tier: str | None = None
    model_version: str | None = None
    score_was_hidden: bool | None = None
    seconds_spent: float | None = None
    undoes: int | None = None
    plan: str | None = None
    recorded_at: str = ""
    previous_hash: str = ""
    hash: str = ""

    @property
    def pair(self) -> Pair:
        """The two client refs in alphabetical order: one key for the pair, whichever stands left."""
        left, right = self.left_ref or "", self.right_ref or ""
        return min(left, right), max(left, right)

    @property
    def chosen(self) -> Choices:
        """The choices, read."""
        return choices_read(self.choices or "{}")

    @property
    def signed_plan(self) -> SignedPlan:
        """What the sign-off signs, read."""
        return plan_read(self.plan or "{}")

    @property
    def plan_hash(self) -> str:
        """Sixty-four hex digits of what the sign-off signs."""
        return hashlib.sha256((self.plan or "").encode()).hexdigest()

    @property
    def recorded(self) -> datetime:
        """When it was recorded (UTC)."""
        return datetime.fromisoformat(self.recorded_at)

    def recorded_in(self, timezone: str) -> datetime:
        """When it was recorded, by the clock of a place."""
        return self.recorded.astimezone(ZoneInfo(timezone))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def candidate_id(one: str, other: str) -> str:
    """The id of the case of two records, as ``sql/3_matched/judged.sql`` gives it."""
    return f"C{id_digits((one, other))}"


def id_digits(refs: Iterable[str]) -> str:
    """Ten hex digits of records, in any order."""
    return hashlib.md5("|".join(sorted(refs)).encode(), usedforsecurity=False).hexdigest()[:10].upper()


def entry_hash(entry: Entry) -> str:
    """SHA-256 over the canonical JSON of every other field that is filled, that of the entry before included."""
    fields = {name: value for name, value in vars(entry).items() if name != "hash" and value is not None}
    return hashlib.sha256(canonical_json(fields).encode()).hexdigest()


def first_broken(entries: Iterable[Entry]) -> int | None:
    """The number of the first entry that is not as it was recorded, or that the one before does not lead to."""
    before = FIRST_HASH
    for number, entry in enumerate(entries, start=1):
        if entry.sequence_number != number or entry.previous_hash != before or entry.hash != entry_hash(entry):
            return number
        before = entry.hash
    return None
