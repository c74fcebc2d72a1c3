"""What a contender is given and what it answers; imported in every contender's environment.

A contender is run as ``python -m benchmarks.matching.adapters.NAME FOLDER GIGABYTES``. In the folder lie

- ``records.parquet``: the file as it came, all text, without truth or ids; ``tidy.parquet``: the same, tidied (`data`);
- ``roles.json``: role (*forename*, *birth* …) → heading;
- ``labels.parquet``: one column *person*, only for contenders that must be taught.

It writes ``clusters.parquet``, one column *cluster* with an entry for each row, and ``top.parquet``, the pairs of rows
*left_row* < *right_row* that it is surest of, and prints the seconds that it took without imports.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Task:
    """A folder to read records from, and to answer into."""

    folder: Path

    @property
    def as_sent(self) -> Path:
        """The file as it came."""
        return self.folder / "records.parquet"

    @property
    def tidy(self) -> Path:
        """The tidied file."""
        return self.folder / "tidy.parquet"

    def tidy_by_role(self) -> pd.DataFrame:
        """The tidied columns that have a role, under the role's name; missing values are None."""
        roles: dict[str, str] = json.loads((self.folder / "roles.json").read_text(encoding="utf-8"))
        named = pd.read_parquet(self.tidy)[list(roles.values())].set_axis(list(roles), axis=1)
        return named.astype(object).where(named.notna(), None)

    def labels(self) -> list[int]:
        """Which person each row is; only for a contender that must be taught."""
        return [int(person) for person in pd.read_parquet(self.folder / "labels.parquet")["person"]]


@dataclass(frozen=True)
class Answer:
    """``cluster``: an entry for each row; ``top``: columns left_row and right_row."""

    cluster: np.ndarray
    top: pd.DataFrame


def answer(match: Callable[[Task], Answer]) -> None:
    """Run a contender on the folder that the command line names."""
    task = Task(Path(sys.argv[1]))
    most = int(float(sys.argv[2]) * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))  # what it starts inherits it; too much is a MemoryError
    started = perf_counter()
    found = match(task)
    seconds = perf_counter() - started
    pd.DataFrame({"cluster": found.cluster}).to_parquet(task.folder / "clusters.parquet")
    found.top.to_parquet(task.folder / "top.parquet")
    print(json.dumps({"seconds_without_imports": seconds}))


def pairs_frame(left: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Pairs of rows, the smaller first, each once."""
    pairs = pd.DataFrame({"left_row": np.minimum(left, right), "right_row": np.maximum(left, right)})
    return pairs.astype(np.int64).drop_duplicates(ignore_index=True)


def joined_rows(rows: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The connected components of pairs of rows, each named by its smallest row."""
    cluster = np.arange(rows)
    while True:
        smallest = np.minimum(cluster[left], cluster[right])
        before = cluster.copy()
        np.minimum.at(cluster, left, smallest)
        np.minimum.at(cluster, right, smallest)
        cluster = cluster[cluster]
        if np.array_equal(before, cluster):
            return cluster
