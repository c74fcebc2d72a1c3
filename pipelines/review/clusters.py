"""Three or more records as one case: which pairs inside agree, which contradict, and what joining all would do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

from pipelines.merge.case import Case
from pipelines.merge.outcomes import outcomes
from pipelines.review.contents import Bond, Candidate, Cluster, Side
from pipelines.review.harm import harm_of

CONTRADICTS = -3.0
Pairs = Mapping[frozenset[str], Candidate]


def by_pair(candidates: Iterable[Candidate]) -> Pairs:
    """Candidates by the refs of their two records."""
    return {frozenset((c.left.client_ref, c.right.client_ref)): c for c in candidates}


def cluster_of(cluster_id: str, records: tuple[Side, ...], pairs: Pairs) -> Cluster:
    """The cluster of ``records`` (three or more), of which the proposed ``pairs`` are candidates."""
    recommended, tried = outcomes(Case(records))
    bonds = tuple(_bond(left, right, pairs) for left, right in combinations(records, 2))
    return Cluster(cluster_id, records, bonds, harm_of(records), recommended, tried)


def _bond(left: Side, right: Side, pairs: Pairs) -> Bond:
    refs = left.client_ref, right.client_ref
    candidate = pairs.get(frozenset(refs))
    if candidate is None:
        return Bond(*refs, "", "", "not proposed", "too little speaks for these two alone; others join them")
    against = [c for c in candidate.comparisons if c.agreement == "different" and c.weight <= CONTRADICTS]
    if (
        candidate.relation
        or candidate.standing in {"different", "conflict"}
        or (against and candidate.tier == "possible")
    ):
        said = [candidate.relation, candidate.standing_reason, *(f"{c.field}: {c.words}" for c in against)]
        return Bond(*refs, candidate.candidate_id, candidate.tier, "contradict", "; ".join(filter(None, said)))
    speaks = sorted((c for c in candidate.comparisons if c.weight > 0), key=lambda c: (-c.weight, c.field))[:3]
    words = "; ".join(f"{c.field}: {c.words}" for c in speaks)
    return Bond(
        *refs, candidate.candidate_id, candidate.tier, "unsure" if candidate.tier == "possible" else "agree", words
    )
