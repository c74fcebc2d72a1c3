"""Clusters: which records are one person all together.

Two records that a chain of likely pairs connects are not yet one person: a care home or a confusion can stand in the
chain. So two groups are joined only while the evidence over *all* pairs between them is, on average, for it; a pair
that nothing brought together counts against. Most certain first, as in average linkage (Sokal and Michener, 1958).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import chain
from math import inf

UNSEEN_PAIR = -4.0
MOST_WEIGHT = 12.0
JOIN_ABOVE = 0.75

Ids = tuple[int, int]
Pair = tuple[int, int, float]


def clusters_of(pairs: Iterable[Pair], together: Collection[Ids] = (), apart: Collection[Ids] = ()) -> dict[int, int]:
    """For each record in ``pairs`` (left id, right id, weight in bits) the smallest id of its cluster.

    The weight of one pair counts for at most 12 bits, so that one shared number cannot outvote every other record.
    What people decided goes before any weight: pairs ``together`` weigh the most that there is, and no cluster ever
    holds both records of a pair that is ``apart``.
    """
    evidence: dict[int, dict[int, tuple[float, int]]] = defaultdict(dict)
    decided = [*((*ids, MOST_WEIGHT) for ids in together), *((*ids, -inf) for ids in apart)]
    for left, right, weight in chain(pairs, decided):
        evidence[left][right] = evidence[right][left] = (min(weight, MOST_WEIGHT), 1)
    size = dict.fromkeys(evidence, 1)
    version = dict.fromkeys(evidence, 0)
    parent = {record: record for record in evidence}

    def average(one: int, other: int) -> float:
        weight, seen = evidence[one][other]
        possible = size[one] * size[other]
        return (weight + (possible - seen) * UNSEEN_PAIR) / possible

    def offers(one: int) -> Iterable[tuple[float, int, int, int, int]]:
        for other in evidence[one]:
            if (mean := average(one, other)) > JOIN_ABOVE:
                low, high = min(one, other), max(one, other)
                yield -mean, low, high, version[low], version[high]

    queue = [offer for one in evidence for offer in offers(one) if offer[1] == one]
    heapq.heapify(queue)
    while queue:
        _, one, other, seen_one, seen_other = heapq.heappop(queue)
        if version.get(one) != seen_one or version.get(other) != seen_other:
            continue
        if len(evidence[one]) < len(evidence[other]):
            one, other = other, one
        for third, (weight, seen) in evidence.pop(other).items():
            del evidence[third][other]
            if third != one:
                so_far, seen_so_far = evidence[one].get(third, (0.0, 0))
                evidence[one][third] = evidence[third][one] = (so_far + weight, seen_so_far + seen)
        size[one] += size.pop(other)
        version[one] += 1
        del version[other]
        parent[other] = one
        for offer in offers(one):
            heapq.heappush(queue, offer)
    return _smallest_of_each(parent)


def _smallest_of_each(parent: dict[int, int]) -> dict[int, int]:
    def root(record: int) -> int:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    smallest: dict[int, int] = {}
    for record in sorted(parent):
        smallest.setdefault(root(record), record)
    return {record: smallest[root(record)] for record in sorted(parent)}
