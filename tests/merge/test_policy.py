"""A table with a client key that the policy does not name would be forgotten by a merge."""

from __future__ import annotations

from office import Office, client

from pipelines.merge.policy import POLICY, tables_without_policy
from pipelines.warehouse import open_warehouse

CLIENT_KEYS = "('client_id', 'origin_client_id')"


def test_every_staged_table_with_a_client_key_has_a_row(office: Office) -> None:
    office.clients(client("1"))
    office.night()
    with open_warehouse(office.settings) as warehouse:
        found = warehouse.rows(
            "select distinct schema_name || '.' || table_name from duckdb_columns()"
            f" where schema_name = 'staged' and column_name in {CLIENT_KEYS} and not internal"
        )
    tables = [table for (table,) in found]
    assert tables_without_policy(tables) == []
    assert set(tables) == {table for policy in POLICY for table in policy.tables}


def test_a_new_table_is_named() -> None:
    assert tables_without_policy(["staged.visits", "staged.allergies"]) == ["staged.allergies"]


def test_a_kind_has_one_row_and_a_table_one_kind() -> None:
    tables = [table for policy in POLICY for table in policy.tables]
    assert len({policy.kind for policy in POLICY}) == len(POLICY)
    assert len(set(tables)) == len(tables)
