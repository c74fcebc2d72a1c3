"""Merged groups in matching: what is known of any member counts for the group."""

from __future__ import annotations

from collections.abc import Collection

from pipelines.match.blocking import block_keys, blocked_pairs
from pipelines.warehouse import Warehouse, sql_text


def show_compared(warehouse: Warehouse) -> None:
    """Temporary view ``compared``: the live records of ``touched``, a merged group as its profile (``profiles``)."""
    warehouse.execute(f"create or replace temp view compared as {sql_text('matched.to_compare')}")


def show_everybody(warehouse: Warehouse) -> None:
    """``compared`` and all that it reads, for every client record, within one connection."""
    warehouse.work("profiles", "matched.profiles")
    warehouse.execute("create or replace temp table touched as select client_id from staged.clients")
    show_compared(warehouse)


def find_variants(warehouse: Warehouse) -> int:
    """Temporary tables of what members of merged groups say beside their group's profile: ``variants``, whose
    ``client_id`` is a number of its own, and ``variant_records``, as matching compares them. Gives their number."""
    found = warehouse.work("variants", "matched.variants")
    warehouse.execute("create or replace temp view compared as from variants")
    warehouse.work("variant_records", "matched.records")
    return found


def block_variants(warehouse: Warehouse, blocking: Collection[str], blocks: str) -> None:
    """Add to ``blocked`` the pairs of variants: those of changed groups with all, and all of them with changed records.

    ``changed_blocks`` and the table ``blocks`` are the blocking keys of changed and of all records.
    """
    keys = block_keys(blocking, "variant_records")
    warehouse.execute(f"create or replace temp table variant_blocks as {keys}")
    warehouse.execute(
        "create or replace temp table changed_variants as from variant_blocks semi join"
        " (select v.client_id from variants as v join changed as c on c.client_id = v.survivor_id) using (client_id)"
    )
    warehouse.execute(f"create or replace temp view all_blocks as from {blocks} union all by name from variant_blocks")
    for some, others in (("changed_variants", "all_blocks"), ("variant_blocks", "changed_blocks")):
        warehouse.execute(f"insert into blocked {blocked_pairs(blocking, some, others)}")
    warehouse.execute("create or replace temp table blocked as select distinct left_id, right_id from blocked")


def join_variants(warehouse: Warehouse) -> None:
    """Keep in ``scored_pairs`` one pair for each two live records: of a group, the variant that agrees most."""
    warehouse.work("pairs_of_groups", "matched.pairs_of_groups")
    warehouse.execute("create or replace temp table scored_pairs as from pairs_of_groups")
