"""What a person signs off before anything is merged: the merges of one plan, or earlier ones that it takes back.

The whole plan stands in the log, so that who counts for whom follows from the log alone. It names client refs, numbers
of entries and choices, and no personal data.
"""

from __future__ import annotations

import hashlib
from datetime import date
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipelines.decisions.statement import NO_CHOICES, Choices, canonical_json

Wave = Literal["empty", "no money", "money"]
Refs = tuple[str, ...]


class _Signed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Member(_Signed):
    """A record that was live when the merge was signed off, with all that counted for it, itself first."""

    client_ref: str
    origins: Refs


class Merge(_Signed):
    """Two or more live records that become one. ``pairs`` are those that people decided, by the entries ``verdicts``.

    ``choices`` are all that the decisions said, ``former`` the (issuer, number) of live references that go on no more.
    """

    merge_id: str
    survivor: str
    members: tuple[Member, ...]
    pairs: tuple[tuple[str, str], ...]
    verdicts: tuple[int, ...]
    wave: Wave
    choices: Choices = NO_CHOICES
    former: tuple[tuple[str, str], ...] = ()

    @property
    def origins(self) -> frozenset[str]:
        """All records that counted for a member."""
        return frozenset(ref for member in self.members for ref in member.origins)

    @property
    def sources(self) -> tuple[Member, ...]:
        """The members that are merged away."""
        return tuple(member for member in self.members if member.client_ref != self.survivor)


class Undone(_Signed):
    """A merge that is taken back, and the pairs that were decided for it."""

    merge_id: str
    pairs: tuple[tuple[str, str], ...]


class SignedPlan(_Signed):
    """What one sign-off covers. ``after`` is the number of the sign-off before it, so that no plan is signed twice.

    ``as_of`` is the night on whose register it was drawn up. ``from_on`` and ``to_on`` limit the visits of the past
    that move (half-open; None: without end); what is to come always moves.
    """

    after: int
    as_of: date
    from_on: date | None = None
    to_on: date | None = None
    merges: tuple[Merge, ...] = ()
    undoes: tuple[Undone, ...] = ()

    def as_json(self) -> str:
        """Canonical JSON: equal plans are equal texts."""
        return canonical_json(self.model_dump(mode="json", exclude_defaults=True))

    def plan_hash(self) -> str:
        """Sixty-four hex digits of the plan."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()


@lru_cache(maxsize=64)
def plan_read(text: str) -> SignedPlan:
    """A plan from the canonical JSON of an entry."""
    return SignedPlan.model_validate_json(text)
