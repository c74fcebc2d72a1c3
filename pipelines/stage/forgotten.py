"""People who were forgotten: what is left of their rows stays linked as it was, and nothing new is linked to them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from pipelines.decisions.forgetting import Forgetting, first_broken_forgetting
from pipelines.decisions.snapshot import DecisionsDamagedError
from pipelines.warehouse import Warehouse

FORGOTTEN = "Forgotten"  # what stands for the surname, in every copy of a row; standardised, it is no name


def write_forgotten(warehouse: Warehouse, forgettings: Iterable[Forgetting]) -> None:
    """Bring ``staged.forgotten`` and ``staged.forgotten_rows`` up to date, within the caller's transaction.

    Raises DecisionsDamagedError when the record of who was forgotten was tampered with.
    """
    forgettings = list(forgettings)
    if broken := first_broken_forgetting(forgettings):
        raise DecisionsDamagedError(
            f"Forgetting {broken} is not as it was recorded. Restore the decision store from its last backup, and find "
            "out who changed it."
        )
    _write(
        warehouse,
        "staged.forgotten",
        [{"client_ref": ref} for each in forgettings for ref in each.forgotten.client_refs],
    )
    _write(
        warehouse, "staged.forgotten_rows", [row.model_dump() for each in forgettings for row in each.forgotten.rows]
    )


def _write(warehouse: Warehouse, table: str, rows: list[dict[str, str]]) -> None:
    columns = [name for name, *_ in warehouse.rows(f"describe {table}")]
    with warehouse.relation("recorded", pd.DataFrame(rows, columns=columns, dtype="str")):
        warehouse.execute("create or replace temp table incoming as select * from recorded")
    warehouse.upsert(table, columns, "incoming", within="true")


def keep_apart(warehouse: Warehouse) -> None:
    """Correct the temporary table ``links`` for the rows of ``people`` that have to do with somebody forgotten."""
    if not warehouse.one("select count(*) from staged.forgotten"):
        return
    warehouse.work("kept_apart", "staged.kept_apart", {"forgotten": FORGOTTEN})
    warehouse.execute(
        "update links set client_id = k.client_id, new_client_ref = k.new_client_ref, how_linked = k.how_linked"
        " from kept_apart as k"
        " where k.feed = links.feed and k.issuer = links.issuer and k.record_id = links.record_id"
    )
