"""Landing one large visits file, beside DuckDB's bare ``read_csv`` of the same file into a file database; then small
files that one process lands. All in CPU seconds.

Landing also reads every cell, runs the suite, keeps the original and writes the ledger. The two take turns, so that
whatever else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from time import process_time

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.reporting.figures import keep, peak
from pipelines import nightly
from pipelines.ingest.land import land_file
from pipelines.settings import load_settings

NIGHT = date(2026, 11, 20)
SMALL_FILES = 10
VISITS = """
    select
        'V' || lpad(n::varchar, 9, '0') as "VisitID",
        'C' || (n * 7919 % 20000) as "ClientID",
        if(n % 7 = 0, '', 'PO' || (n * 104729 % 30000)) as "PurchaseOrderNumber",
        strftime(date '2026-11-20' - (n % 365)::integer, '%d/%m/%Y') as "VisitDate",
        lpad((7 + n % 14)::varchar, 2, '0') || ':' || lpad((n % 4 * 15)::varchar, 2, '0') as "StartTime",
        [15, 30, 45, 60][n % 4 + 1] as "PlannedMinutes",
        lpad((7 + n % 14)::varchar, 2, '0') || ':' || lpad((n % 60)::varchar, 2, '0') as "ActualStart",
        10 + n % 50 as "ActualMinutes",
        1 + (n % 5 = 0)::integer as "Carers",
        ['Completed', 'Completed', 'Planned', 'Cancelled'][n % 4 + 1] as "Status"
    from range({rows}) as numbers(n)
"""


def main() -> None:
    """Print medians, rows a second and the ratio."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-") as folder:
        work = Path(folder)
        few, many = (_make_file(work, rows) for rows in (1_000, options.rows))
        for attempt in (_bare, _land):
            attempt(work, few)
        bare, landed = [], []
        for _ in range(options.times):
            bare.append(_bare(work, many))
            landed.append(_land(work, many))
        size = many.stat().st_size / 1e6
    table = Table(
        "", "median CPU s", "best", "worst", "rows/CPU s", title=f"{options.rows:,} visits, {size:.0f} MB of CSV"
    )
    for name, seconds in (("DuckDB read_csv, nothing else", bare), ("land_file, all of it", landed)):
        times = (f"{value:.2f}" for value in (median(seconds), min(seconds), max(seconds)))
        table.add_row(name, *times, f"{options.rows / median(seconds):,.0f}")
    console = Console()
    console.print(table)
    if options.write:
        figures = {"rows": options.rows, "megabytes": size, "bare": min(bare), "landed": min(landed), "peak": peak()}
        keep("ingest", {f"{options.rows} rows": figures})
    ratio, ratio_of_bests = median(landed) / median(bare), min(landed) / min(bare)
    console.print(
        f"Landing takes {ratio:.1f} times the CPU by the median of {options.times}, {ratio_of_bests:.1f} by the best."
    )
    small = min(_land_small_files() for _ in range(options.times))
    console.print(f"A file of some 35 rows takes {small:.3f} CPU s, as one of {SMALL_FILES} in one process.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="keep the figures")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the rows, three times")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.times = options.rows // 20, 3
    return options


def _make_file(work: Path, rows: int) -> Path:
    file = work / f"careplan_roster_visits_{rows}.csv"
    duckdb.connect().execute(f"copy ({VISITS.format(rows=rows)}) to '{file}' (header)")
    return file


def _bare(work: Path, file: Path) -> float:
    database = work / "bare.duckdb"

    def read() -> None:
        with duckdb.connect(str(database)) as connection:
            connection.execute(f"create table visits as select * from read_csv('{file}')")

    seconds = _seconds(read)
    database.unlink()
    return seconds


def _land(work: Path, file: Path) -> float:
    settings = load_settings(work / "home")
    delivered = Path(shutil.copy(file, settings.inbox))
    seconds = _seconds(lambda: land_file(settings, delivered, NIGHT))
    shutil.rmtree(settings.home)
    return seconds


def _land_small_files() -> float:
    """CPU seconds for each of some small files that one process lands."""
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-") as folder:
        settings = load_settings(Path(folder) / "home")
        for number in range(SMALL_FILES):
            made = _make_file(Path(folder), 30 + number)
            made.rename(settings.inbox / f"system{number}_roster_visits_20261120.csv")
        deliveries = nightly.find_deliveries(settings.inbox, NIGHT)
        return _seconds(lambda: nightly.land(settings, settings.inbox, NIGHT, *deliveries)) / SMALL_FILES


def _seconds(what: Callable[[], object]) -> float:
    started = process_time()
    what()
    return process_time() - started


if __name__ == "__main__":
    main()
