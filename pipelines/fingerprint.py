"""A hash of the state: equal states have equal fingerprints, whatever order their rows were written in.

Columns whose name ends in ``_at`` hold clock times, those in ``_run`` names of runs, and take no part; nor do ledger
lines of files that were refused, since a refused file changes nothing.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from pipelines.settings import Settings
from pipelines.warehouse import NOT_STATE, Warehouse, open_warehouse

Scope = Literal["all", "linked"]

_LINKED = ("aliases", "contacts", "enrolments", "purchase_orders", "references", "visits")
_PART_OF_STATE = {"raw.files": "status = 'loaded'"}


def fingerprint(settings: Settings, scope: Scope = "all") -> str:
    """Sixty-four hex digits for the whole state, or for the linked rows and whom they count for alone, of a home of
    any schema; another schema of the same home has another."""
    with open_warehouse(settings, as_it_is=True) as warehouse:
        return fingerprint_of(warehouse, scope)


def fingerprint_of(warehouse: Warehouse, scope: Scope = "all") -> str:
    """The same of a warehouse that is open."""
    linked = [f"staged.{table}" for table in _LINKED if warehouse.exists(f"staged.{table}")]
    tables = warehouse.tables() if scope == "all" else linked
    lines = [f"{table} {_table_hash(warehouse, table)}" for table in tables]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _table_hash(warehouse: Warehouse, table: str) -> str:
    """Row count and a sum over the rows' hashes, so that neither order nor duplicates can hide a difference."""
    columns = sorted(c for c, *_ in warehouse.rows(f"describe {table}") if not c.endswith(NOT_STATE))
    packed = ", ".join(f'"{c}" := "{c}"' for c in columns)
    whole_row = f"to_json(struct_pack({packed}))::varchar"
    count, total = warehouse.rows(
        f"select count(*), sum(md5_number_lower({whole_row})) from {table} where {_PART_OF_STATE.get(table, 'true')}"
    )[0]
    return f"{count} {total or 0}"
