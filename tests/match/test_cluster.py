"""Clusters: one person's records together, and no chain through a stranger."""

from __future__ import annotations

import random

from pipelines.match.cluster import clusters_of


def test_three_records_that_all_agree_are_one_cluster() -> None:
    assert clusters_of([(1, 2, 12.0), (2, 3, 9.0), (1, 3, 7.0)]) == {1: 1, 2: 1, 3: 1}


def test_a_chain_does_not_join_two_people_who_share_nothing() -> None:
    """2 looks a little like both, but nothing ever brought 1 and 3 together."""
    assert clusters_of([(1, 2, 9.0), (2, 3, 2.0)]) == {1: 1, 2: 1, 3: 3}


def test_a_contradiction_keeps_groups_apart_though_one_pair_is_strong() -> None:
    households = [(1, 2, 15.0), (3, 4, 15.0), (2, 3, 10.0), (1, 3, -9.0), (1, 4, -9.0), (2, 4, -9.0)]
    assert clusters_of(households) == {1: 1, 2: 1, 3: 3, 4: 3}


def test_one_shared_number_does_not_outvote_the_rest() -> None:
    shared = [(1, 2, 15.0), (3, 4, 15.0), (2, 3, 400.0)]
    assert len(set(clusters_of(shared).values())) == 2


def test_the_order_of_the_pairs_does_not_matter() -> None:
    pairs = [(n, n + step, 8.0 - 3.5 * step + n % 3) for n in range(60) for step in (1, 2, 3)]
    shuffled = pairs[:]
    random.Random(1).shuffle(shuffled)  # noqa: S311
    assert clusters_of(shuffled) == clusters_of(pairs)


def test_no_pairs_no_clusters() -> None:
    assert clusters_of([]) == {}


def test_what_people_found_different_never_stands_in_one_cluster() -> None:
    """1 and 3 are two people, so 2, who looks like both, goes to the one who looks more like him."""
    assert clusters_of([(1, 2, 11.0), (2, 3, 12.0), (1, 3, 9.0)], apart=[(1, 3)]) == {1: 1, 2: 2, 3: 2}


def test_a_different_holds_between_groups_too() -> None:
    pairs = [(a, b, 12.0) for a in range(1, 7) for b in range(a + 1, 7)]
    clusters = clusters_of(pairs, apart=[(1, 6)])
    assert clusters[1] != clusters[6]


def test_what_people_found_the_same_stands_in_one_cluster_though_nothing_speaks_for_it() -> None:
    assert clusters_of([(1, 2, -9.0)], together=[(1, 2), (3, 4)]) == {1: 1, 2: 1, 3: 3, 4: 3}
