"""A report without the cases of people who were forgotten since. Counts of the night stay as they were."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pipelines.review import contents


def without(report: contents.Report, client_refs: Collection[str]) -> contents.Report:
    """The report without candidates, clusters, misses and confusions in which one of these records stands."""
    refs = frozenset(client_refs)
    candidates = tuple(c for c in report.candidates if not refs & {c.left.client_ref, c.right.client_ref})
    clusters = tuple(c for c in report.clusters if not refs & {record.client_ref for record in c.records})
    gone = len(report.candidates) - len(candidates) + len(report.clusters) - len(clusters)
    stay = {cluster.cluster_id for cluster in clusters}
    left = {cluster.cluster_id for cluster in report.clusters} - stay
    return replace(
        report,
        run=replace(report.run, forgotten=report.run.forgotten + gone),
        candidates=tuple(replace(c, cluster_id="") if c.cluster_id in left else c for c in candidates),
        clusters=clusters,
        misses=tuple(m for m in report.misses if not refs & {m.sent_ref, m.held_ref}),
        confusions=tuple(c for c in report.confusions if not refs & {c.left_ref, c.right_ref}),
    )
