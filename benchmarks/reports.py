"""The report of 5,000 candidates: page, workbook, Parquet and correction files, beside a bare ``COPY`` of the same
candidates, with both records and every weight, to one CSV file.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from rich.console import Console

from benchmarks.reporting.figures import keep, peak
from benchmarks.reporting.parts import in_a_process

NIGHT = date(2026, 11, 20)
PEOPLE_FOR_A_CANDIDATE = 5
Told = dict[str, Any]


def main() -> None:
    """Print what the report takes, and the ratio."""
    options = _options()
    if options.part:
        print(json.dumps(PARTS[options.part](options)))
        return
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-", dir=options.scratch) as folder:
        told = {part: in_a_process("reports", part, folder, candidates=options.candidates) for part in PARTS}
    report, again, bare = told["report"], told["again"], told["bare"]
    console = Console()
    console.print(
        f"The report of {report['candidates']:,} candidates: {report['seconds']:.1f} s ({report['cpu']:.1f} of CPU),"
        f" {report['peak']:,.0f} MB, {report['megabytes']:.0f} MB of files; {report['cpu'] / bare['cpu']:.0f} times the"
        f" bare COPY ({bare['cpu']:.2f} s). The same night's again: {again['seconds']:.1f} s."
    )
    if options.write:
        keep("reports", {f"{options.candidates} candidates": told})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py reports", description=__doc__)
    parser.add_argument("--candidates", type=int, default=5_000, help="about so many")
    parser.add_argument("--quick", action="store_true", help="a fiftieth")
    parser.add_argument("--write", action="store_true", help="keep the figures")
    parser.add_argument("--scratch", type=Path, help="where to put the home")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.candidates //= 50
    return options


def _night(options: argparse.Namespace) -> Told:
    """A night whose own report nobody measures: the one of the next day is, on the same candidates."""
    from pipelines import nightly  # noqa: PLC0415 - each part imports what it needs and no more
    from pipelines.sample import make_sample  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415

    people = options.candidates * PEOPLE_FOR_A_CANDIDATE
    feeds = options.folder / "feeds"
    make_sample(feeds, clients=people, visits=10 * people, seed=1, day=NIGHT)
    nightly.run_night(load_settings(options.folder / "home"), feeds / "inbox", NIGHT)
    return {}


def _report(options: argparse.Namespace) -> Told:
    from pipelines import nightly  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415

    settings = load_settings(options.folder / "home")
    started, busy = perf_counter(), process_time()
    folder = nightly.report(settings, NIGHT + timedelta(days=1))
    told = {"seconds": perf_counter() - started, "cpu": process_time() - busy, "peak": peak()}
    files = [file for file in folder.resolve().rglob("*") if file.is_file()]
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return {**told, "megabytes": sum(f.stat().st_size for f in files) / 1e6, "candidates": sum(run["tiers"].values())}


def _bare(options: argparse.Namespace) -> Told:
    from pipelines.settings import load_settings  # noqa: PLC0415
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    with open_warehouse(load_settings(options.folder / "home")) as warehouse:
        started, busy = perf_counter(), process_time()
        warehouse.execute(
            "copy (from matched.candidates join matched.pairs using (left_id, right_id)"
            " join staged.clients as l on l.client_id = left_id join staged.clients as r on r.client_id = right_id)"
            f" to '{options.folder}/bare.csv'"
        )
        return {"seconds": perf_counter() - started, "cpu": process_time() - busy, "peak": peak()}


PARTS = {"night": _night, "report": _report, "again": _report, "bare": _bare}

if __name__ == "__main__":
    main()
