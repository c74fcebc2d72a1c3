"""Each stage of a first night: rows a second, peak memory, and how far it is from a bare DuckDB statement that touches
the same bytes and does nothing else.

The night runs in one process of its own over sample feeds; the bare statements run in another, over the same files and
the register that the night left. A stage is a function of the code, and what it takes is without the stages inside it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.reporting.figures import keep, peak
from benchmarks.reporting.parts import in_a_process

NIGHT = date(2026, 11, 20)
TITLE = "Results of `benchmarks/run.py stages --write`"
HEADINGS = ("stage", "rows", "seconds", "CPU seconds", "rows/s", "peak MB", "bare statement", "bare CPU s", "ratio")
STAGES = {
    "ingest": ("rows sent", "read_csv of the same files into tables"),
    "standardise": ("rows about people", "copy of the standardised rows"),
    "exact reference": ("rows about people", "join of those rows with the register by reference"),
    "derive and check": ("rows about people", "copy of every table of the register"),
    "train": ("client records", ""),
    "derive records": ("client records", "copy of the records compared"),
    "block": ("pairs", "join by birth date and surname alone"),
    "score": ("pairs", "one Jaro-Winkler of two columns of the same pairs"),
    "judge and cluster": ("pairs kept", "copy of the pairs kept"),
    "report": ("candidates", "COPY of the candidates with both records to CSV"),
    "publish": ("client records", "COPY of the register to Parquet"),
}
Told = dict[str, Any]


def main() -> None:
    """Print a row for each stage."""
    options = _options()
    if options.part:
        print(json.dumps(PARTS[options.part](options)))
        return
    console = Console(width=None if sys.stdout.isatty() else 170)
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-", dir=options.scratch) as folder:
        told = {}
        for part in PARTS:
            with console.status(f"At work: {part}"):
                told[part] = in_a_process("stages", part, folder, clients=options.clients, visits=options.visits)
    rows = [_row(stage, told) for stage in STAGES]
    table = Table(*HEADINGS, title=f"{options.clients:,} people, {options.visits:,} visits")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    again = told["again"]
    line = (
        f"The next night, without news: {again['seconds']:.1f} s, {again['cpu']:.1f} of CPU, {again['peak']:,.0f} MB."
    )
    console.print(line)
    if options.write:
        from benchmarks.matching.report import circumstances, markdown, write_section  # noqa: PLC0415

        keep("stages", {f"{options.clients:,} people": {**told["night"], "bare": told["bare"], "again": again}})
        sizes = f"A first night of {options.clients:,} people and {options.visits:,} visits."
        write_section(TITLE, [circumstances(["ours"]), "", sizes, "", *markdown(HEADINGS, rows), "", line])


def _row(stage: str, told: dict[str, Told]) -> list[str]:
    night, bare = told["night"], told["bare"].get(stage)
    took, count = night["stages"].get(stage, {}), told["bare"]["rows"][STAGES[stage][0]]
    if not took:
        return [stage, f"{count:,}", *[""] * 7]
    return [
        stage,
        f"{count:,}",
        f"{took['seconds']:.1f}",
        f"{took['cpu']:.1f}",
        f"{count / max(took['seconds'], 0.01):,.0f}",
        f"{took['peak']:,.0f}",
        STAGES[stage][1],
        f"{bare:.2f}" if bare else "",
        f"{took['cpu'] / bare:.1f}" if bare else "",
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py stages", description=__doc__)
    parser.add_argument("--clients", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="a hundredth of both")
    parser.add_argument("--write", action="store_true", help="renew its part of benchmarks/RESULTS.md")
    parser.add_argument("--scratch", type=Path, help="where to put the home")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.clients, options.visits = options.clients // 100, options.visits // 100
    return options


def _sample(options: argparse.Namespace) -> Told:
    from pipelines.sample import make_sample  # noqa: PLC0415 - each part imports what it needs and no more

    made = make_sample(options.folder / "feeds", clients=options.clients, visits=options.visits, seed=1, day=NIGHT)
    (options.folder / "bare").mkdir()
    for file in (options.folder / "feeds" / "inbox").iterdir():
        (options.folder / "bare" / file.name).hardlink_to(file)
    return {"files": made.files}


class Clock:
    """What each stage takes of seconds, CPU seconds and memory, without what the stages inside it take."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.cpu: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self.stages = ["everything else"]
        self.since = perf_counter(), process_time()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while True:
            resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * page / 2**20
            stage = self.stages[-1]
            self.peak[stage] = max(self.peak[stage], round(resident))
            sleep(0.02)

    def _turn(self) -> None:
        now = perf_counter(), process_time()
        self.seconds[self.stages[-1]] += now[0] - self.since[0]
        self.cpu[self.stages[-1]] += now[1] - self.since[1]
        self.since = now

    @contextmanager
    def at(self, stage: str) -> Any:
        """Whatever happens in the block is of that stage."""
        self._turn()
        self.stages.append(stage)
        try:
            yield
        finally:
            self._turn()
            self.stages.pop()

    def watch(self, owner: Any, name: str, stage: str) -> None:
        """Whatever that function does is of that stage."""
        function: Callable[..., Any] = getattr(owner, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            with self.at(stage):
                return function(*arguments, **named)

        setattr(owner, name, timed)


def _night(options: argparse.Namespace) -> Told:
    import great_expectations  # noqa: F401, PLC0415
    import splink  # noqa: F401, PLC0415

    from pipelines import nightly  # noqa: PLC0415
    from pipelines.match import score  # noqa: PLC0415
    from pipelines.match.engine import Engine  # noqa: PLC0415
    from pipelines.merge.publish import publish_merges  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415
    from pipelines.stage.register import _Register  # noqa: PLC0415

    settings = load_settings(options.folder / "home")
    clock = Clock()
    clock.watch(nightly, "land", "ingest")
    clock.watch(nightly, "stage", "derive and check")
    clock.watch(_Register, "_people", "standardise")
    clock.watch(_Register, "_link", "exact reference")
    clock.watch(_Register, "_derive", "derive and check")
    for delivery_id in nightly.find_deliveries(options.folder / "feeds" / "inbox", NIGHT):
        nightly.land(settings, options.folder / "feeds" / "inbox", NIGHT, delivery_id)
    nightly.stage(settings, NIGHT)
    with clock.at("train"):
        nightly.train(settings)
    clock.watch(score, "match_clients", "judge and cluster")
    clock.watch(score._Night, "_derive", "derive records")
    clock.watch(score._Night, "_block", "block")
    clock.watch(Engine, "score", "score")
    clock.watch(score, "load_records", "score")
    score.match_clients(settings, NIGHT)
    with clock.at("report"):
        nightly.report(settings, NIGHT)
    with clock.at("publish"):
        publish_merges(settings)
    clock._turn()
    stages = {
        stage: {"seconds": clock.seconds[stage], "cpu": clock.cpu[stage], "peak": clock.peak[stage]}
        for stage in clock.seconds
    }
    return {"stages": stages, "peak": peak()}


def _again(options: argparse.Namespace) -> Told:
    """The next night, for which nothing has come."""
    import great_expectations  # noqa: F401, PLC0415
    import splink  # noqa: F401, PLC0415

    from pipelines.nightly import run_night  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415

    started, busy = perf_counter(), process_time()
    run_night(load_settings(options.folder / "home"), options.folder / "feeds" / "inbox", NIGHT + timedelta(days=1))
    return {"seconds": perf_counter() - started, "cpu": process_time() - busy, "peak": peak()}


def _bare(options: argparse.Namespace) -> Told:
    """CPU seconds of each bare statement, and how many rows each stage has before it."""
    import duckdb  # noqa: PLC0415

    from pipelines.match.blocking import block_keys, blocked_pairs  # noqa: PLC0415
    from pipelines.match.models import load_model  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415

    settings = load_settings(options.folder / "home")
    model = load_model(settings)
    assert model is not None  # noqa: S101 - the night trained one
    out = options.folder
    with duckdb.connect(str(out / "bare.duckdb")) as bare:
        bare.execute(f"attach '{settings.database}' as home (read_only)")

        def one(sql: str) -> int:
            return int(bare.execute(sql).fetchall()[0][0])

        def cost(*statements: str) -> float:
            busy = process_time()
            for statement in statements:
                bare.execute(statement).fetchall()
            return process_time() - busy

        reads = []
        for number, file in enumerate(sorted((out / "bare").glob("*.csv"))):
            options_of_read = "all_varchar = true, ignore_errors = true"
            try:
                bare.execute(f"select count(*) from read_csv('{file}', {options_of_read})").fetchall()
            except duckdb.Error:
                options_of_read += ", encoding = 'latin-1'"
            reads.append(f"create table file_{number} as from read_csv('{file}', {options_of_read})")
        people = "home.staged.source_records"
        told: Told = {"ingest": cost(*reads)}
        told["standardise"] = cost(f"create table people as from {people}")
        told["exact reference"] = cost(
            "create table linked as select p.record_id, r.origin_client_id from people as p join home.staged.references"
            " as r on r.kind = 'social_services_reference' and r.issuer = p.council and r.reference = p.reference"
        )
        register = ("source_records", "clients", "contacts", "references", "purchase_orders", "enrolments", "visits")
        told["derive and check"] = cost(
            *(f'create table copy_of_{table} as from home.staged."{table}"' for table in register)
        )
        told["derive records"] = cost("create table records as from home.matched.records")
        told["block"] = cost(
            "create table same as select l.client_id as a, r.client_id as b from records as l join records as r"
            " on l.born = r.born and l.surname = r.surname and l.client_id < r.client_id"
        )
        bare.execute(f"create table blocks as {block_keys(model.blocking, 'records')}")
        bare.execute(f"create table pairs as {blocked_pairs(model.blocking, 'blocks', 'blocks')}")
        told["score"] = cost(
            "create table scored as select left_id, right_id, jaro_winkler_similarity(l.surname, r.surname) as surname,"
            " jaro_winkler_similarity(l.forename, r.forename) as forename from pairs"
            " join records as l on l.client_id = left_id join records as r on r.client_id = right_id"
        )
        told["judge and cluster"] = cost("create table kept as from home.matched.pairs")
        told["report"] = cost(
            "copy (from home.matched.candidates join home.matched.pairs using (left_id, right_id)"
            " join home.matched.records as l on l.client_id = left_id"
            f" join home.matched.records as r on r.client_id = right_id) to '{out}/bare.csv'"
        )
        told["publish"] = cost(f"copy (from home.staged.clients) to '{out}/bare.parquet'")
        told["rows"] = {
            "rows sent": one("select sum(rows_read) from home.raw.files"),
            "rows about people": one(f"select count(*) from {people}"),
            "client records": one("select count(*) from home.staged.clients"),
            "pairs": one("select count(*) from pairs"),
            "pairs kept": one("select count(*) from home.matched.pairs"),
            "candidates": one("select count(*) from home.matched.candidates"),
        }
    return told


PARTS = {"sample": _sample, "night": _night, "bare": _bare, "again": _again}

if __name__ == "__main__":
    main()
