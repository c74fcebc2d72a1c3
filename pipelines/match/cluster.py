"""Clusters: records that hang together by strong candidates, as a union-find over their pairs."""

from __future__ import annotations

from collections.abc import Iterable


def clusters_of(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """For each client id in ``pairs`` the smallest id that it is connected to."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for left, right in pairs:
        low, high = sorted((root(left), root(right)))
        parent[high] = low
    return {node: root(node) for node in sorted(parent)}
