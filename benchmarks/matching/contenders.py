"""Who takes part, and how one of them is run: a fresh process, a time limit, and what it cost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter, sleep

import pandas as pd

from benchmarks.matching.data import LabelledFile
from benchmarks.matching.environments import OURS, command_in, surroundings
from benchmarks.matching.scoring import Score, score


@dataclass(frozen=True)
class Contender:
    """`note` stands beside its name in the table; `taught`: it is given labels."""

    name: str
    adapter: str
    environment: str
    package: str
    note: str = ""
    taught: bool = False


CONTENDERS = {
    "ours": Contender("oneclient", "ours", OURS, "oneclient"),
    "splink": Contender("plain Splink", "plain_splink", "splink", "splink"),
    "goldenmatch": Contender("GoldenMatch, zero config", "goldenmatch_zero_config", "goldenmatch", "goldenmatch"),
    "recordlinkage": Contender("recordlinkage, ECM", "recordlinkage_default", "recordlinkage", "recordlinkage"),
    "dedupe": Contender(
        "dedupe",
        "dedupe_default",
        "dedupe",
        "dedupe",
        "supervised: 200 labels, and a sample chosen by truth",
        taught=True,
    ),
}


@dataclass(frozen=True)
class Run:
    """One contender on one file: its `score`, or `failed`, why there is none. `peak` is in megabytes."""

    file: str
    contender: Contender
    score: Score | None
    failed: str
    seconds: float
    seconds_without_imports: float
    peak: float


@dataclass(frozen=True)
class Limits:
    """What a contender may use on one file; memory is that of each of its processes."""

    minutes: float
    gigabytes: float


def run(contender: Contender, file: LabelledFile, work: Path, limits: Limits) -> Run:
    """Let a contender match a file in a process of its own, and compare its answer with the truth."""
    folder = work / f"{file.name} {contender.adapter}".replace(" ", "_")
    file.set_out(folder, with_labels=contender.taught)
    arguments = ["-m", f"benchmarks.matching.adapters.{contender.adapter}", str(folder), str(limits.gigabytes)]
    with TemporaryFile("w+") as told, TemporaryFile("w+") as complaints:
        started = perf_counter()
        process = subprocess.Popen(
            command_in(contender.environment, arguments),
            stdout=told,
            stderr=complaints,
            cwd=folder,
            env=surroundings(folder),
            start_new_session=True,
        )
        exit_code, peak = _wait(process, started + limits.minutes * 60)
        seconds = perf_counter() - started
        told.seek(0)
        complaints.seek(0)
        last_words = [line.strip() for line in complaints.read().splitlines() if line.strip()][-1:]
        last_line = told.read().strip().rpartition("\n")[2]
    if exit_code != 0:
        why = "; ".join(last_words) or f"exit code {exit_code}"
        if exit_code is None:
            why = f"over {limits.minutes:g} min"
        elif "MemoryError" in why:
            why = f"over {limits.gigabytes:g} GB"
        return Run(file.name, contender, None, why, seconds, 0.0, peak)
    cluster = pd.read_parquet(folder / "clusters.parquet")["cluster"].to_numpy()
    found = score(file, cluster, pd.read_parquet(folder / "top.parquet"))
    return Run(file.name, contender, found, "", seconds, json.loads(last_line)["seconds_without_imports"], peak)


def _wait(process: subprocess.Popen[bytes], until: float) -> tuple[int | None, float]:
    """The exit code (None: it ran out of time and was ended), and the most megabytes of it or a process it started."""
    in_time = True
    try:
        while True:
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode if in_time else None, used.ru_maxrss / 1024
            if in_time and perf_counter() > until:
                in_time = False
                os.killpg(process.pid, signal.SIGKILL)
            sleep(0.02)
    except KeyboardInterrupt:  # it has a session of its own, and would run on
        os.killpg(process.pid, signal.SIGKILL)
        raise
