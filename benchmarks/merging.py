"""Merging many clients over many visits: all partitions, one month, again, and undone; beside one bare UPDATE of the
same rows of the same table, which checks nothing, writes no ledger and cannot be undone.

Each part runs in a process of its own on a copy of one home; it says seconds of its steps and its peak memory.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.reporting.figures import keep, peak
from benchmarks.reporting.parts import in_a_process

NIGHT = date(2026, 11, 20)
MONTHS = 48
CLIENTS_FOR_A_MERGE = 20
Told = dict[str, Any]


def main() -> None:
    """Print what each part took, and the ratios."""
    options = _options()
    if options.part:
        print(json.dumps(PARTS[options.part](options)))
        return
    console = Console()
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-", dir=options.scratch) as folder:
        told = {}
        for part in PARTS:
            with console.status(part):
                told[part] = in_a_process(
                    "merging", part, folder, merges=options.merges, visits=options.visits, memory=options.memory
                )
    _show(console, options, told)
    if options.write:
        limit = f", memory_limit {options.memory}" if options.memory else ""
        keep("merging", {f"{options.merges:,} merges over {options.visits:,} visits{limit}": told})


def _show(console: Console, options: argparse.Namespace, told: dict[str, Told]) -> None:
    bare, whole, month = told["bare"], told["apply"], told["month"]
    title = f"{options.merges:,} merges, {options.visits:,} visits of {MONTHS} months, {whole['moved']:,} to move"
    table = Table("", "seconds", "beside", "ratio", "bar", "peak MB", title=title)

    def line(name: str, seconds: float, beside: str, of: float, bar: str, most: float) -> None:
        table.add_row(name, f"{seconds:.2f}", beside, f"{seconds / of:.2f}", bar, f"{most:,.0f}")

    table.add_row("bare UPDATE", f"{bare['update']:.2f}", "", "", "", f"{bare['peak']:,.0f}")
    table.add_row("bare scan that finds nothing to do", f"{bare['scan']:.2f}", "", "", "", "")
    line("all partitions", whole["partitions"], "bare UPDATE", bare["update"], "3", whole["peak"])
    line("one month", month["partitions"], "all partitions", whole["partitions"], "0.05", month["peak"])
    line("again, nothing to do", told["again"]["look"], "bare scan", bare["scan"], "2", told["again"]["peak"])
    line("undo, all partitions", told["undo"]["partitions"], "apply", whole["partitions"], "1", told["undo"]["peak"])
    console.print(table)
    steps = Table("step, s", "apply", "one month", "again", "undo", title="Everything, plan and checks included")
    for step in whole["steps"]:
        steps.add_row(
            step, *(f"{told[part]['steps'].get(step, 0):.2f}" for part in ("apply", "month", "again", "undo"))
        )
    console.print(steps)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--merges", type=int, default=5_000)
    parser.add_argument("--visits", type=int, default=50_000_000)
    parser.add_argument("--memory", help="what DuckDB may take, such as 3GiB")
    parser.add_argument("--write", action="store_true", help="keep the figures")
    parser.add_argument("--quick", action="store_true", help="a five-hundredth of both")
    parser.add_argument("--scratch", type=Path, help="where to put the home (about 5 GB at full size)")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.merges, options.visits, options.quick = options.merges // 500, options.visits // 500, False
    return options


def _make(options: argparse.Namespace) -> Told:
    """A home with as many visits and decided pairs as are asked for: one small night, its rows multiplied."""
    from pipelines.decisions.evidence import evidence_hash  # noqa: PLC0415 - each part imports what it needs
    from pipelines.decisions.snapshot import show_facts  # noqa: PLC0415
    from pipelines.decisions.statement import Statement  # noqa: PLC0415
    from pipelines.decisions.store import open_decisions  # noqa: PLC0415
    from pipelines.nightly import run_night  # noqa: PLC0415
    from pipelines.sample import make_sample  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    feeds = options.folder / "feeds"
    make_sample(feeds, clients=200, visits=200, seed=1, day=NIGHT)
    (options.folder / "home").mkdir()
    if options.memory:
        limit = f'[warehouse]\nmemory_limit = "{options.memory}"\n'
        (options.folder / "home" / "settings.toml").write_text(limit, encoding="utf-8")
    settings = load_settings(options.folder / "home")
    run_night(settings, feeds / "inbox", NIGHT)
    sizes = {"clients": options.merges * CLIENTS_FOR_A_MERGE, "visits": options.visits, "first": _FIRST}
    with open_warehouse(settings) as warehouse:
        with warehouse.transaction():
            warehouse.execute("delete from staged.visits")
            for statement in (_CLIENT_IDS, _CLIENTS, _SOURCE_RECORDS, VISITS):
                warehouse.execute(statement, {name: size for name, size in sizes.items() if f"${name}" in statement})
        show_facts(warehouse)
        facts = dict(warehouse.rows("select client_ref, facts from facts where client_ref like 'bench/%'"))
    said = []
    for number in range(options.merges):
        left, right = (f"bench/{2 * number + side:08d}" for side in (0, 1))
        text = f"[{facts[left]},{facts[right]}]"
        said.append(Statement(f"C{number}", left, right, "same", "ann", "cli", "made up", evidence_hash(text), text))
    with open_decisions(settings) as store:
        store.record(said)
    return {}


def _bare(options: argparse.Namespace) -> Told:
    """The same rows by one statement, crosswalk in hand, and the scan that finds that nothing is left to do."""
    with _copied_home(options, "bare") as settings:
        from pipelines.warehouse import open_warehouse  # noqa: PLC0415

        with open_warehouse(settings) as warehouse:
            warehouse.execute(_CROSSWALK, {"merges": options.merges})
            started = perf_counter()
            warehouse.execute(
                "update staged.visits as v set client_id = x.survivor_id from bare_crosswalk as x"
                " where v.origin_client_id = x.client_id and v.client_id <> x.survivor_id"
            )
            update = perf_counter() - started
            warehouse.execute("checkpoint")
            started = perf_counter()
            warehouse.one(
                "select count(*) from staged.visits as v join bare_crosswalk as x on x.client_id = v.origin_client_id"
                " where v.client_id <> x.survivor_id"
            )
            return {"update": update, "scan": perf_counter() - started, "peak": peak()}


def _apply(options: argparse.Namespace) -> Told:
    from pipelines.merge.carry_out import apply_merges  # noqa: PLC0415
    from pipelines.merge.selection import Selection  # noqa: PLC0415

    settings = _home(options)
    shutil.copytree(settings.home, options.folder / "month")
    return _timed(lambda progress: apply_merges(settings, Selection(), who="sam", progress=progress))


def _month(options: argparse.Namespace) -> Told:
    from pipelines.merge.carry_out import apply_merges  # noqa: PLC0415
    from pipelines.merge.selection import Selection  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415

    settings = load_settings(options.folder / "month")
    month = Selection(date(2025, 3, 1), date(2025, 4, 1))
    told = _timed(lambda progress: apply_merges(settings, month, who="sam", progress=progress))
    shutil.rmtree(settings.home)
    return told


def _again(options: argparse.Namespace) -> Told:
    """A run that is done already: what it looks at before it knows that there is nothing to do."""
    from pipelines.decisions.store import open_decisions  # noqa: PLC0415
    from pipelines.merge.carry_out import apply_merges  # noqa: PLC0415
    from pipelines.merge.run import open_run  # noqa: PLC0415
    from pipelines.merge.selection import Selection  # noqa: PLC0415

    settings = _home(options)
    told = _timed(lambda progress: apply_merges(settings, Selection(), who="sam", progress=progress))
    with open_decisions(settings) as store:
        signed_in = store.last()
    with open_run(settings, signed_in) as run:
        run.partitions()
        started = perf_counter()
        run.partitions()
        return {**told, "look": perf_counter() - started}


def _undo(options: argparse.Namespace) -> Told:
    from pipelines.merge.carry_out import undo_merges  # noqa: PLC0415

    settings = _home(options)
    return _timed(lambda progress: undo_merges(settings, None, who="sam", progress=progress))


def _timed(what: Any) -> Told:
    began: list[tuple[str, float]] = []
    started = perf_counter()
    began.append(("signing off", started))
    outcome = what(lambda step, done, of: began.append((step, perf_counter())))
    ended = perf_counter()
    steps: dict[str, float] = {}
    for (step, begin), (_, end) in zip(began, [*began[1:], ("", ended)], strict=True):
        name = "partitions" if step.startswith("visits from") else step
        steps[name] = steps.get(name, 0) + end - begin
    steps["all"] = ended - started
    moved = outcome.moved.get("visits", 0)
    return {"steps": steps, "partitions": steps.get("partitions", 0), "moved": moved, "peak": peak()}


def _home(options: argparse.Namespace) -> Any:
    from pipelines.settings import load_settings  # noqa: PLC0415

    return load_settings(options.folder / "home")


class _copied_home:  # noqa: N801 - reads as a function
    """A copy of the home for a part that spoils it."""

    def __init__(self, options: argparse.Namespace, name: str) -> None:
        self.copy = options.folder / name
        shutil.copytree(options.folder / "home", self.copy)

    def __enter__(self) -> Any:
        from pipelines.settings import load_settings  # noqa: PLC0415

        return load_settings(self.copy)

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.copy)


_FIRST = 1_000_000
_CLIENT_IDS = f"""
    insert into staged.client_ids
    select {_FIRST} + n, 'bench/' || lpad(n::varchar, 8, '0'), date '2026-11-20', 'id_only', 'roster_clients'
    from range($clients) as numbers(n)
"""
_CLIENTS = f"""
    insert into staged.clients by name
    select c.* replace (
        {_FIRST} + n as client_id, {_FIRST} + n as survivor_id, 'bench/' || lpad(n::varchar, 8, '0') as client_ref,
        'SURNAME' || n // 2 as surname_key, null as nhs_number, null as reference, null as other_names, null as known_as
    )
    from (from staged.clients order by client_id limit 1) as c, range($clients) as numbers(n)
"""
_SOURCE_RECORDS = f"""
    insert into staged.source_records by name
    select s.* replace ({_FIRST} + n as origin_client_id, {_FIRST} + n as client_id, 'R' || n as record_id,
        'bench' || n % 2 as issuer, null as reference, null as council, null as nhs_number)
    from (from staged.source_records where feed = 'roster_clients' limit 1) as s, range($clients) as numbers(n)
"""
VISITS = """
    insert into staged.visits by name
    select 'bench' as issuer, 'V' || n as visit_id, $first + c as origin_client_id, $first + c as client_id,
        date '2026-11-20' as sent_on, 'PO' || c as purchase_order_number,
        (date '2022-11-21' + (n * 1460 // $visits)::integer) as visit_on, time '08:00' as start_time,
        30 as planned_minutes, time '08:03' as actual_start, 28 as actual_minutes, 1 as carers, 'Completed' as status,
        1::bigint as file_id, n as row_number
    from (select n, (n * 7919 % $clients)::integer as c from range($visits) as numbers(n))
"""
_CROSSWALK = f"""
    create temp table bare_crosswalk as
    select ({_FIRST} + 2 * n + 1)::integer as client_id, ({_FIRST} + 2 * n)::integer as survivor_id
    from range($merges) as numbers(n)
"""
PARTS = {"make": _make, "bare": _bare, "apply": _apply, "month": _month, "again": _again, "undo": _undo}

if __name__ == "__main__":
    main()
