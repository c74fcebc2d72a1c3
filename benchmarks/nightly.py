"""A first night over sample feeds and a second one without news, each in a fresh process: seconds a step, peak memory.

Beside it DuckDB's bare ``read_csv`` of the same CSV files into a file database, in a process of its own too.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

FIRST = date(2026, 11, 20)
Told = dict[str, Any]


def main() -> None:
    """Print a table of steps for both nights, and the ratio to the bare reading."""
    options = _options()
    if options.part:
        print(json.dumps(PARTS[options.part](options)))
        return
    console = Console()
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-") as folder:
        with console.status("Making up the feeds"):
            made = _in_a_process("sample", options, folder)
        with console.status("Reading them barely"):
            bare = _in_a_process("bare", options, folder)
        with console.status("First night"):
            first = _in_a_process("first", options, folder)
        with console.status("Second night"):
            second = _in_a_process("second", options, folder)
    title = (
        f"{options.clients:,} people, {first['records']:,} records, {options.visits:,} visits, {made['files']} files"
    )
    table = Table("seconds", "first night", "night without news", title=title)
    for step in first["steps"]:
        table.add_row(step, f"{first['steps'][step]:.1f}", f"{second['steps'].get(step, 0):.1f}")
    for name, key, form in (
        ("all steps", "total", ".1f"),
        ("with imports", "process", ".1f"),
        ("peak memory, MB", "peak", ",.0f"),
    ):
        table.add_row(name, *(f"{night[key]:{form}}" for night in (first, second)))
    console.print(table)
    console.print(
        f"DuckDB's bare read_csv of the {bare['files']} CSV files: {bare['total']:.1f} s, {bare['peak']:,.0f} MB."
    )
    console.print(f"The first night takes {first['total'] / bare['total']:.0f} times as long.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="a fiftieth of both")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.clients, options.visits, options.quick = options.clients // 50, options.visits // 50, False
    return options


def _in_a_process(part: str, options: argparse.Namespace, folder: str) -> Told:
    sizes = ["--clients", str(options.clients), "--visits", str(options.visits)]
    command = [sys.executable, __file__, "--part", part, "--folder", folder, *sizes]
    started = perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return {**json.loads(done.stdout), "process": perf_counter() - started}


def _sample(options: argparse.Namespace) -> Told:
    from pipelines.sample import make_sample  # noqa: PLC0415 - each part imports what it needs and no more

    out = options.folder / "feeds"
    return {"files": make_sample(out, clients=options.clients, visits=options.visits, seed=1, day=FIRST).files}


def _bare(options: argparse.Namespace) -> Told:
    import duckdb  # noqa: PLC0415

    files = sorted((options.folder / "feeds" / "inbox").glob("*.csv"))
    started = perf_counter()
    with duckdb.connect(str(options.folder / "bare.duckdb")) as connection:
        for number, file in enumerate(files):
            read = f"read_csv('{file}', all_varchar = true, ignore_errors = true"
            try:
                connection.execute(f"create table file_{number} as select * from {read})")
            except duckdb.Error:
                connection.execute(f"create table file_{number} as select * from {read}, encoding = 'latin-1')")
    return {"files": len(files), "total": perf_counter() - started, "peak": _peak()}


def _first(options: argparse.Namespace) -> Told:
    return _night(options, FIRST)


def _second(options: argparse.Namespace) -> Told:
    return _night(options, FIRST + timedelta(days=1))


def _night(options: argparse.Namespace, day: date) -> Told:
    from pipelines.nightly import run_night  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415

    began: list[tuple[str, float]] = []
    started = perf_counter()
    night = run_night(
        load_settings(options.folder / "home"),
        options.folder / "feeds" / "inbox",
        day,
        lambda step, done, of: began.append((step, perf_counter())),
    )
    ended = perf_counter()
    steps: dict[str, float] = {}
    for (step, begin), (_, end) in zip(began, [*began[1:], ("", ended)], strict=True):
        steps[step] = steps.get(step, 0) + end - begin
    return {"steps": steps, "total": ended - started, "peak": _peak(), "records": night.matching.records}


def _peak() -> float:
    """The most memory that this process ever held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PARTS = {"sample": _sample, "bare": _bare, "first": _first, "second": _second}

if __name__ == "__main__":
    main()
