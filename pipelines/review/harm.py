"""What it costs a client and the office that the records of a case are apart; the most harmful case stands first."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.merge.record import Record
from pipelines.review.contents import Candidate, Cluster, Harm

HARMS = {
    3: "carers will visit on more than one record, each with a part of the care plan",
    2: "orders run on one record and visits are to come on another: they cannot be invoiced",
    1: "orders or visits are still to come, on one record only or without meeting",
    0: "nothing is to come on any of the records",
}


def harm_of(records: Sequence[Record]) -> Harm:
    """The harm of a case. At risk are the active orders of a record while visits are to come on another one."""
    visited = [record for record in records if record.upcoming_visits]
    unpaid = [r for r in records if r.active_orders and any(other is not r for other in visited)]
    running = visited or any(record.orders for record in records)
    level = 3 if len(visited) > 1 else 2 if unpaid else 1 if running else 0
    return Harm(level, HARMS[level], sum(record.weekly_pence for record in unpaid))


def by_harm(candidate: Candidate) -> tuple[float | str, ...]:
    """Sort key of candidates: level, money at risk, weight, then the id."""
    return -candidate.harm.level, -candidate.harm.weekly_pence, -candidate.weight, candidate.candidate_id


def clusters_by_harm(cluster: Cluster) -> tuple[float | str, ...]:
    """Sort key of clusters."""
    return -cluster.harm.level, -cluster.harm.weekly_pence, -len(cluster.records), cluster.cluster_id
