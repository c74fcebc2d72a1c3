"""Who counts for whom follows from the log alone: the newest merge of a group names its survivor, chains resolve, and
a merge in the middle of one can be taken back."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from the_merges import ANN, ANN_ORDERS, BEA, BEA_TOO, DOT, MOVE_ORDERS, Provider, SignOffs

from pipelines.decisions.crosswalk import live_merges
from pipelines.decisions.groups import Groups
from pipelines.merge.carry_out import resume
from pipelines.warehouse import open_warehouse

Row = tuple[str, str] | tuple[str]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([], {}, id="nobody signed anything off"),
        pytest.param([("Ann Bea", "Ann")], {"Bea": "Ann"}, id="the survivor is the one that was signed off"),
        pytest.param([("Ann Bea", "Bea")], {"Ann": "Bea"}, id="or the other one"),
        pytest.param([("Ann Bea, Bea Cat", "Bea")], {"Ann": "Bea", "Cat": "Bea"}, id="three in one merge"),
        pytest.param(
            [("Ann Bea", "Ann"), ("Ann Cat", "Cat")], {"Ann": "Cat", "Bea": "Cat"}, id="a chain ends on the newest"
        ),
        pytest.param(
            [("Ann Bea", "Ann"), ("Bea Cat", "Ann")], {"Bea": "Ann", "Cat": "Ann"}, id="decided on one merged away"
        ),
        pytest.param(
            [("Ann Bea", "Ann"), ("Cat Dot", "Cat"), ("Bea Dot", "Cat")],
            {"Ann": "Cat", "Bea": "Cat", "Dot": "Cat"},
            id="two merges joined by a third",
        ),
        pytest.param([("Ann Bea", "Ann"), ("undo 1",)], {}, id="taken back"),
        pytest.param(
            [("Ann Bea", "Ann"), ("Ann Cat", "Cat"), ("undo 2",)], {"Bea": "Ann"}, id="the end of a chain taken back"
        ),
        pytest.param(
            [("Ann Bea", "Ann"), ("Ann Cat", "Cat"), ("undo 1",)], {"Ann": "Cat"}, id="the beginning taken back"
        ),
        pytest.param(
            [("Ann Bea", "Ann"), ("Bea Cat", "Cat"), ("undo 1",)], {"Bea": "Cat"}, id="who was decided on stays"
        ),
        pytest.param(
            [("Ann Bea", "Ann"), ("Bea Cat", "Ann"), ("undo 1",)],
            {"Cat": "Bea"},
            id="the survivor was taken out of the group: who had counted for it follows",
        ),
        pytest.param(
            [("Ann Bea", "Ann"), ("Ann Cat", "Cat"), ("Cat Dot", "Dot"), ("undo 2",)],
            {"Bea": "Ann", "Cat": "Dot"},
            id="the middle of a chain taken back",
        ),
        pytest.param(
            [("Ann Bea", "Ann"), ("undo 1",), ("Ann Bea", "Bea")], {"Ann": "Bea"}, id="merged again, the other way"
        ),
        pytest.param(
            [("Ann Bea", "Ann"), ("Bea Cat", "Cat"), ("undo 1",), ("Ann Bea", "Cat")],
            {"Ann": "Cat", "Bea": "Cat"},
            id="joined again to a group that has the members of an earlier merge",
        ),
    ],
)
def test_who_counts_for_whom(rows: list[Row], found: dict[str, str]) -> None:
    log = SignOffs()
    ids: list[str] = []
    for words, *into in rows:
        if words.startswith("undo"):
            log.undo(ids[int(words.removeprefix("undo ")) - 1])
        else:
            ids.append(log.merge(words, *into))
    assert log.crosswalk() == found


def test_carrying_a_merge_further_does_not_make_it_the_newest() -> None:
    """Bea was merged into Ann for October alone, then Ann into Cat; then the rest of Bea is signed off."""
    log = SignOffs()
    first = log.merge("Ann Bea", "Ann")
    log.merge("Ann Cat", "Cat")
    log.sign(live_merges(log.entries)[first].merge)
    assert log.crosswalk() == {"Ann": "Cat", "Bea": "Cat"}


PEOPLE = ("Ann", "Bea", "Cat", "Dot", "Eve", "Fay")
a_merge = st.tuples(st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=2, unique=True), st.integers(0, 1))
an_undo = st.integers(0, 9)
a_history = st.lists(st.one_of(a_merge, a_merge, an_undo), max_size=12)


def signed(history: Iterable[tuple[list[str], int] | int]) -> SignOffs:
    log = SignOffs()
    for step in history:
        if isinstance(step, int):
            if log.live():
                log.undo(log.live()[step % len(log.live())])
            continue
        pair, which = step
        now = log.crosswalk()
        live = [now.get(ref, ref) for ref in pair]
        if live[0] != live[1]:
            log.merge(" ".join(pair), live[which])
    return log


@settings(max_examples=max(100, settings().max_examples))
@given(a_history)
def test_whoever_was_joined_counts_for_one_of_them_who_is_live(history: list[tuple[list[str], int] | int]) -> None:
    log = signed(history)
    found = log.crosswalk()
    joined = Groups(pair for one in live_merges(log.entries).values() for pair in one.merge.pairs)
    assert not found.keys() & set(found.values())
    for group in joined.all().values():
        survivors = {found.get(ref, ref) for ref in group}
        assert len(survivors) == 1
        assert survivors <= set(group)
    assert found.keys() <= {ref for group in joined.all().values() for ref in group}


@settings(max_examples=max(100, settings().max_examples))
@given(a_history, a_merge)
def test_the_survivor_is_the_one_that_was_signed_off_last(
    history: list[tuple[list[str], int] | int], last: tuple[list[str], int]
) -> None:
    log = signed(history)
    before = log.crosswalk()
    one, other = (before.get(ref, ref) for ref in last[0])
    if one != other:
        merge = log.merge(" ".join(last[0]), (one, other)[last[1]])
        assert {log.crosswalk().get(ref, ref) for ref in (one, other, *last[0])} == {(one, other)[last[1]]}
        log.undo(merge)
    assert log.crosswalk() == before


@settings(max_examples=max(100, settings().max_examples))
@given(a_history, st.randoms(use_true_random=False))
def test_undone_in_any_order_everybody_counts_for_themselves(
    history: list[tuple[list[str], int] | int], chance: st.Random
) -> None:
    log = signed(history)
    ids = log.live()
    chance.shuffle(ids)
    for merge in ids:
        log.undo(merge)
    assert log.crosswalk() == {}


def test_rebuilt_from_the_log_alone_to_the_same_bytes(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA_TOO)
    provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, aliases="drop", **MOVE_ORDERS)
    provider.apply()
    provider.decides(f"{BEA} {DOT}", survivor=DOT)
    provider.apply()
    provider.undo(*provider_merge_ids(provider)[:1])
    tables = ("crosswalk", "merges", "choices")
    before = {table: provider.rows(f"from merged.{table} order by all") for table in tables}
    assert before["crosswalk"] and before["merges"]
    linked = provider.fingerprint("linked")
    with open_warehouse(provider.settings) as warehouse:
        for table in (*tables, "runs", "ledger"):
            warehouse.execute(f"delete from merged.{table}")
    resume(provider.settings)
    assert {table: provider.rows(f"from merged.{table} order by all") for table in tables} == before
    assert provider.fingerprint("linked") == linked


def provider_merge_ids(provider: Provider) -> list[str]:
    return [merge_id for (merge_id,) in provider.rows("select distinct merge_id from merged.merges order by 1")]
