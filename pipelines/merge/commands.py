"""What the command line does with merges: a run in this process, and what it publishes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pipelines.merge.carry_out import Progress, apply_merges, undo_merges
from pipelines.merge.publish import publish_merges
from pipelines.merge.run import MergeStoppedError, Outcome, VerificationFailedError
from pipelines.merge.selection import Selection
from pipelines.settings import Settings


def apply(settings: Settings, selection: Selection, *, who: str, reason: str, progress: Progress) -> Outcome:
    """Merge what the selection holds, signed off by ``who``, and publish."""
    with _published_if_stopped(settings):
        outcome = apply_merges(settings, selection, who=who, reason=reason, progress=progress)
    return _published(settings, outcome, progress)


def undo(settings: Settings, merge_ids: Iterable[str] | None, *, who: str, reason: str, progress: Progress) -> Outcome:
    """Take merges back (None: all), and publish."""
    with _published_if_stopped(settings):
        outcome = undo_merges(settings, merge_ids, who=who, reason=reason, progress=progress)
    return _published(settings, outcome, progress)


def _published(settings: Settings, outcome: Outcome, progress: Progress) -> Outcome:
    progress("publishing", 0, 1)
    outcome.published = str(publish_merges(settings))
    return outcome


@contextmanager
def _published_if_stopped(settings: Settings) -> Iterator[None]:
    """A run that is stopped or rolled back has changed who counts for whom, and what is published has to say so."""
    try:
        yield
    except (MergeStoppedError, VerificationFailedError):
        publish_merges(settings)
        raise
