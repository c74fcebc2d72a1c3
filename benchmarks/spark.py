"""Matching by Spark on this machine beside DuckDB: the same outcome, and what it costs.

A register is made from sample feeds, a model is trained, and everything is matched again with it by each engine, in a
process of its own. Seconds of Spark are those of its JVM and of the process that hands out and takes in.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from datetime import date
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.reporting.parts import in_a_process
from benchmarks.scale import SLOW_IMPORTS

DAY = date(2026, 11, 20)
SIZES = (20_000, 100_000)
TITLE = "Results of `benchmarks/run.py spark --write`"
HEADINGS = (
    "clients", "records", "pairs looked at", "engine", "seconds", "CPU seconds", "of DuckDB's", "peak MB", "pairs kept",
    "on another level", "largest difference in bits", "state",
)  # fmt: skip
Told = dict[str, Any]


def main() -> None:
    """Print a row for each size and engine."""
    options = _options()
    if options.part:
        print(json.dumps(PARTS[options.part](options)))
        return
    console = Console(width=None if sys.stdout.isatty() else 200)
    rows = []
    for clients in options.clients:
        with tempfile.TemporaryDirectory(prefix="oneclient-bench-") as folder:
            told = {}
            for part in PARTS:
                with console.status(f"{clients:,} clients: {part}"):
                    told[part] = in_a_process("spark", part, folder, master=options.master, clients=clients)
        rows += _rows(clients, told)
    table = Table(title=f"Matching by DuckDB and by Spark ({options.master})")
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if number == 3 else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    if options.write:
        from benchmarks.matching.report import circumstances, markdown, write_section  # noqa: PLC0415

        spark = f"Spark: pyspark {version('pyspark')} on `{options.master}`, splink {version('splink')}."
        write_section(TITLE, [circumstances(["ours"]), "", spark, "", *markdown(HEADINGS, rows)])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py spark", description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=SIZES, help="of the sample, for each run")
    parser.add_argument("--master", default="local[2]", help="where Spark runs")
    parser.add_argument("--quick", action="store_true", help="five hundred clients")
    parser.add_argument("--write", action="store_true", help="renew its part of benchmarks/RESULTS.md")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.clients = [500]
    return options


def _rows(clients: int, told: dict[str, Told]) -> list[list[str]]:
    made, duckdb, spark = told["make_register"], told["by_duckdb"], told["by_spark"]
    same = "the same" if duckdb["state"] == spark["state"] else "ANOTHER"
    return [
        [
            f"{clients:,}",
            f"{made['records']:,}",
            f"{made['looked_at']:,}",
            name,
            f"{one['seconds']:.1f}",
            f"{one['cpu']:.1f}",
            f"{one['cpu'] / duckdb['cpu']:.1f} times",
            f"{one['peak']:,.0f}",
            *compared,
        ]
        for name, one, compared in (
            ("DuckDB", duckdb, [f"{duckdb['pairs']:,}", "", "", ""]),
            ("Spark", spark, [f"{spark['pairs']:,}", f"{spark['odd']:,}", f"{spark['most']:.1e}", same]),
        )
    ]


def _make_register(options: argparse.Namespace) -> Told:
    """A first night, which trains the model."""
    from pipelines import nightly  # noqa: PLC0415 - each part imports what it needs and no more
    from pipelines.match.models import load_model  # noqa: PLC0415
    from pipelines.sample import make_sample  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    make_sample(options.folder / "feeds", clients=options.clients[0], visits=0, seed=9, day=DAY)
    settings, inbox = load_settings(options.folder / "home"), options.folder / "feeds" / "inbox"
    for delivery_id in nightly.find_deliveries(inbox, DAY):
        nightly.land(settings, inbox, DAY, delivery_id)
    nightly.stage(settings, DAY)
    nightly.match(settings, DAY)
    model = load_model(settings)
    _forget_matching(settings)
    with open_warehouse(settings) as warehouse:
        records = warehouse.one("select count(*) from staged.clients where survivor_id = client_id")
    return {"records": records, "looked_at": sum(model.blocking.values())}


def _by_duckdb(options: argparse.Namespace) -> Told:
    from pipelines.fingerprint import fingerprint  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    settings = load_settings(options.folder / "home")
    told = _match(settings)
    told["state"] = fingerprint(settings)
    with open_warehouse(settings) as warehouse:
        told["pairs"] = warehouse.one("select count(*) from matched.pairs")
        warehouse.execute("create table main.by_duckdb as from matched.pairs")
    _forget_matching(settings)
    return told


def _by_spark(options: argparse.Namespace) -> Told:
    """Hand out, submit and take in; what Spark found is compared with DuckDB's pairs before it is taken in."""
    from pipelines.fingerprint import fingerprint  # noqa: PLC0415
    from pipelines.match.score import hand_out_to_spark  # noqa: PLC0415
    from pipelines.match.spark.submit import submit  # noqa: PLC0415
    from pipelines.settings import SparkSettings, load_settings  # noqa: PLC0415
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    settings = load_settings(options.folder / "home")
    settings = settings.model_copy(
        update={
            "match": settings.match.model_copy(update={"engine": "spark"}),
            "spark": SparkSettings(master=options.master, from_records=0, shuffle_partitions=8),
        }
    )
    started = perf_counter()
    folder = hand_out_to_spark(settings, DAY)
    submit(folder)
    spent = perf_counter() - started
    with open_warehouse(settings) as warehouse:
        compared = _compared(warehouse, settings, folder)
    told = _match(settings)
    return {**told, **compared, "seconds": told["seconds"] + spent, "state": fingerprint(settings)}


def _compared(warehouse: Any, settings: Any, folder: Path) -> Told:
    """How many pairs Spark kept; of those that either engine finds worth keeping, how many it puts on another level (or
    lacks); and by how much at most a weight differs."""
    from pipelines.match.engine import LEAST_PROBABILITY, bits  # noqa: PLC0415
    from pipelines.match.models import load_model  # noqa: PLC0415

    model = load_model(settings)
    levels = {c.name: {g: c.level_at(g).name for g in range(-1, len(c.levels))} for c in model.comparisons}
    cases = {
        name: f"case gamma_{name} " + " ".join(f"when {g} then '{level}'" for g, level in known.items()) + " end"
        for name, known in levels.items()
    }
    differs = " or ".join(f"d.level_{name} is distinct from {case}" for name, case in cases.items())
    found = f"read_parquet('{folder}/pairs/*.parquet')"
    kept, odd, most = warehouse.rows(
        f"select (select count(*) from {found}), count(*) filter ({differs}),"
        " max(abs(d.match_weight - s.match_weight))"
        f" from main.by_duckdb as d full join {found} as s using (left_id, right_id)"
        f" where d.match_weight is not null or s.match_weight >= {bits(LEAST_PROBABILITY) + 1e-6}"
    )[0]
    return {"pairs": kept, "odd": odd, "most": most}


def _match(settings: Any) -> Told:
    from pipelines import nightly  # noqa: PLC0415

    for module in SLOW_IMPORTS:
        import_module(module)
    begun, started = _cpu(resource.RUSAGE_SELF), perf_counter()
    nightly.match(settings, DAY)
    return {
        "seconds": perf_counter() - started,
        "cpu": _cpu(resource.RUSAGE_SELF) - begun + _cpu(resource.RUSAGE_CHILDREN),
        "peak": max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        / 1024,
    }


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _forget_matching(settings: Any) -> None:
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    with open_warehouse(settings) as warehouse:
        for table in warehouse.tables("matched"):
            warehouse.execute(f"drop table {table}")


PARTS = {"make_register": _make_register, "by_duckdb": _by_duckdb, "by_spark": _by_spark}

if __name__ == "__main__":
    main()
