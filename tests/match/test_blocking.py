"""Blocking: which pairs of records are looked at, whichever of the two came first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from pipelines.match.blocking import BLOCKING, block_keys, blocked_pairs, blocking_columns, blocking_condition
from pipelines.match.comparisons import REGISTER_COLUMNS
from pipelines.warehouse import Warehouse, scratch_warehouse

RULES = [name for name, keys in BLOCKING.items() if blocking_columns(keys) <= set(REGISTER_COLUMNS)]


@pytest.fixture
def scratch() -> Iterator[Warehouse]:
    """Sixty records who share much, every other one of them new."""
    columns = ", ".join(f"nullif(chr((65 + hash('{c}', n) % 9)::integer), 'A') as {c}" for c in REGISTER_COLUMNS)
    with scratch_warehouse() as scratch:
        scratch.execute(f"create table records as select n::integer as client_id, {columns} from range(60) as r (n)")
        scratch.execute("update records set surname = chr(65 + client_id % 9), forename = chr(65 + client_id // 9)")
        scratch.execute("create table new as from records where client_id % 2 = 0")
        yield scratch


def pairs(names: list[str], some: str = "records") -> str:
    keys = (f"({block_keys(names, records)})" for records in (some, "records"))
    return f"({blocked_pairs(names, *keys)})"


@pytest.mark.parametrize(("name", "some"), product(RULES, ("new", "records")))
def test_pairs_by_joins_are_those_for_which_the_rule_holds(scratch: Warehouse, name: str, some: str) -> None:
    joined = scratch.rows(f"from {pairs([name], some)} order by all")
    assert joined == scratch.rows(
        "select l.client_id, r.client_id from records as l join records as r"
        f" on l.client_id < r.client_id and ({blocking_condition(BLOCKING[name])})"
        f" where l.client_id in (select client_id from {some}) or r.client_id in (select client_id from {some})"
        " order by all"
    )


def test_a_pair_is_given_once_by_all_rules(scratch: Warehouse) -> None:
    joined = scratch.rows(f"select left_id, right_id from {pairs(RULES)}")
    assert len(joined) == len(set(joined)) > 0


def test_a_surname_that_is_the_others_forename_is_found_whoever_came_first(scratch: Warehouse) -> None:
    scratch.execute("update records set surname = 'LEE', forename = 'JO' where client_id in (0, 59)")
    scratch.execute("update records set surname = 'X', forename = 'LEE' where client_id = 30")
    found = scratch.rows(f"from {pairs(['SURNAME_AS_FORENAME'])} order by all")
    assert {(0, 30), (30, 59)} <= set(found)


def test_no_rule_no_pair(scratch: Warehouse) -> None:
    assert scratch.rows(f"from {pairs([])}") == []
