"""The landing ledger ``raw.files``, the rows of each feed, and the rows and cells that could not be read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pipelines.feeds import FEEDS
from pipelines.ingest.facts import Facts
from pipelines.ingest.history import Delivered
from pipelines.ingest.landing import Landing
from pipelines.quality import Gate
from pipelines.sources import Source
from pipelines.warehouse import Warehouse, sql_text


def create_raw_tables(warehouse: Warehouse) -> None:
    """The landing ledger and one table of text for each feed, empty, unless they are there."""
    nothing = dict.fromkeys(re.findall(r"\$([a-z_]+)", sql_text("raw.files")))
    warehouse.create("raw.files", sql_text("raw.files"), nothing)
    for feed in FEEDS.values():
        fields = ", ".join(f"null::varchar as {name}" for name in feed.field_names)
        select = f"select null::bigint as file_id, null::bigint as row_number, null::varchar as issuer, {fields}"
        warehouse.create(f"raw.{feed.name}", select)
    for work, table, cells in (
        ("rejected", "raw.rejected_rows", "row_as_sent"),
        ("unread", "raw.unread_values", "value_as_sent"),
    ):
        warehouse.execute(
            f"create or replace temp table {work}"
            f" (row_number bigint, column_name varchar, reason varchar, {cells} varchar)"
        )
        warehouse.create(table, sql_text(table), {"file_id": None})


def write_rows(warehouse: Warehouse, source: Source, landing: Landing) -> None:
    """Put the rows of a file that are not rejected into ``raw.<feed>``, and list the rejected ones and unread cells."""
    insert(warehouse, f"raw.{source.feed}", *_rows_of(source, landing))
    for table in ("raw.rejected_rows", "raw.unread_values"):
        insert(warehouse, table, sql_text(table), {"file_id": landing.file_id})


def _rows_of(source: Source, landing: Landing) -> tuple[str, dict[str, Any]]:
    stated = "upper(authority_code)" if "authority_code" in source.definition.field_names else "null"
    return (
        f"select $file_id::bigint as file_id, row_number, coalesce({stated}, $issuer::varchar) as issuer,"
        f" {', '.join(source.definition.field_names)} from reading"
        " where row_number not in (select row_number from rejected)",
        {"file_id": landing.file_id, "issuer": landing.issuer},
    )


def insert(warehouse: Warehouse, table: str, select: str, parameters: dict[str, Any]) -> None:
    """Write the rows of one file into a table, in place of those that an earlier try wrote."""
    warehouse.create(table, select, parameters)
    warehouse.execute(f"delete from {table} where file_id = $file_id", {"file_id": parameters["file_id"]})
    warehouse.execute(f"insert into {table} {select}", parameters)


def write_ledger(
    delivered: Delivered,
    warehouse: Warehouse,
    landing: Landing,
    *,
    references: Sequence[str] = (),
    unmapped: Sequence[str] = (),
    gate: Gate | None = None,
    facts: Facts | None = None,
    rows_of: int | None = None,
) -> None:
    """Write the line of ``raw.files`` for one delivery; ``rows_of`` is the file whose rows it repeats."""
    line = {
        "file_id": landing.file_id,
        "content_hash": landing.content_hash,
        "file_name": delivered.name,
        "source": landing.source,
        "feed": landing.feed,
        "issuer": landing.issuer,
        "file_references": list(references),
        "delivered_for": delivered.night,
        "status": landing.status,
        "reason": landing.reason,
        "rows_read": landing.rows_read,
        "rows_loaded": landing.rows_loaded,
        "rows_rejected": landing.rows_rejected,
        "headings_unmapped": list(unmapped),
        "gate": json.dumps(gate.as_dict()) if gate else None,
        "landed_at": datetime.now(UTC),
        "spoken_on": delivered.spoken_on,
        "rows_of": rows_of,
        "delivers": facts.delivers if facts else "changes",
        "fields_filled": list(facts.fields_filled) if facts else None,
        "fields_absent": list(facts.fields_absent) if facts else None,
        "new_clients": facts.surge.new if facts else None,
        "facts": json.dumps(facts.as_dict(), ensure_ascii=False) if facts else None,
    }
    if landing.status == "loaded" and rows_of is None:  # it was held, and is held no longer
        warehouse.execute(
            "delete from raw.files where content_hash = $content_hash and source = $source and feed = $feed"
            " and issuer = $issuer and file_name = $file_name and status = 'quarantined'",
            {key: line[key] for key in ("content_hash", "source", "feed", "issuer", "file_name")},
        )
    warehouse.work("ledger_line", "raw.files", line)
    warehouse.upsert(
        "raw.files", ["file_id"], "ledger_line", keep=["file_name", "delivered_for", "landed_at", "spoken_on"]
    )
