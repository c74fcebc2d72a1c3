"""oneclient: what ``oneclient evaluate`` runs, on the file as it came. Top tier: *near-certain*.

``evaluate`` wants a truth column, and gets the number of the row: nothing of the truth comes near it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.matching.adapters.contract import Answer, Task, answer, joined_rows, pairs_frame
from pipelines.match.evaluate import evaluate_file
from pipelines.settings import load_settings


def match(task: Task) -> Answer:
    """Evaluate as a night would match, and read the pairs back."""
    records = pd.read_parquet(task.as_sent)
    blind, pairs_out = task.folder / "blind.parquet", task.folder / "pairs.parquet"
    records.assign(row_number=np.arange(len(records))).to_parquet(blind)
    evaluate_file(load_settings(task.folder / "home"), blind, "row_number", pairs_out=pairs_out)
    pairs = pd.read_parquet(pairs_out)
    together, surest = pairs[pairs["same_cluster"]], pairs[pairs["tier"] == "near-certain"]
    cluster = joined_rows(len(records), together["left_row"].to_numpy(), together["right_row"].to_numpy())
    return Answer(cluster, pairs_frame(surest["left_row"].to_numpy(), surest["right_row"].to_numpy()))


if __name__ == "__main__":
    answer(match)
