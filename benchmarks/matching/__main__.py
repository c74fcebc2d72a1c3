"""oneclient beside plain Splink, GoldenMatch, recordlinkage and dedupe, each in its own environment and process.

On FEBRL 3 and 4, on our own samples of 20,000 and 100,000 clients, and on any labelled files: F1, precision of what
each is surest of, pairs of two people in one cluster, seconds and memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks.matching import report
from benchmarks.matching.contenders import CONTENDERS, Limits, Run, run
from benchmarks.matching.data import LabelledFile, febrl, own_file, sample
from benchmarks.matching.environments import python_of

DATA: dict[str, Callable[[Path], LabelledFile]] = {
    "febrl3": partial(febrl, 3),
    "febrl4": partial(febrl, 4),
    "sample20k": partial(sample, 20_000),
    "sample100k": partial(sample, 100_000),
}
QUICK = {"sample": partial(sample, 500)}


def main() -> None:
    """Run every contender on every file, one after the other, and print a table for each file."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 150)
    limits = Limits(options.limit, options.memory)
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="oneclient-bench-") as folder:
        work = Path(folder)
        for name in options.only:
            with console.status(f"Making the environment of {name}, if it is not there"):
                python_of(CONTENDERS[name].environment)
        for file in _files(options, work):
            of_file = []
            for name in options.only:
                with console.status(f"{file.name}: {CONTENDERS[name].name}"):
                    of_file.append(run(CONTENDERS[name], file, work, limits))
                if options.write:
                    report.write_results([*runs, *of_file])
            runs += of_file
            console.print(report.quality(file.name, of_file))
            if hard := report.hard_negatives(file.name, of_file):
                console.print(hard)


def _files(options: argparse.Namespace, work: Path) -> Iterator[LabelledFile]:
    """Each is made when its turn comes, so that no two large ones are held at once."""
    chosen = QUICK if options.quick else {name: DATA[name] for name in options.data}
    for make in chosen.values():
        yield make(work)
    for number, path in enumerate(options.records):
        yield own_file(path, options.truth[min(number, len(options.truth) - 1)])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py matching", description=__doc__)
    parser.add_argument(
        "--data", nargs="*", choices=DATA, default=list(DATA), help="default: all; none: only --records"
    )
    parser.add_argument(
        "--records", action="append", type=Path, default=[], help="another labelled CSV or Parquet file"
    )
    parser.add_argument(
        "--truth", action="append", default=[], help="its truth column (one for all files, or one each)"
    )
    parser.add_argument(
        "--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="default: all contenders"
    )
    parser.add_argument("--limit", type=float, default=15, help="minutes for one contender on one file")
    parser.add_argument("--memory", type=float, default=12, help="gigabytes for each process of a contender")
    parser.add_argument("--quick", action="store_true", help="a sample of 500 clients instead of --data")
    parser.add_argument("--write", action="store_true", help="renew benchmarks/RESULTS.md")
    options = parser.parse_args()
    if options.records and not options.truth:
        parser.error("--records needs --truth COLUMN: which people the rows are.")
    return options


if __name__ == "__main__":
    main()
