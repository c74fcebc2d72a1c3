"""Matching a million records: a first match, one with a known model, and nights that bring 1 % or nothing.

The register is made from sample feeds by a real night. Each measured part has a process of its own, and its imports are
done before the clock starts. Beside them plain Splink 5 trains on and predicts over the same standardised records.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from rich.console import Console
from rich.table import Table

DAY = date(2026, 11, 20)
RECORDS_A_PERSON = 1.2
NEW = 100
"""One record in so many is held back, and arrives on the later night."""
SPLINK_PAIRS = 2e6
TITLE = "Results of `benchmarks/run.py scale --write`"
HEADINGS = ("", "records", "seconds", "CPU seconds", "of the first match", "of plain Splink", "peak MB", "pairs")
SLOW_IMPORTS = (
    "splink",
    "sqlglot.dialects.duckdb",
    "altair",
    "scipy.optimize",
    "great_expectations",
    "alembic.context",
)
Told = dict[str, Any]


def main() -> None:
    """Print a row for each part, with what share of the first match and of plain Splink it takes."""
    options = _options()
    if options.part:
        print(json.dumps(PARTS[options.part](options)))
        return
    console = Console(width=None if sys.stdout.isatty() else 150)
    told = {}
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-") as folder:
        for part in PARTS:
            with console.status(f"At work: {part.replace('_', ' ')}"):
                told[part] = _in_a_process(part, options, folder)
    rows = _rows(told)
    table = Table(title=f"{told['make_register']['records']:,} records of {told['make_feeds']['people']:,} people")
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    if options.write:
        from benchmarks.matching.report import circumstances, markdown, write_section  # noqa: PLC0415

        people = f"{told['make_register']['records']:,} records of {told['make_feeds']['people']:,} made-up people."
        write_section(TITLE, [circumstances(["ours", "splink"]), "", people, "", *markdown(HEADINGS, rows)])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py scale", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="about so many client records")
    parser.add_argument("--quick", action="store_true", help="two thousand")
    parser.add_argument("--write", action="store_true", help="renew its part of benchmarks/RESULTS.md")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.records = 2_000
    return options


def _in_a_process(part: str, options: argparse.Namespace, folder: str) -> Told:
    command = [sys.executable, "-m", "benchmarks.scale", "--part", part, "--folder", folder]
    done = subprocess.run([*command, "--records", str(options.records)], stdout=subprocess.PIPE, check=True, text=True)
    told: Told = json.loads(done.stdout)
    return told


def _rows(told: dict[str, Told]) -> list[list[str]]:
    """Shares are of CPU seconds, which others on the same machine disturb least."""
    first, splink = told["first_match"]["cpu"], told["plain_splink"]["cpu"]
    return [
        [
            name,
            f"{told[part]['records']:,}",
            f"{told[part]['seconds']:.1f}",
            f"{told[part]['cpu']:.1f}",
            f"{told[part]['cpu'] / first:.1%}",
            f"{told[part]['cpu'] / splink:.1%}",
            f"{told[part]['peak']:,.0f}",
            f"{told[part]['pairs']:,}",
        ]
        for part, name in MEASURED.items()
    ]


def _make_feeds(options: argparse.Namespace) -> Told:
    from pipelines.sample import make_sample  # noqa: PLC0415 - each part imports what it needs and no more

    people = round(options.records / RECORDS_A_PERSON)
    make_sample(options.folder / "feeds", clients=people, visits=0, seed=3, day=DAY)
    return {"people": people}


def _make_register(options: argparse.Namespace) -> Told:
    """Land and stage the feeds, write the standardised records for Splink, and hold some back."""
    from pipelines import nightly  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415
    from pipelines.warehouse import open_warehouse, sql_text  # noqa: PLC0415

    settings, inbox = load_settings(options.folder / "home"), options.folder / "feeds" / "inbox"
    for delivery_id in nightly.find_deliveries(inbox, DAY):
        nightly.land(settings, inbox, DAY, delivery_id)
    nightly.stage(settings, DAY)
    with open_warehouse(settings) as warehouse:
        warehouse.execute("create temp table touched as select client_id from staged.clients")
        warehouse.execute(
            "copy (select client_id as unique_id, forename, surname, forename || ' ' || surname as whole_name,"
            " strftime(try_strptime(born, '%Y%m%d'), '%Y-%m-%d') as birth, gender, address as address_1, town,"
            " postcode, phone, mobile, email, nhs_number, reference_core as reference"
            f" from ({sql_text('matched.records')})) to '{options.folder}/records.parquet'"
        )
        warehouse.execute(f"create table main.held_back as from staged.clients where client_id % {NEW} = 0")
        warehouse.execute(f"delete from staged.clients where client_id % {NEW} = 0")
        return {"records": warehouse.one(f"select count(*) from '{options.folder}/records.parquet'")}


def _first_match(options: argparse.Namespace) -> Told:
    return _match(options, DAY)


def _match_with_a_model(options: argparse.Namespace) -> Told:
    """As if nothing had been matched, but with the model of the first match."""
    from pipelines.settings import load_settings  # noqa: PLC0415
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    with open_warehouse(load_settings(options.folder / "home")) as warehouse:
        for table in warehouse.tables("matched"):
            warehouse.execute(f"drop table {table}")
    return _match(options, DAY)


def _new_records(options: argparse.Namespace) -> Told:
    from pipelines.settings import load_settings  # noqa: PLC0415
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    with open_warehouse(load_settings(options.folder / "home")) as warehouse:
        warehouse.append("staged.clients", "main.held_back")
    return _match(options, DAY + timedelta(days=1))


def _no_news(options: argparse.Namespace) -> Told:
    return _match(options, DAY + timedelta(days=2))


def _match(options: argparse.Namespace, day: date) -> Told:
    from pipelines import nightly  # noqa: PLC0415
    from pipelines.settings import load_settings  # noqa: PLC0415

    for module in SLOW_IMPORTS:
        import_module(module)
    settings = load_settings(options.folder / "home")
    started, busy = perf_counter(), process_time()
    matching = nightly.match(settings, day)
    return {
        "seconds": perf_counter() - started,
        "cpu": process_time() - busy,
        "peak": _peak(),
        "records": matching.scored_again,
        "pairs": sum(matching.tiers.values()),
    }


def _plain_splink(options: argparse.Namespace) -> Told:
    """The comparisons of the contender in `matching`, blocking that a million records can bear, and sampled training.

    With the tutorial's blocking it would not come to an end.
    """
    import duckdb  # noqa: PLC0415
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415

    from benchmarks.matching.adapters.plain_splink import comparisons  # noqa: PLC0415

    for module in SLOW_IMPORTS:
        import_module(module)
    logging.getLogger("splink").setLevel(logging.ERROR)
    blocks = [block_on(name, "birth") for name in ("surname", "forename", "postcode")]
    blocks += [block_on("surname", "forename"), block_on("nhs_number")]
    started, busy = perf_counter(), process_time()
    connection = duckdb.connect()
    connection.execute(f"create table records as from '{options.folder}/records.parquet'")
    columns = [name for name, *_ in connection.execute("describe records").fetchall()]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=comparisons(columns, british=True),
        blocking_rules_to_generate_predictions=blocks,
    )
    linker = Linker(DuckDBAPI(connection=connection).register("records"), settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("forename", "surname", "birth"), block_on("nhs_number")], recall=0.6
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=SPLINK_PAIRS, seed=1)
    for rule in (block_on("forename", "surname"), block_on("birth")):
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True, max_pairs=SPLINK_PAIRS
        )
    predicted = linker.inference.predict(threshold_match_probability=0.5)
    pairs = connection.execute(f"select count(*) from {predicted.physical_name}").fetchall()[0][0]
    return {
        "seconds": perf_counter() - started,
        "cpu": process_time() - busy,
        "peak": _peak(),
        "records": connection.execute("select count(*) from records").fetchall()[0][0],
        "pairs": pairs,
    }


def _peak() -> float:
    """The most memory that this process ever held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PARTS = {
    "make_feeds": _make_feeds,
    "make_register": _make_register,
    "first_match": _first_match,
    "match_with_a_model": _match_with_a_model,
    "new_records": _new_records,
    "no_news": _no_news,
    "plain_splink": _plain_splink,
}
MEASURED = {
    "first_match": "first match: train, score, judge, cluster",
    "match_with_a_model": "everything again with that model",
    "new_records": "a night with 1 % new records",
    "no_news": "a night without news",
    "plain_splink": "plain Splink: train, predict",
}

if __name__ == "__main__":
    main()
