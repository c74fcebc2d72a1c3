"""The merge policy: one row for each kind of linked data, what becomes of it, and the tables that hold it.

A table with a client key that no row names stops every merge: see ``check_policy``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pipelines.merge import MergeError
from pipelines.warehouse import Warehouse

CLIENT_KEYS = ("client_id", "origin_client_id", "survivor_id")
_DERIVED = ("raw", "matched", "reviewed", "merged")  # as sent, where a client id is a cell; or worked out anew

Rule = Literal["move", "union", "survivor's", "one side", "ask", "end on survivor", "follows"]


class UnknownTableError(MergeError):
    """A table with a client key has no row in the merge policy."""

    code = "M7"


@dataclass(frozen=True)
class Policy:
    """What a merge does with one kind of linked data. ``blocked_by`` names the kinds of blocker that hold it up."""

    kind: str
    rule: Rule
    words: str
    tables: tuple[str, ...]
    blocked_by: tuple[str, ...] = ()


POLICY = (
    Policy("Profile", "survivor's", "the survivor's, blanks filled from the others; another value where it was chosen",
           ("staged.clients",), ("DECEASED_AND_ALIVE", "RESTRICTED")),
    Policy("Visits", "move", "move to the survivor, by date", ("staged.visits",)),
    Policy(
        "Purchase orders", "move", "move to the survivor with number, dates and status as they are",
        ("staged.purchase_orders",), ("ACTIVE_ORDER_WOULD_MOVE", "BOTH_HAVE_ACTIVE_ORDERS"),
    ),
    Policy(
        "Enrolments", "one side", "move; where two records are on one contract, one side stands whole",
        ("staged.enrolments",), ("SAME_CONTRACT_TWICE",),
    ),
    Policy(
        "References", "end on survivor", "all end on the survivor; of two live ones of one system, one goes on",
        ("staged.references",), ("TWO_LIVE_REFERENCES", "NHS_NUMBERS_DIFFER"),
    ),
    Policy("Contacts", "union", "all are kept, each with the record that it came from", ("staged.contacts",)),
    Policy("Aliases", "ask", "kept or dropped, as the decision says", ("staged.aliases",), ("ALIASES_UNDECIDED",)),
    Policy(
        "Source rows", "follows", "stay as they were sent, and count for the survivor",
        ("staged.source_records", "staged.client_ids"),
    ),
)  # fmt: skip


def tables_without_policy(tables: Iterable[str]) -> list[str]:
    """Those of ``tables`` (all that have a client key) that no row names; a merge must not run while there are any."""
    named = {table for policy in POLICY for table in policy.tables}
    return sorted(set(tables) - named)


def check_policy(warehouse: Warehouse) -> None:
    """Let nothing be merged while a table with a client key has no row in the policy. Raises UnknownTableError."""
    found = warehouse.rows(
        "select distinct schema_name || '.' || table_name from duckdb_columns()"
        " where list_contains($keys, column_name) and not list_contains($derived, schema_name) and not internal"
        " and database_name = current_database()"
        " and table_name in (select table_name from duckdb_tables() where not temporary)",
        {"keys": list(CLIENT_KEYS), "derived": list(_DERIVED)},
    )
    if unknown := tables_without_policy(table for (table,) in found):
        raise UnknownTableError(
            f"{', '.join(unknown)} has a client key, and the merge policy does not say what becomes of it. "
            "Give it a row in pipelines/merge/policy.py; nothing is merged before."
        )
