"""dedupe by its documentation, taught with 200 labelled pairs: it cannot do without.

It asks for the pairs that it is most curious about (`uncertain_pairs`) and is told the truth (`mark_pairs`), as by a
person who never errs. That is help which no other contender has. Clusters at its default threshold of 0.5. Top tier:
pairs of a cluster of which both records have a confidence of 0.99 or more.

While it prepares, it holds every pair of 5,000 records that any rule brings together, and has over 30 rules a field:
12 GB after a minute and a half. So it prepares with 2,000 records, 200 of them two by two of one person (else a sample
of a large file would hold no match to ask about), and gets few fields; birth dates as bare digits. It partitions all
records.
"""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import dedupe
import numpy as np
from dedupe.variables import Exact, ShortString, String

from benchmarks.matching.adapters.contract import Answer, Task, answer, pairs_frame

LABELLED_PAIRS = 200
ROWS_TO_PREPARE_WITH = 2_000
PAIRS_AMONG_THEM = 100
SUREST_AT = 0.99
Pair = tuple[dict[str, Any], dict[str, Any]]
VARIABLES = {
    "forename": String, "surname": String, "birth": ShortString, "address_1": String, "postcode": ShortString,
    "nhs_number": Exact, "national_id": Exact,
}  # fmt: skip


def match(task: Task) -> Answer:
    """Teach, then partition."""
    random.seed(1)
    np.random.seed(1)  # dedupe draws its samples from the global generators
    frame = task.tidy_by_role()
    frame["birth"] = frame["birth"].str.replace("-", "")
    frame = frame.where(frame.notna(), None)
    fields = [name for name in VARIABLES if name in frame]
    records = dict(enumerate(frame[fields].to_dict("records")))
    person = task.labels()
    for row, record in records.items():
        record["row"] = row

    matcher = dedupe.Dedupe([VARIABLES[name](name, has_missing=bool(frame[name].isna().any())) for name in fields])
    matcher.prepare_training({row: records[row] for row in _rows_to_prepare_with(person)})
    for _ in range(LABELLED_PAIRS):
        matcher.mark_pairs(_labelled(matcher.uncertain_pairs(), person))
    matcher.train()

    cluster = np.arange(len(frame))
    surest: list[tuple[int, int]] = []
    for rows, confidence in matcher.partition(records, threshold=0.5):
        cluster[list(rows)] = min(rows)
        sure = [row for row, value in zip(rows, confidence, strict=True) if value >= SUREST_AT]
        surest.extend(combinations(sure, 2))
    left, right = np.array(surest, dtype=np.int64).reshape(-1, 2).T
    return Answer(cluster, pairs_frame(left, right))


def _rows_to_prepare_with(person: list[int]) -> list[int]:
    """Two rows each of some people who have several, then anyone."""
    rows_of: dict[int, list[int]] = {}
    for row in random.sample(range(len(person)), len(person)):
        rows_of.setdefault(person[row], []).append(row)
    pairs = [rows[:2] for rows in rows_of.values() if len(rows) > 1][:PAIRS_AMONG_THEM]
    chosen = dict.fromkeys(row for pair in pairs for row in pair)
    anyone = random.sample(range(len(person)), min(ROWS_TO_PREPARE_WITH, len(person)))
    return sorted([*chosen, *(row for row in anyone if row not in chosen)][:ROWS_TO_PREPARE_WITH])


def _labelled(pairs: list[Pair], person: list[int]) -> dict[str, list[Pair]]:
    labelled: dict[str, list[Pair]] = {"match": [], "distinct": []}
    for pair in pairs:
        one, other = (person[record["row"]] for record in pair)
        labelled["match" if one == other else "distinct"].append(pair)
    return labelled


if __name__ == "__main__":
    answer(match)
