"""What Airflow adds: a night, and a merge run, as tasks of a running Airflow and as plain calls in this process.

Each task starts a process of its own, and imports what it needs: that is the overhead, whatever the size of the home.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "dags")]  # the suite's Airflow and its decided home

from decided_home import copy_of, decided_home  # noqa: E402
from running import Airflow, Triggered, starting_airflow  # noqa: E402

from pipelines import nightly  # noqa: E402
from pipelines.merge import steps  # noqa: E402
from pipelines.merge.plan import plan_merges  # noqa: E402
from pipelines.merge.publish import publish_merges, publish_plan  # noqa: E402
from pipelines.merge.run import sign_off  # noqa: E402
from pipelines.merge.selection import Selection  # noqa: E402
from pipelines.settings import Settings  # noqa: E402

PEOPLE = {"ann": "user", "sam": "user"}
NEXT_DAY = date(2026, 11, 21)
TITLE = "Results of `benchmarks/run.py overhead --write`"
HEADINGS = ("task", "in Airflow, s", "in process, s", "added, s")
NO_SLOWER_THAN_A_PERSON_SECONDS = 6
Seconds = dict[str, float]


def main() -> None:
    """Print, for each task, its seconds in Airflow and those of the same call here; then from end to end."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.py overhead", description=__doc__)
    parser.add_argument("--clients", type=int, default=2_000)
    parser.add_argument("--visits", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="150 clients")
    parser.add_argument("--write", action="store_true", help="renew its part of benchmarks/RESULTS.md")
    options = parser.parse_args()
    if options.quick:
        options.clients, options.visits = 150, 900
    console = Console()
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-") as name:
        folder = Path(name)
        with (
            console.status("Starting Airflow over a home of decided candidates"),
            starting_airflow(folder / "airflow", folder / "home", PEOPLE) as starting,
        ):
            settings = decided_home(folder, options.clients, options.visits)
            copy = copy_of(settings, folder / "copy")
            airflow = starting.wait_for("apply_merges")
            airflow.wait_for("nightly")
            merged, merged_whole = _merge_in_airflow(airflow)
            night, night_whole = _night_in_airflow(airflow)
        with console.status("The same in this process"):
            merged_here, night_here = _merge_here(copy), _night_here(copy)
    title = f"{options.clients:,} clients, {options.visits:,} visits"
    runs = {
        f"A merge run, {title}": _rows(merged, merged_here, merged_whole),
        "The night after it, without news": _rows(night, night_here, night_whole),
    }
    for name, rows in runs.items():
        table = Table(*HEADINGS, title=name)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    if options.write:
        from benchmarks.matching.report import circumstances, markdown, write_section  # noqa: PLC0415

        tables = [line for name, rows in runs.items() for line in ("", f"{name}.", "", *markdown(HEADINGS, rows))]
        write_section(TITLE, [circumstances(["ours"]), *tables])


def _merge_in_airflow(airflow: Airflow) -> tuple[Seconds, float]:
    run = airflow.trigger("ann", "apply_merges", dry_run=False)
    run.parked()
    time.sleep(NO_SLOWER_THAN_A_PERSON_SECONDS)
    run.answer("sam")
    return _task_seconds(airflow, run, after="sign_off")


def _night_in_airflow(airflow: Airflow) -> tuple[Seconds, float]:
    airflow.ask("ann", "PATCH", "/dags/nightly", {"is_paused": False})
    return _task_seconds(airflow, airflow.trigger("ann", "nightly", day=NEXT_DAY.isoformat()))


def _task_seconds(airflow: Airflow, run: Triggered, after: str | None = None) -> tuple[Seconds, float]:
    """Seconds of each task, and from the start of the run to the end of its last task.

    ``after`` is a task that a person answers: it is left out, and the clock starts when it ends.
    """
    states = run.ended()
    if not set(states.values()) <= {"success", "skipped"}:
        raise RuntimeError(f"The run did not succeed: {states}")
    tasks = airflow.ask("ann", "GET", f"{run.path}/taskInstances").json()["task_instances"]
    tasks = sorted((task for task in tasks if task["duration"]), key=lambda task: str(task["start_date"]))
    begun = airflow.ask("ann", "GET", run.path).json()["start_date"]
    if after:
        begun = next(task["end_date"] for task in tasks if task["task_id"] == after)
    ended = max(datetime.fromisoformat(task["end_date"]) for task in tasks)
    seconds: Seconds = {}
    for task in tasks:
        if task["task_id"] != after:
            seconds[task["task_id"]] = seconds.get(task["task_id"], 0.0) + task["duration"]
    return seconds, (ended - datetime.fromisoformat(begun)).total_seconds()


def _merge_here(settings: Settings) -> Seconds:
    timed = _Timed()
    plan = timed("plan", lambda: plan_merges(settings, Selection()))
    timed("plan", lambda: publish_plan(settings, plan))
    number = timed("sign_off", lambda: sign_off(settings, Selection(), who="sam", door="dag"))
    groups = timed("begin", lambda: steps.begin(settings, number, ""))
    timed("move", lambda: [steps.move(settings, number, names, "") for names in groups])
    timed("finish", lambda: steps.finish(settings, number, ""))
    timed("publish", lambda: publish_merges(settings))
    return timed.seconds


def _night_here(settings: Settings) -> Seconds:
    timed = _Timed()
    timed("find_deliveries", lambda: nightly.find_deliveries(settings.inbox, NEXT_DAY))
    timed("stage", lambda: nightly.stage(settings, NEXT_DAY))
    timed("finish_merges", lambda: nightly.finish_merges(settings))
    timed("take_decisions", lambda: nightly.take_decisions(settings, settings.inbox, NEXT_DAY))
    timed("match", lambda: nightly.match(settings, NEXT_DAY))
    timed("report", lambda: nightly.report(settings, NEXT_DAY))
    timed("retire", lambda: nightly.retire(settings, NEXT_DAY))
    timed("measure", lambda: nightly.measure(settings, NEXT_DAY))
    return timed.seconds


class _Timed:
    def __init__(self) -> None:
        self.seconds: Seconds = {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        return result


def _rows(tasks: Seconds, here: Seconds, whole: float) -> list[list[str]]:
    rows = [
        [name, f"{seconds:.1f}", *([f"{here[name]:.2f}", f"{seconds - here[name]:.1f}"] if name in here else ["", ""])]
        for name, seconds in tasks.items()
    ]
    from_beginning_to_end = "from beginning to end (of a merge: from the answer on)"
    return [*rows, [from_beginning_to_end, f"{whole:.1f}", f"{sum(here.values()):.2f}", ""]]


if __name__ == "__main__":
    main()
