"""Whole merge runs in one process: what the command line and the night do, and what the DAGs do in steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipelines.decisions.crosswalk import live_merges
from pipelines.decisions.store import open_decisions
from pipelines.merge.plan import unfinished
from pipelines.merge.run import Outcome, open_run, sign_off, sign_off_undo
from pipelines.merge.selection import Selection
from pipelines.settings import Settings
from pipelines.stage.register import require_register
from pipelines.warehouse import open_warehouse

Progress = Callable[[str, int, int], None]


@dataclass
class Finished(Outcome):
    """The merge runs that a night finished; ``problem`` says why one could not be finished."""

    problem: str = ""


def apply_merges(
    settings: Settings,
    selection: Selection,
    *,
    who: str,
    reason: str = "",
    run: str = "",
    progress: Progress = lambda step, done, of: None,
) -> Outcome:
    """Finish what was signed off before, then sign off and carry out what the selection holds: all in this process.

    ``who`` signs off what another person decided; what they decided themselves is left out.
    Raises DecisionRefusedError when that leaves nothing, VerificationFailedError, MergeStoppedError.
    """
    outcome = resume(settings, run=run, progress=progress)
    progress("planning", 0, 1)
    signed_in = sign_off(settings, selection, who=who, door="cli", reason=reason, run=run)
    if signed_in is not None:
        _carry_out(settings, signed_in, run, outcome, progress)
    return outcome


def undo_merges(
    settings: Settings,
    merge_ids: Iterable[str] | None,
    *,
    who: str,
    reason: str = "",
    run: str = "",
    progress: Progress = lambda step, done, of: None,
) -> Outcome:
    """Take back these merges (None: every one that stands), any time later; exact, also when others came after."""
    outcome = Outcome()
    if left := _not_yet_signed(settings, merge_ids):
        signed_in = sign_off_undo(settings, left, who=who, door="cli", reason=reason, run=run)
        if signed_in is not None:
            _carry_out(settings, signed_in, run, outcome, progress)
    return resume(settings, run=run, progress=progress, outcome=outcome)


def resume(
    settings: Settings,
    *,
    run: str = "",
    progress: Progress = lambda step, done, of: None,
    outcome: Outcome | None = None,
) -> Outcome:
    """Finish every run that was signed off and not brought to its end; what came of it is added to ``outcome``."""
    outcome = outcome or Outcome()
    while (signed_in := _next_unfinished(settings)) is not None:
        _carry_out(settings, signed_in, run, outcome, progress)
    return outcome


def _carry_out(settings: Settings, signed_in: int, run: str, outcome: Outcome, progress: Progress) -> None:
    with open_run(settings, signed_in, run) as running:
        progress("what is of today or to come", 0, 1)
        running.begin()
        partitions = running.partitions()
        for number, partition in enumerate(partitions):
            progress(f"visits from {partition.name}", number, len(partitions))
            running.move(partition)
        progress("verifying", len(partitions), len(partitions))
        running.finish()
        running.tell(outcome)


def _not_yet_signed(settings: Settings, merge_ids: Iterable[str] | None) -> list[str]:
    """Those asked for whose undo is not signed off already and only has to be brought to its end."""
    with open_warehouse(settings) as warehouse, open_decisions(settings) as store:
        require_register(warehouse)
        entries = store.entries()
        begun = unfinished(warehouse, entries)
    live = live_merges(entries)
    under_way = {
        undone.merge_id
        for entry in entries
        if begun and entry.kind == "signoff" and entry.sequence_number >= begun
        for undone in entry.signed_plan.undoes
    }
    asked = live.keys() if merge_ids is None else {merge_id.strip().upper() for merge_id in merge_ids}
    return sorted(asked - (under_way - live.keys()))


def _next_unfinished(settings: Settings) -> int | None:
    with open_warehouse(settings) as warehouse, open_decisions(settings) as store:
        return unfinished(warehouse, store.entries())
