"""One register of many clients and many visits by a process that may take little memory: a first night, step by step,
the next night, and merges over all visits, carried out, carried out again and undone.

Each part runs in a process of its own, as a task of Airflow does; it says its seconds, its peak memory and the most
that DuckDB had put aside on disk. Visits are written into the register by one statement, not landed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.merging import VISITS
from benchmarks.reporting.figures import keep, peak, read
from benchmarks.reporting.parts import in_a_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.settings import Settings

DAY = date(2026, 11, 20)
RECORDS_A_PERSON = 1.2
NEWS = 8_000
"""People in the files of the next night: about 10,000 records."""
MERGES_REASON = "measured"
LOOK_EVERY = 0.2
TITLE = "Results of `benchmarks/run.py country --write`"
HEADINGS = ("", "rows", "seconds", "CPU seconds", "peak MB", "put aside on disk, MB")
Told = dict[str, Any]


def main() -> None:
    """Print what each part took."""
    options = _options()
    if options.part:
        print(json.dumps(_measured(options)))
        return
    console = Console(width=None if options.folder else 120)
    told: dict[str, Told] = {}
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-", dir=options.scratch) as folder:
        for part in list(PARTS)[list(PARTS).index(options.begin) :]:
            with console.status(NAMES[part]):
                told[part] = in_a_process(
                    "country",
                    part,
                    options.folder or folder,
                    records=options.records,
                    visits=options.visits,
                    memory=options.memory,
                )
            console.print(*_row(part, told[part]), sep="  ")
            if options.write:
                _write(options, told)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py country", description=__doc__)
    parser.add_argument("--records", type=int, default=500_000, help="about so many client records")
    parser.add_argument("--visits", type=int, default=20_000_000)
    parser.add_argument("--memory", default="1GiB", help="what DuckDB may take")
    parser.add_argument("--quick", action="store_true", help="a thousandth of both")
    parser.add_argument("--write", action="store_true", help="renew its part of benchmarks/RESULTS.md, and the figures")
    parser.add_argument("--scratch", type=Path, help="where to put the home")
    parser.add_argument("--folder", type=Path, help="a folder that keeps the home")
    parser.add_argument("--begin", choices=PARTS, default="make", help="with --folder: the parts before were done")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.records, options.visits = options.records // 1000, options.visits // 1000
    return options


def _measured(options: argparse.Namespace) -> Told:
    """What a part took. Imports count: a task of Airflow has them too."""
    home = options.folder / "home"
    home.mkdir(exist_ok=True)
    (home / "settings.toml").write_text(
        f'[warehouse]\nmemory_limit = "{options.memory}"\n[ingest]\nmax_unpacked_megabytes = 100_000\n',
        encoding="utf-8",
    )
    from pipelines.settings import load_settings  # noqa: PLC0415 - each part imports what it needs and no more

    settings = load_settings(home)
    started, busy = perf_counter(), process_time()
    with _watched(settings.scratch) as spilt:
        rows = PARTS[options.part](settings, options)
    return {
        "rows": rows,
        "seconds": perf_counter() - started,
        "cpu": process_time() - busy,
        "peak": peak(),
        "disk": spilt[0],
    }


@contextmanager
def _watched(scratch: Path) -> Iterator[list[float]]:
    """The most that ever lay in a folder meanwhile, in megabytes."""
    most, ended = [0.0], Event()

    def watch() -> None:
        while not ended.wait(LOOK_EVERY):
            most[0] = max(most[0], sum(_size(file) for file in scratch.rglob("*")))

    watching = Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield most
    finally:
        ended.set()
        watching.join()


def _size(file: Path) -> float:
    try:
        return file.stat().st_blocks * 512 / 1e6
    except FileNotFoundError:
        return 0.0


def _make(settings: Settings, options: argparse.Namespace) -> int:
    from pipelines.sample import make_sample  # noqa: PLC0415

    people = round(options.records / RECORDS_A_PERSON)
    make_sample(options.folder / "feeds", clients=people, visits=0, seed=3, day=DAY)
    make_sample(options.folder / "news", clients=min(NEWS, people), visits=0, seed=4, day=DAY + timedelta(days=1))
    return people


def _land(settings: Settings, options: argparse.Namespace) -> int:
    from pipelines import nightly  # noqa: PLC0415

    inbox = options.folder / "feeds" / "inbox"
    landed = [nightly.land(settings, inbox, DAY, delivery_id) for delivery_id in nightly.find_deliveries(inbox, DAY)]
    return sum(landing.rows_loaded for landing in landed if landing)


def _stage(settings: Settings, options: argparse.Namespace) -> int:
    from pipelines import nightly  # noqa: PLC0415

    return sum(nightly.stage(settings, DAY).new_clients.values())


def _visits(settings: Settings, options: argparse.Namespace) -> int:
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    with open_warehouse(settings) as warehouse:
        clients = warehouse.one("select count(*) from staged.clients")
        warehouse.execute(VISITS, {"first": 1, "clients": clients, "visits": options.visits})
    return int(options.visits)


def _match(settings: Settings, options: argparse.Namespace) -> int:
    from pipelines import nightly  # noqa: PLC0415

    return sum(nightly.match(settings, DAY).tiers.values())


def _report(settings: Settings, options: argparse.Namespace) -> int:
    from pipelines import nightly  # noqa: PLC0415

    nightly.report(settings, DAY)
    return _open_candidates(settings)


def _next_night(settings: Settings, options: argparse.Namespace) -> int:
    from pipelines import nightly  # noqa: PLC0415

    night = nightly.run_night(settings, options.folder / "news" / "inbox", DAY + timedelta(days=1))
    return night.matching.scored_again


def _decide(settings: Settings, options: argparse.Namespace) -> int:
    from pipelines.review import commands  # noqa: PLC0415

    done = commands.decide_tier(
        settings, "near-certain", verdict="same", who="ann", reason=MERGES_REASON, cells={}
    ).as_dict()
    return int(done["recorded"])


def _apply(settings: Settings, options: argparse.Namespace) -> int:
    from pipelines.merge.carry_out import apply_merges  # noqa: PLC0415
    from pipelines.merge.selection import Selection  # noqa: PLC0415

    return apply_merges(settings, Selection(), who="sam").moved.get("visits", 0)


def _undo(settings: Settings, options: argparse.Namespace) -> int:
    from pipelines.merge.carry_out import undo_merges  # noqa: PLC0415

    return undo_merges(settings, None, who="sam").moved.get("visits", 0)


def _open_candidates(settings: Settings) -> int:
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    with open_warehouse(settings) as warehouse:
        return int(warehouse.one("select count(*) from matched.candidates"))


def _row(part: str, told: Told) -> list[str]:
    return [
        NAMES[part],
        f"{told['rows']:,}",
        f"{told['seconds']:,.1f}",
        f"{told['cpu']:,.1f}",
        f"{told['peak']:,.0f}",
        f"{told['disk']:,.0f}",
    ]


def _write(options: argparse.Namespace, told: dict[str, Told]) -> None:
    """Renew the part of RESULTS.md; parts that this run left out keep their figures."""
    from benchmarks.matching.report import markdown, write_section  # noqa: PLC0415

    key = f"{options.records:,} records, {options.visits:,} visits, memory_limit {options.memory}"
    keep("country", {key: {"parts": {**read("country").get(key, {}).get("parts", {}), **told}}})
    written: list[str] = []
    for size, kept in read("country").items():
        rows = [_row(part, kept["parts"][part]) for part in NAMES if part in kept["parts"]]
        written += ["", f"{size}.", "", kept["made_with"], "", *markdown(HEADINGS, rows)]
    write_section(TITLE, written[1:])


PARTS: dict[str, Callable[[Any, argparse.Namespace], int]] = {
    "make": _make,
    "land": _land,
    "stage": _stage,
    "visits": _visits,
    "match": _match,
    "report": _report,
    "next": _next_night,
    "decide": _decide,
    "apply": _apply,
    "again": _apply,
    "undo": _undo,
}
NAMES = {
    "make": "made-up people",
    "land": "rows landed",
    "stage": "client records staged, in one transaction",
    "visits": "visits written",
    "match": "first match: candidates",
    "report": "report: candidates",
    "next": "the next night, whole: records matched again",
    "decide": "candidates decided in bulk",
    "apply": "merges, with plan and checks: visits moved",
    "again": "the same again",
    "undo": "undone: visits moved back",
}

if __name__ == "__main__":
    main()
