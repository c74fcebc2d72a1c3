"""recordlinkage by its guide *Data deduplication*, with the unsupervised classifier of its guide to classifiers.

Pairs: the same birth date, the same forename and surname, neighbouring surnames of one postcode, or the same number
(the guide blocks its 1,000 rows on the forename alone; at 100,000 rows that makes more pairs than memory holds).
Comparisons are the guide's: Jaro-Winkler of 0.85 for names and address, the rest exact, what is missing disagrees.
`ECMClassifier` decides; matches are closed to connected components. Top tier: its probability is 0.99 or more.
"""

from __future__ import annotations

import numpy as np
import recordlinkage

from benchmarks.matching.adapters.contract import Answer, Task, answer, joined_rows, pairs_frame

ALIKE = ("forename", "surname", "address_1")
EXACT = (
    "birth", "gender", "town", "postcode", "street_number", "phone", "mobile", "email", "nhs_number", "national_id",
    "reference", "birth_place", "occupation",
)  # fmt: skip
NUMBERS = ("nhs_number", "national_id", "reference")
SUREST_AT = 0.99


def match(task: Task) -> Answer:
    """Index, compare, classify."""
    records = task.tidy_by_role()
    indexer = recordlinkage.Index()
    indexer.block("birth")
    indexer.block(["forename", "surname"])
    if "postcode" in records:
        indexer.sortedneighbourhood("surname", window=3, block_on="postcode")
    for number in NUMBERS:
        if number in records:
            indexer.block(number)
    pairs = indexer.index(records)

    comparer = recordlinkage.Compare()
    for name in ALIKE:
        if name in records:
            comparer.string(name, name, method="jarowinkler", threshold=0.85, label=name)
    for name in EXACT:
        if name in records:
            comparer.exact(name, name, label=name)
    features = comparer.compute(pairs, records)

    classifier = recordlinkage.ECMClassifier()
    matches = classifier.fit_predict(features)
    probability = classifier.prob(features)
    surest = probability.index[probability >= SUREST_AT]
    left, right = (matches.get_level_values(side).to_numpy() for side in (0, 1))
    cluster = joined_rows(len(records), left, right)
    return Answer(cluster, pairs_frame(*(np.asarray(surest.get_level_values(side)) for side in (0, 1))))


if __name__ == "__main__":
    answer(match)
