"""Matching 100,000, a million and five million records: a first match, one with a known model, and nights of some news.

Each register is made from sample feeds by a real night. Each measured part has a process of its own, its imports done
before the clock starts. Beside them plain Splink 5 trains on and predicts over the same standardised records.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.reporting.figures import exponent, keep, peak, read
from benchmarks.reporting.parts import in_a_process

DAY = date(2026, 11, 20)
RECORDS_A_PERSON = 1.2
NEWS = (1_000, 10_000, 100_000)
LEAST_REGISTER = 10
"""A night's news is at most a tenth of the register."""
SPLINK_PAIRS = 2e6
SPLINK_CLUSTERS_AT = 0.95
TITLE = "Results of `benchmarks/run.py scale --write`"
HEADINGS = ("", "records", "seconds", "CPU seconds", "of the first match", "of plain Splink", "peak MB", "pairs", "F1")
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
    """For each size print a row for each part, with what share of the first match and of plain Splink it takes."""
    options = _options()
    if options.part:
        print(json.dumps(PARTS[options.part](options)))
        return
    console = Console(width=None if sys.stdout.isatty() else 150)
    told = {records: _measure(options, records, console) for records in options.records}
    for line in _growth(told):
        console.print(line)
    if options.write:
        _write(told)


def _measure(options: argparse.Namespace, records: int, console: Console) -> dict[str, Told]:
    told = {}
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-", dir=options.scratch) as folder:
        for part in PARTS:
            if part.startswith("new_") and int(part.removeprefix("new_")) * LEAST_REGISTER > records:
                continue
            with console.status(f"At work: {part.replace('_', ' ')}"):
                told[part] = _told_by(part, options, records, options.folder or folder)
    table = Table(title=f"{told['make_register']['records']:,} records of {told['make_feeds']['people']:,} people")
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if number else "left")
    for row in _rows(told):
        table.add_row(*row)
    console.print(table)
    return told


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py scale", description=__doc__)
    parser.add_argument(
        "--records", type=int, nargs="+", default=[100_000, 1_000_000], help="about so many client records"
    )
    parser.add_argument("--memory", help="what DuckDB may take, such as 3GiB")
    parser.add_argument("--quick", action="store_true", help="ten thousand")
    parser.add_argument("--write", action="store_true", help="renew its part of benchmarks/RESULTS.md, and the figures")
    parser.add_argument("--scratch", type=Path, help="where to put the homes (a million records take 9 GB)")
    parser.add_argument("--folder", type=Path, help="a folder that keeps the register, or has it from an earlier run")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.records = [10_000]
    return options


def _told_by(part: str, options: argparse.Namespace, records: int, folder: str | Path) -> Told:
    """Plain Splink may fail, of want of memory for one; ours may not."""
    try:
        return in_a_process("scale", part, folder, records=records, memory=options.memory)
    except subprocess.CalledProcessError:
        if part != "plain_splink":
            raise
        return {}


def _rows(told: dict[str, Told]) -> list[list[str]]:
    """Shares are of CPU seconds, which others on the same machine disturb least."""
    first, splink = told["first_match"]["cpu"], told["plain_splink"].get("cpu")
    return [
        [
            name,
            f"{told[part]['records']:,}",
            f"{told[part]['seconds']:.1f}",
            f"{told[part]['cpu']:.1f}",
            f"{told[part]['cpu'] / first:.1%}",
            f"{told[part]['cpu'] / splink:.1%}" if splink else "",
            f"{told[part]['peak']:,.0f}",
            f"{told[part]['pairs']:,}",
            f"{told[part]['f1']:.4f}" if "f1" in told[part] else "",
        ]
        if told[part]
        else [name, "failed", *[""] * 7]
        for part, name in MEASURED.items()
        if part in told
    ]


def _growth(told: dict[int, dict[str, Told]]) -> list[str]:
    """What a night's news costs as the register grows, and as the news does."""
    lines = []
    for news in NEWS:
        found = {size: parts[f"new_{news}"]["cpu"] for size, parts in told.items() if f"new_{news}" in parts}
        if len(found) > 1:
            grows = exponent([*found], [*found.values()])
            lines.append(f"A night of {news:,} new records: CPU grows with the register to the power of {grows:.2f}.")
    for size, parts in told.items():
        found = {news: parts[f"new_{news}"]["cpu"] for news in NEWS if f"new_{news}" in parts}
        if len(found) > 1:
            grows = exponent([*found], [*found.values()])
            lines.append(f"A register of about {size:,}: CPU grows with the news to the power of {grows:.2f}.")
    return lines


def _write(told: dict[int, dict[str, Told]]) -> None:
    """Renew the part of RESULTS.md from the figures of all sizes that were ever kept."""
    from benchmarks.matching.report import markdown, write_section  # noqa: PLC0415

    keep("scale", {str(size): parts for size, parts in told.items()}, ["ours", "splink"])
    kept = {int(size): parts for size, parts in sorted(read("scale").items(), key=lambda one: int(one[0]))}
    written = []
    for parts in kept.values():
        people = f"{parts['make_register']['records']:,} records of {parts['make_feeds']['people']:,} made-up people."
        written += ["", people, "", parts["made_with"], "", *markdown(HEADINGS, _rows(parts))]
    write_section(TITLE, [*written[1:], "", *(f"- {line}" for line in _growth(kept))])


def _make_feeds(options: argparse.Namespace) -> Told:
    from pipelines.sample import make_sample  # noqa: PLC0415 - each part imports what it needs and no more

    people = round(options.records[0] / RECORDS_A_PERSON)
    if not (options.folder / "people.parquet").exists():
        make_sample(options.folder / "feeds", clients=people, visits=0, seed=3, day=DAY)
    return {"people": people}


def _make_register(options: argparse.Namespace) -> Told:
    """Land and stage the feeds, write the standardised records for Splink and who they are, and hold the news back."""
    from pipelines import nightly  # noqa: PLC0415
    from pipelines.match.groups import show_everybody  # noqa: PLC0415
    from pipelines.warehouse import open_warehouse, sql_text  # noqa: PLC0415

    settings, inbox, records = (
        _settings(options),
        options.folder / "feeds" / "inbox",
        options.folder / "records.parquet",
    )
    if not (options.folder / "people.parquet").exists():
        for delivery_id in nightly.find_deliveries(inbox, DAY):
            nightly.land(settings, inbox, DAY, delivery_id)
        nightly.stage(settings, DAY)
        with open_warehouse(settings) as warehouse:
            show_everybody(warehouse)
            warehouse.execute(
                "copy (select client_id as unique_id, forename, surname, forename || ' ' || surname as whole_name,"
                " strftime(try_strptime(born, '%Y%m%d'), '%Y-%m-%d') as birth, gender, address as address_1, town,"
                " postcode, phone, mobile, email, nhs_number, reference_core as reference"
                f" from ({sql_text('matched.records')})) to '{records}'"
            )
            warehouse.execute(
                "create temp table truth as"
                f" select * from read_csv('{options.folder}/feeds/truth.csv', all_varchar = true)"
            )
            warehouse.execute(
                "copy (select s.origin_client_id as client_id, arg_min(t.person_id,"
                " (s.how_linked = 'exact_reference', s.sent_on, s.record_id)) as person_id from truth as t"
                " join staged.source_records as s using (feed, issuer, record_id) group by 1)"
                f" to '{options.folder}/people.parquet'"
            )
    with open_warehouse(settings) as warehouse:
        for table in warehouse.tables("matched"):
            warehouse.execute(f"drop table {table}")
        begins = 0
        for news in NEWS:
            back = f"main.news_{news}"
            if warehouse.exists(back):
                warehouse.append("staged.clients", f"(from {back} anti join staged.clients using (client_id))")
            elif news * LEAST_REGISTER <= options.records[0]:
                warehouse.execute(
                    f"create table {back} as from staged.clients order by hash(client_id), client_id"
                    f" limit {news} offset {begins}"
                )
            begins += news
        for news in NEWS:
            if warehouse.exists(f"main.news_{news}"):
                warehouse.execute(
                    f"delete from staged.clients where client_id in (select client_id from main.news_{news})"
                )
        return {"records": warehouse.one(f"select count(*) from '{records}'")}


def _first_match(options: argparse.Namespace) -> Told:
    shutil.rmtree(_settings(options).models, ignore_errors=True)
    return _match(options, 0)


def _match_with_a_model(options: argparse.Namespace) -> Told:
    """As if nothing had been matched, but with the model of the first match."""
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    with open_warehouse(_settings(options)) as warehouse:
        for table in warehouse.tables("matched"):
            warehouse.execute(f"drop table {table}")
    return _match(options, 1)


def _news(news: int, options: argparse.Namespace) -> Told:
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    with open_warehouse(_settings(options)) as warehouse:
        warehouse.append("staged.clients", f"main.news_{news}")
    return _match(options, 2 + NEWS.index(news))


def _no_news(options: argparse.Namespace) -> Told:
    from pipelines.warehouse import open_warehouse  # noqa: PLC0415

    told = _match(options, 2 + len(NEWS))
    with open_warehouse(_settings(options)) as warehouse:
        warehouse.execute("create temp table clustered as select client_id, cluster_id from matched.clusters")
        return {**told, "f1": _f1(warehouse.one, f"{options.folder}/people.parquet")}


def _match(options: argparse.Namespace, days_later: int) -> Told:
    from pipelines import nightly  # noqa: PLC0415

    for module in SLOW_IMPORTS:
        import_module(module)
    settings = _settings(options)
    started, busy = perf_counter(), process_time()
    matching = nightly.match(settings, DAY + timedelta(days=days_later))
    return {
        "seconds": perf_counter() - started,
        "cpu": process_time() - busy,
        "peak": peak(),
        "records": matching.scored_again,
        "pairs": sum(matching.tiers.values()),
    }


def _settings(options: argparse.Namespace) -> Any:
    from pipelines.settings import load_settings  # noqa: PLC0415

    home = options.folder / "home"
    home.mkdir(exist_ok=True, parents=True)
    memory = f'[warehouse]\nmemory_limit = "{options.memory}"\n' if options.memory else ""
    (home / "settings.toml").write_text(f"{memory}[ingest]\nmax_unpacked_megabytes = 100_000\n", encoding="utf-8")
    return load_settings(home)


def _f1(one: Callable[[str], Any], people: str) -> float:
    """Pairwise, of the temporary table ``clustered`` (client_id, cluster_id) against who the records are."""
    pairs = "coalesce(sum(n * (n - 1) // 2), 0)"
    found = one(f"select {pairs} from (select count(*) as n from clustered group by cluster_id)")
    true = one(f"select {pairs} from (select count(*) as n from '{people}' group by person_id)")
    both = one(
        f"select {pairs} from (select count(*) as n from clustered join '{people}' using (client_id)"
        " group by cluster_id, person_id)"
    )
    return float(2 * both / (found + true))


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
    connection = duckdb.connect(config={"temp_directory": str(options.folder / "spill")})
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
    told = {"seconds": perf_counter() - started, "cpu": process_time() - busy, "peak": peak()}
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predicted, threshold_match_probability=SPLINK_CLUSTERS_AT
    )
    connection.execute(
        f"create temp table clustered as select unique_id as client_id, cluster_id from {clusters.physical_name}"
    )

    def one(sql: str) -> Any:
        return connection.execute(sql).fetchall()[0][0]

    return {
        **told,
        "records": one("select count(*) from records"),
        "pairs": one(f"select count(*) from {predicted.physical_name}"),
        "f1": _f1(one, f"{options.folder}/people.parquet"),
    }


PARTS = {
    "make_feeds": _make_feeds,
    "make_register": _make_register,
    "first_match": _first_match,
    "match_with_a_model": _match_with_a_model,
    **{f"new_{news}": partial(_news, news) for news in NEWS},
    "no_news": _no_news,
    "plain_splink": _plain_splink,
}
MEASURED = {
    "first_match": "first match: train, score, judge, cluster",
    "match_with_a_model": "everything again with that model",
    **{f"new_{news}": f"a night with {news:,} new records" for news in NEWS},
    "no_news": "a night without news, and all that was found",
    "plain_splink": "plain Splink: train, predict (clusters at 0.95)",
}

if __name__ == "__main__":
    main()
