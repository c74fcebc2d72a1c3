"""What somebody asks to be merged: a range of days, a council, a wave, some candidates; else everything."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import get_args

from pipelines.decisions.entry import candidate_id, id_digits
from pipelines.decisions.signoff import Merge, Wave
from pipelines.decisions.statement import DecisionRefusedError

__all__ = ["WAVES", "Selection", "candidate_id", "merge_id", "new_merge_id"]

WAVES: tuple[Wave, ...] = get_args(Wave)


@dataclass(frozen=True)
class Selection:
    """``from_on`` and ``to_on`` limit the visits of the past that move (half-open).

    ``candidate_ids`` may name merges too. ``without_decisions_of`` leaves out what this person decided, since they may
    not sign it off.
    """

    from_on: date | None = None
    to_on: date | None = None
    authority: str | None = None
    wave: str | None = None
    candidate_ids: frozenset[str] = frozenset()
    without_decisions_of: str | None = None

    def __post_init__(self) -> None:
        """Raises DecisionRefusedError for a range that holds no day, or a wave that there is not."""
        if self.from_on and self.to_on and self.from_on >= self.to_on:
            raise DecisionRefusedError("The range holds no day: its first day has to come before its end.", code="D14")
        if self.wave is not None and self.wave not in WAVES:
            raise DecisionRefusedError(f"The wave has to be one of {', '.join(WAVES)}.", code="D14")

    def names(self, merge: Merge) -> bool:
        """Whether the candidates (or merges) that are asked for, if any are, hold this one."""
        of_merge = {merge.merge_id, *(candidate_id(*pair) for pair in merge.pairs)}
        return not self.candidate_ids or bool(of_merge & self.candidate_ids)


def merge_id(refs: Sequence[str]) -> str:
    """The id of the merge of these records: of two, the digits of their candidate."""
    return f"M{id_digits(refs)}"


def new_merge_id(refs: Sequence[str], verdicts: Iterable[int], live: Container[str]) -> str:
    """The id of a merge that is about to be signed. When one in the middle of a chain was undone, a merge of records of
    the same names may still stand, of others that count for them: then the verdicts tell the two apart."""
    first = merge_id(refs)
    return first if first not in live else merge_id((*refs, *map(str, verdicts)))
