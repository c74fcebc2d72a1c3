"""GoldenMatch with no configuration: ``goldenmatch.dedupe(FILE)``, its first example, on the file as it came.

What one run learns is kept from the next (`GOLDENMATCH_AUTOCONFIG_MEMORY=0`), and it has neither a key nor a model to
ask. Top tier: scores above 0.95, where its review queue no longer asks (`gate_pairs`: *auto-merged*).

On our samples it does far better on the file as it came than on a tidied one, or on the same cells as CSV: where an
empty cell is missing rather than an empty text, it takes other columns for identities (benchmarks/README.md).
"""

from __future__ import annotations

import os

os.environ |= {"GOLDENMATCH_AUTOCONFIG_MEMORY": "0", "GOLDENMATCH_ANALYTICS": "0"}  # read when it is imported

import goldenmatch
import numpy as np
import pandas as pd

from benchmarks.matching.adapters.contract import Answer, Task, answer, pairs_frame

AUTO_MERGED_ABOVE = 0.95


def match(task: Task) -> Answer:
    """Dedupe the file."""
    result = goldenmatch.dedupe(str(task.as_sent))
    cluster = np.arange(len(pd.read_parquet(task.as_sent)))
    for found in result.clusters.values():
        members = list(found["members"])
        cluster[members] = min(members)
    surest = [(left, right) for left, right, score in result.scored_pairs if score > AUTO_MERGED_ABOVE]
    left, right = np.array(surest, dtype=np.int64).reshape(-1, 2).T
    return Answer(cluster, pairs_frame(left, right))


if __name__ == "__main__":
    answer(match)
