"""Every way in which a case may be merged: into each of its records, with what blocks it and what would come of it."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.merge.blockers import Blocker, blockers
from pipelines.merge.case import Case
from pipelines.merge.preview import Preview, preview
from pipelines.merge.survivor import Recommendation, recommend


@dataclass(frozen=True)
class Outcome:
    """The case merged into one of its records."""

    survivor_ref: str
    blockers: tuple[Blocker, ...]
    preview: Preview

    @property
    def can_be_chosen(self) -> bool:
        """Whether choices alone deal with every blocker that is left."""
        return all(blocker.lifted_by for blocker in self.blockers)


def outcomes(case: Case) -> tuple[Recommendation, tuple[Outcome, ...]]:
    """The recommended survivor, and the outcome for each record as survivor: first the one that the choices name, or
    else the recommended one."""
    recommended = recommend(case.records)
    first = case.choices.survivor or recommended.survivor_ref
    refs = sorted((r.client_ref for r in case.records), key=lambda ref: ref != first)
    return recommended, tuple(Outcome(ref, blockers(case, ref), preview(case, ref)) for ref in refs)


def other_ways(tried: tuple[Outcome, ...], survivor_ref: str) -> tuple[Outcome, ...]:
    """Where merging into ``survivor_ref`` is blocked: the other directions in which nothing is."""
    chosen = next(outcome for outcome in tried if outcome.survivor_ref == survivor_ref)
    return tuple(o for o in tried if o is not chosen and chosen.blockers and not o.blockers)
