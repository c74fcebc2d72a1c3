"""`make demo`: two nights of made-up feeds through the real DAG, then what was found, missed and wrongly suggested; a
made-up person decides what is near-certain, another signs the merges off, and in a copy they are all taken back.

Made-up feeds of one seed come to the same figures everywhere. So the demo holds its own against those in README.md, and
exits 1 where they differ.

Airflow runs inside this process (its own `dag.test`, SQLite), so that nothing is left running. That way it does not
mind pools, and retries are switched off, so that a failure shows at once.
"""
# ruff: noqa: PLC0415 - Airflow reads its environment on import, so it is imported after that is set

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.status import Status
from rich.table import Column, Table

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from pipelines.match.evaluate import Truth
    from pipelines.merge.run import Outcome

ROOT = Path(__file__).parent
HOME = ROOT / "demo-home"
FEEDS = HOME / "feeds"
INBOX = FEEDS / "inbox"
LOG = HOME / "airflow" / "demo.log"
NIGHTS = (date(2026, 11, 19), date(2026, 11, 20))
CUT_OFF = "essex_purchase_orders_{:%Y%m%d}"
TIERS = ("near-certain", "likely", "possible")

Told = dict[str, list[dict[str, Any]]]


class DemoError(Exception):
    """Something did not come out as it should; the message says what."""


class OtherFiguresError(DemoError):
    """The figures are not those that README.md prints."""

    def __init__(self, others: Sequence[tuple[str, str]]) -> None:
        lines = (f"  here       {here}\n  README.md  {there or '(no such line)'}\n" for here, there in others)
        super().__init__(
            "Not as README.md has it:\n" + "".join(lines) + "\n"
            "The same code makes the same figures of the same made-up feeds, so something differs here.\n"
            "Is all of it as it was cloned (git status)? Then build it anew: make clean, make demo. Is it still so,\n"
            "report these lines: matching may miss or wrongly suggest pairs of yours too. Whoever changed the sample\n"
            "or the matching on purpose puts what the demo prints into README.md."
        )


def main() -> int:
    """Run the demo; 0 if everything came out as it should."""
    shutil.rmtree(HOME, ignore_errors=True)
    LOG.parent.mkdir(parents=True)
    console = send_all_else_to(LOG)
    started = monotonic()
    try:
        with step(console, "Making up feeds: five councils, two rostering systems, two nights"):
            make_feeds(FEEDS, NIGHTS, clients=5000, visits=60000)
            shutil.copytree(FEEDS / "sources", HOME / "sources")
        with step(console, "Starting Airflow on an SQLite file of its own"):
            dag = _start_airflow()
        nights = {}
        for night in NIGHTS:
            with step(console, f"Running the DAG for the night of {night}") as status:
                nights[night] = _run_dag(dag, night, status)
        with step(console, "Holding the candidates against the truth"):
            truth = _judge()
        console.print(_table_of(nights), _verdict(truth), sep="\n")
        with step(console, "Ann decides the near-certain candidates that nothing blocks"):
            decided = _decide()
        with step(console, "Sam signs their merges off"):
            merged = _merge()
        with step(console, "In a copy of the home, every merge is undone"):
            _undo_in_a_copy(merged)
        console.print(_told_of_merges(decided, merged))
        lines = [f"{what} {' '.join(figures)}" for what, *figures in _rows_of(nights)]
        if others := unlike_readme("\n".join((*lines, _verdict(truth), _told_of_merges(decided, merged)))):
            raise OtherFiguresError(others)
        console.print("Every figure is the one that README.md prints.\n")
    except Exception as error:
        console.print_exception() if not isinstance(error, DemoError) else console.print(f"[red]{error}[/red]")
        console.print(f"The demo failed. Airflow's log: {shown(LOG)}")
        return 1
    console.print(f"Merges:  {shown(HOME / 'published' / 'current')} (worklist, crosswalk, golden clients …)")
    console.print(f"Plan:    {shown(merged.plan / 'plan.html')}")
    console.print(f"Refused: {shown(HOME / 'quarantine')} (each with its reason beside it)")
    console.print(f"Report:  {shown(HOME / 'reports' / NIGHTS[-1].isoformat() / 'index.html')}")
    console.print(f"Done in {monotonic() - started:.0f} s.")
    return 0


def send_all_else_to(log: Path) -> Console:
    """A console on the terminal; whatever anything else prints, also a process started from here, goes to the log."""
    terminal = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    return Console(file=terminal, highlight=False)


@contextmanager
def step(console: Console, what: str) -> Iterator[Status]:
    """One line for one step: turning while it runs, with its seconds when it is done."""
    started = monotonic()
    with console.status(what) as status:
        yield status
    console.print(f"[green]✓[/green] {what} [dim]{monotonic() - started:.1f} s[/dim]")


def make_feeds(feeds: Path, nights: Sequence[date], *, clients: int, visits: int) -> None:
    """Make up the files of some nights that follow each other, one of them cut off, and the source mappings of the two
    councils with layouts of their own."""
    from pipelines.sample import make_sample

    make_sample(
        feeds, clients=clients, visits=visits, seed=20261120, nights=len(nights), day=nights[-1], own_layouts=True
    )
    folder, name = feeds / "inbox" / nights[0].isoformat(), CUT_OFF.format(nights[0])
    whole = (folder / f"{name}.csv").read_bytes()
    (folder / f"{name}_cut_off.csv").write_bytes(whole[: len(whole) // 2])


def airflow_settings(folder: Path) -> dict[str, str]:
    """How Airflow is to be set up for oneclient, with all of its own in this folder: its environment variables."""
    lines = (ROOT / "airflow.env").read_text().splitlines()
    return {
        **dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")),
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    }


def _start_airflow() -> DAG:
    os.environ.pop("ONECLIENT_PROVIDERS", None)
    os.environ.update(airflow_settings(LOG.parent), ONECLIENT_HOME=str(HOME))
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils import db

    db.initdb()
    bag = DagBag(ROOT / "dags")
    if bag.import_errors:
        raise DemoError(f"A DAG file does not load: {next(iter(bag.import_errors.values()))}")
    dag: DAG = bag.dags["nightly"]
    for task in dag.tasks:
        task.retries = 0
    return dag


def _run_dag(dag: DAG, night: date, status: Status) -> Told:
    """Run one night; gives what each task told XCom."""
    with _watched(status):
        run = dag.test(run_conf={"day": night.isoformat(), "inbox": str(INBOX)})
    tasks = run.get_task_instances()
    failed = sorted({task.task_id for task in tasks if task.state == "failed"})
    if run.state != "success":
        raise DemoError(f"The night of {night} ended as {run.state}; failed: {', '.join(failed) or 'no task'}.")
    told: Told = {}
    for task in tasks:
        facts = task.xcom_pull(task_ids=task.task_id, map_indexes=task.map_index)
        several = facts if isinstance(facts, list) else [facts]
        told.setdefault(task.task_id, []).extend(one for one in several if isinstance(one, dict))
    return told


@contextmanager
def _watched(status: Status) -> Iterator[None]:
    """Shows beside the step which task is running."""
    from airflow.listeners import hookimpl
    from airflow.sdk.listener import get_listener_manager

    step = status.status

    @hookimpl
    def on_task_instance_running(task_instance: Any) -> None:
        number = f" {task_instance.map_index + 1}" if task_instance.map_index >= 0 else ""
        status.update(f"{step} [dim]{task_instance.task_id}{number}[/dim]")

    watcher = SimpleNamespace(on_task_instance_running=on_task_instance_running)
    listeners = get_listener_manager()
    listeners.add_listener(watcher)
    try:
        yield
    finally:
        listeners.pm.unregister(watcher)


def _judge() -> Truth:
    from pipelines.match.evaluate import against_truth
    from pipelines.settings import load_settings

    return against_truth(load_settings(HOME), FEEDS / "truth.csv")


def _decide() -> int:
    from pipelines.review.commands import decide_tier
    from pipelines.settings import load_settings

    settings, reason = load_settings(HOME), "made up: the truth is known"
    return decide_tier(settings, "near-certain", verdict="same", who="Ann Analyst", reason=reason, cells={}).recorded


@dataclass(frozen=True)
class Merged:
    """What the merge run came to, where its plan lies, and the linked rows' fingerprint from before."""

    outcome: Outcome
    plan: Path
    before: str


def _merge() -> Merged:
    from pipelines.fingerprint import fingerprint
    from pipelines.merge.commands import apply
    from pipelines.merge.plan import plan_merges
    from pipelines.merge.publish import publish_plan
    from pipelines.merge.selection import Selection
    from pipelines.settings import load_settings

    settings = load_settings(HOME)
    before, selection = fingerprint(settings, "linked"), Selection(without_decisions_of="Sam Manager")
    plan = publish_plan(settings, plan_merges(settings, selection))
    outcome = apply(settings, selection, who="Sam Manager", reason="the demo", progress=lambda step, done, of: None)
    return Merged(outcome, plan, before)


def _undo_in_a_copy(merged: Merged) -> None:
    from pipelines.fingerprint import fingerprint
    from pipelines.merge.carry_out import undo_merges
    from pipelines.settings import load_settings

    with tempfile.TemporaryDirectory(prefix="oneclient-demo-") as folder:
        for name in ("oneclient.duckdb", "decisions.sqlite"):
            shutil.copy(HOME / name, folder)
        copy = load_settings(Path(folder))
        undo_merges(copy, None, who="Sam Manager", reason="the demo")
        if fingerprint(copy, "linked") != merged.before:
            raise DemoError("Undone, the linked rows are not what they were.")


def _told_of_merges(decided: int, merged: Merged) -> str:
    moved = ", ".join(
        f"{merged.outcome.moved[kind]:,} {words}"
        for kind, words in (("visits", "visits"), ("purchase_orders", "order lines"), ("enrolments", "enrolments"))
    )
    return (
        f"Of {decided:,} decided pairs came {merged.outcome.merges:,} merges; what is blocked, the plan tells.\n"
        f"They moved {moved}.\nUndone in a copy, every row is where it was.\n"
    )


def _table_of(nights: dict[date, Told]) -> Table:
    table = Table("What each night did", *(Column(f"{night}", justify="right") for night in nights), box=SIMPLE_HEAD)
    for row in _rows_of(nights):
        table.add_row(*row)
    return table


def _rows_of(nights: dict[date, Told]) -> list[tuple[str, ...]]:
    """What was counted, and what each night came to."""
    counts = [_counts(told) for told in nights.values()]
    return [(what, *(f"{night[what]:,}" for night in counts)) for what in counts[0]]


def _counts(told: Told) -> dict[str, int]:
    files, (staging,), (matching,) = told["land"], told["stage"], told["match"]
    return {
        "files": len(files),
        "files refused": sum(file["status"] == "quarantined" for file in files),
        "rows read": sum(file["rows_read"] for file in files),
        "rows rejected": sum(file["rows_rejected"] for file in files),
        "new clients": sum(staging["new_clients"].values()),
    } | {f"candidates, {tier}": matching["tiers"].get(tier, 0) for tier in TIERS}


def _verdict(truth: Truth) -> str:
    candidates = truth.found + truth.false_candidates
    by_tier = ", ".join(f"{tier} {counts['false']}" for tier, counts in truth.by_tier.items())
    return (
        f"Of {truth.true_pairs:,} pairs of records that are one person:\n"
        f"  found   {truth.found:,} ({truth.found / max(truth.true_pairs, 1):.1%})\n"
        f"  missed  {truth.missed:,}{_most(truth.missed_by_kind)}\n"
        f"Of {candidates:,} candidates, two people after all:\n"
        f"  false   {truth.false_candidates:,}{_most(truth.false_by_kind)}\n"
        f"  by tier {by_tier}\n\n"
        "These people are made up, and so is the dirt: real feeds hold surprises\n"
        "that nobody has thought of. Expect less than this from yours.\n"
    )


def _most(by_kind: dict[str, int]) -> str:
    return "".join(f", {kind.replace('_', ' ')} {count}" for kind, count in list(by_kind.items())[:4])


def unlike_readme(printed: str) -> list[tuple[str, str]]:
    """Each line with a figure that README.md prints otherwise, beside the line that it has instead (or nothing).

    Lines belong together that count the same thing.
    """
    block = (ROOT / "README.md").read_text(encoding="utf-8").partition("```text demo\n")[2].partition("```")[0]
    there = {_what(line): line for line in _with_figures(block)}
    return [(line, there.get(_what(line), "")) for line in _with_figures(printed) if there.get(_what(line)) != line]


def _with_figures(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if re.search(r"\d", line)]


def _what(line: str) -> str:
    """What a line counts: the words up to its first figure, or after it where that is its second word."""
    found = re.match(r"Of [\d,]+ (\w+)|(\D*)", line)
    return found.group(1) or found.group(2) if found else line


def shown(path: Path) -> Path:
    """A path as it is best typed from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main())
