"""The tables: on the terminal, and in RESULTS.md."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from textwrap import shorten

from rich.table import Table

from benchmarks.matching.contenders import CONTENDERS, Run
from benchmarks.matching.environments import OURS, ROOT, version_of
from benchmarks.matching.scoring import HARD_KINDS

RESULTS = Path(__file__).parents[1] / "RESULTS.md"
TITLE = "Results of `benchmarks/run.py matching --write`"
HEADINGS = ("contender", "F1", "precision", "recall", "top tier: precision", "recall", "hard negatives merged",
            "seconds", "without imports", "peak MB")  # fmt: skip
LONGEST_CELL, LONGEST_REASON = 20, 300


def quality(file: str, runs: Sequence[Run]) -> Table:
    """One row a contender on one file."""
    table = Table(title=file, caption="\n".join(_failures(runs)) or None)
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    for run in runs:
        table.add_row(*_cells(run))
    return table


def hard_negatives(file: str, runs: Sequence[Run]) -> Table | None:
    """Pairs of two people in one cluster, by kind; None where the file does not tell."""
    headings, rows = _hard_cells(runs)
    if not rows:
        return None
    table = Table(title=f"{file}: two people in one cluster")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def write_results(runs: Sequence[Run]) -> None:
    """Renew this benchmark's part of RESULTS.md with all that was run."""
    lines = [circumstances(CONTENDERS), ""]
    for file in dict.fromkeys(run.file for run in runs):
        of_file = [run for run in runs if run.file == file]
        lines += [f"## {file}", "", *markdown(HEADINGS, [_cells(run) for run in of_file]), ""]
        lines += [line for failure in _failures(of_file) for line in (failure, "")]
        headings, rows = _hard_cells(of_file)
        if rows:
            lines += ["Two people in one cluster, by kind:", "", *markdown(headings, rows), ""]
    write_section(TITLE, lines)


def write_section(title: str, lines: Iterable[str]) -> None:
    """Renew what RESULTS.md says under one title; what stands under others stays."""
    written = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    sections = {section.partition("\n")[0]: section for section in written.split("\n# ") if section}
    sections = {heading.removeprefix("# "): section.removeprefix("# ") for heading, section in sections.items()}
    sections[title] = "\n".join([title, "", *lines])
    RESULTS.write_text("\n".join(f"# {section.rstrip()}\n" for section in sections.values()), encoding="utf-8")


def _cells(run: Run) -> list[str]:
    name = run.contender.name + (f" ({run.contender.note})" if run.contender.note else "")
    cost = [f"{run.seconds:,.1f}", f"{run.seconds_without_imports:,.1f}", f"{run.peak:,.0f}"]
    if run.score is None:
        return [name, "failed" if len(run.failed) > LONGEST_CELL else run.failed, *[""] * 5, cost[0], "", cost[2]]
    found = run.score
    merged = f"{sum(m for m, _ in found.hard.values()):,} of {sum(n for _, n in found.hard.values()):,}"
    values = [found.f1, found.precision, found.recall, found.top_precision, found.top_recall]
    return [name, *(_share(value) for value in values), merged if found.hard else "", *cost]


def _failures(runs: Iterable[Run]) -> list[str]:
    return [
        f"{run.contender.name} failed: {shorten(run.failed, LONGEST_REASON)}"
        for run in runs
        if len(run.failed) > LONGEST_CELL
    ]


def _hard_cells(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    scored = [(run.contender.name, run.score.hard) for run in runs if run.score and run.score.hard]
    kinds = [kind for kind in HARD_KINDS if any(kind in hard for _, hard in scored)]
    headings = ["", *(kind.replace("_", " ") for kind in kinds)]
    if not scored:
        return headings, []
    there_are = ["there are", *(f"{scored[0][1][kind][1]:,}" for kind in kinds)]
    return headings, [there_are, *([name, *(f"{hard[kind][0]:,}" for kind in kinds)] for name, hard in scored)]


def _share(value: float | None) -> str:
    """Never rounded up to 1."""
    if value is None:
        return "–"
    return f"{value:.4f}" if value in {0.0, 1.0} else f"{min(value, 0.9999):.4f}"


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table whose first column is text and the others figures."""
    ruler = ["---", *["---:"] * (len(headings) - 1)]
    return ["| " + " | ".join(cells) + " |" for cells in (headings, ruler, *rows)]


def circumstances(contenders: Iterable[str]) -> str:
    """The commit, the machine, and the versions of those contenders."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(
        f"{c.package} {_our_version() if c.environment == OURS else version_of(c.environment, c.package)}"
        for c in map(CONTENDERS.__getitem__, contenders)
    )
    return (
        f"Commit {commit or 'unknown'}; {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}. Versions: {versions}. What the columns mean: [README.md](README.md)."
    )


def _our_version() -> str:
    try:
        return version(OURS)
    except ImportError:
        return "from source"
