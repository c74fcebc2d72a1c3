"""Cluster ids that people can speak of, and triangles that cannot be right: rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.warehouse import scratch_warehouse


def named(before: dict[int, str], now: Iterable[set[int]], others: dict[int, str] | None = None) -> dict[int, str]:
    """The cluster id of each record, given last night's and tonight's groups; ``others`` stay as they were."""
    with scratch_warehouse() as scratch:
        scratch.execute("create temp table clustered (client_id integer, root_id integer)")
        for group in now:
            for record in group:
                scratch.execute(f"insert into clustered values ({record}, {min(group)})")
        for record, cluster in {**before, **(others or {})}.items():
            scratch.execute(f"insert into matched.clusters values ({record}, '{cluster}')")
        records = {*before, *(record for group in now for record in group)}
        scratch.execute("create temp table affected as select unnest($ids) as client_id", {"ids": sorted(records)})
        scratch.work("found", "matched.clusters")
        return dict(scratch.rows("select client_id, cluster_id from found"))


def test_a_new_cluster_is_named_by_its_smallest_record() -> None:
    assert named({}, [{7, 9}]) == {7: "K0000007", 9: "K0000007"}


def test_a_record_alone_is_no_cluster() -> None:
    assert named({}, [{7}]) == {}


def test_an_older_record_that_joins_does_not_rename_it() -> None:
    assert set(named({7: "K0000007", 9: "K0000007"}, [{2, 7, 9}]).values()) == {"K0000007"}


def test_two_clusters_that_become_one_keep_the_name_of_the_larger() -> None:
    before = {1: "K0000001", 2: "K0000001", 7: "K0000007", 8: "K0000007", 9: "K0000007"}
    assert set(named(before, [{1, 2, 7, 8, 9}]).values()) == {"K0000007"}


def test_a_cluster_that_splits_leaves_its_name_to_the_larger_part() -> None:
    before = dict.fromkeys((1, 2, 3, 4, 5), "K0000001")
    found = named(before, [{1, 2}, {3, 4, 5}])
    assert found == {1: "K0000002", 2: "K0000002", 3: "K0000001", 4: "K0000001", 5: "K0000001"}


def test_a_new_cluster_never_takes_the_name_of_one_that_nothing_happened_to() -> None:
    """Record 1 had left the cluster that is called after it."""
    elsewhere = dict.fromkeys((2, 3), "K0000001")
    assert named({}, [{1, 9}], elsewhere) == dict.fromkeys((1, 9), "K0000009")


def contradictions(pairs: Iterable[tuple[int, int, str | None, str, str]]) -> list[tuple[int, int, int, str]]:
    """Of judged pairs (left, right, tier, at most, relation) the triangles that cannot be right."""
    with scratch_warehouse() as scratch:
        scratch.execute(
            "create temp table judged (left_id int, right_id int, tier varchar, at_most varchar, relation varchar)"
        )
        for left, right, tier, at_most, relation in pairs:
            told = f"'{tier}'" if tier else "null"
            scratch.execute(f"insert into judged values ({left}, {right}, {told}, '{at_most}', '{relation}')")
        return [tuple(row) for row in scratch.work_frame("matched.contradictions").itertuples(index=False)]


LIKELY = ("likely", "near-certain", "")


def test_three_records_that_agree_contradict_nothing() -> None:
    assert contradictions([(1, 2, *LIKELY), (2, 3, *LIKELY), (1, 3, *LIKELY)]) == []


def test_one_record_that_looks_like_both_spouses() -> None:
    couple = (1, 3, "possible", "possible", "probably a couple")
    assert contradictions([(1, 2, *LIKELY), (2, 3, *LIKELY), couple]) == [(2, 1, 3, "probably a couple")]


def test_one_record_that_looks_like_two_strangers() -> None:
    assert contradictions([(1, 2, *LIKELY), (2, 3, *LIKELY)]) == [(2, 1, 3, "hardly anything in common")]
