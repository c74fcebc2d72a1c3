"""A signed-off merge run in steps of a process each, as the DAGs take them.

What one step tells the next is the number of a sign-off and names of partitions. Anybody may have tampered with that on
the way, so every step asks the decision store and the warehouse anew: what nobody signed off is refused, and what is
not (or no longer) to be moved is left alone.
"""

from __future__ import annotations

from typing import Any

from pipelines.decisions.crosswalk import signed_off
from pipelines.decisions.store import open_decisions
from pipelines.merge.run import Outcome, open_run
from pipelines.settings import Settings


def signed_before(settings: Settings, plan_hash: str | None) -> int | None:
    """The sign-off of this very plan, if there is one: a step that was cut short after it need not ask again."""
    with open_decisions(settings) as store:
        found = [e.sequence_number for e in signed_off(store.entries()) if e.plan_hash == plan_hash]
    return found[0] if found else None


def begin(settings: Settings, signed_in: int, run: str) -> list[list[str]]:
    """Let the crosswalk follow the log; gives what is left of the past, by name, in groups of a task each."""
    with open_run(settings, signed_in, run) as running:
        running.begin()
        names = [partition.name for partition in running.partitions()]
    size = settings.merge.partitions_per_task
    return [names[start : start + size] for start in range(0, len(names), size)]


def move(settings: Settings, signed_in: int, names: list[str], run: str) -> dict[str, int]:
    """Bring the partitions of these names up to date, each in a transaction of its own."""
    with open_run(settings, signed_in, run) as running:
        moved = [running.move(partition) for partition in running.partitions() if partition.name in names]
    return {"partitions": len(moved), "visits": sum(one.all_rows for one in moved)}


def finish(settings: Settings, signed_in: int, run: str) -> dict[str, Any]:
    """Verify, once; gives what the run came to.

    A partition that no step has moved, say since its task was marked as done by hand, is moved now.
    """
    outcome = Outcome()
    with open_run(settings, signed_in, run) as running:
        for partition in running.partitions():
            running.move(partition)
        running.finish()
        running.tell(outcome)
    return {fact: value for fact, value in outcome.as_dict().items() if fact != "published"}
