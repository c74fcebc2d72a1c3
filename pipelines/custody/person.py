"""Who is to be forgotten: all client records of one person, every row about them, and what they are known by."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pipelines.custody.personal import KnownBy, known_by
from pipelines.decisions.entry import Entry
from pipelines.decisions.forgetting import Forgotten, Row
from pipelines.decisions.statement import DecisionRefusedError
from pipelines.merge.selection import candidate_id
from pipelines.warehouse import Warehouse

_PERSON = """
    create or replace temp table person as
    select client_id, client_ref from staged.clients where list_contains($refs, client_ref)
"""
_GROUP = """
    select client_ref from staged.clients
    where survivor_id in (select survivor_id from staged.clients where client_ref = $ref) order by 1
"""
_ROWS = """
    select feed, issuer, kept_id, client_ref, how_linked from person_rows
    union
    select e.feed, e.issuer, e.kept_id, (select min(client_ref) from person), 'exact_reference'
    from rows_to_erase as e
    anti join person_rows as p on p.feed = e.feed and p.issuer = e.issuer and p.record_id = e.record_id
    where e.feed = 'purchase_orders'
    order by all
"""
_HELD_BY = """
    select distinct f.content_hash from raw.files as f semi join rows_to_erase as e using (file_id) order by 1
"""
_SAID = (
    "select s.*, if(s.feed = 'roster_clients', s.record_id, null) as roster_id"
    " from staged.source_records as s join person as p on p.client_id = s.origin_client_id",
    "select r.* from raw.roster_clients as r join rows_to_erase as e"
    " on e.feed = 'roster_clients' and e.file_id = r.file_id and e.row_number = r.row_number",
    "select r.* from raw.purchase_orders as r join rows_to_erase as e"
    " on e.feed = 'purchase_orders' and e.file_id = r.file_id and e.row_number = r.row_number",
)


@dataclass(frozen=True)
class Person:
    """What there is about one person. ``others`` are records that are taken for the same person and were not merged."""

    client_refs: tuple[str, ...]
    known_by: KnownBy
    in_care: dict[str, int]
    others: tuple[str, ...]


def records_of(warehouse: Warehouse, client_ref: str) -> list[str]:
    """All client records of the person to whom one belongs: the one that stays and those that were merged away.

    Raises DecisionRefusedError when there is no such record.
    """
    refs = [ref for (ref,) in warehouse.rows(_GROUP, {"ref": client_ref})]
    if not refs:
        raise DecisionRefusedError(
            "There is no such client record. Name one as the report does: careplan/1001.", code="D12"
        )
    return refs


def gather(warehouse: Warehouse, client_refs: Iterable[str], stem: str, entries: Iterable[Entry]) -> Person:
    """Find everything about the person whose records these are.

    Temporary tables: ``person``, their client records; ``person_rows``, their source rows; ``rows_to_erase``, the rows
    as sent.
    """
    warehouse.execute(_PERSON, {"refs": list(client_refs)})
    refs = tuple(ref for (ref,) in warehouse.rows("select client_ref from person order by 1"))
    warehouse.work("person_rows", "staged.person_rows", {"stem": stem})
    warehouse.work("rows_to_erase", "raw.rows_of_person")
    day: date = warehouse.one("select coalesce(max(taken_on), date '1900-01-01') from staged.taken_files")
    pairs = {entry.pair for entry in entries if entry.kind == "verdict"} | set(_proposed(warehouse))
    rows = [row for query in _SAID for row in warehouse.connection.sql(query).to_arrow_table().to_pylist()]
    ids = (candidate_id(*pair) for pair in pairs if set(pair) & set(refs))
    return Person(
        client_refs=refs,
        known_by=known_by(rows, refs, ids),
        in_care=dict(warehouse.work_rows("staged.in_care", {"day": day})),
        others=_others(warehouse),
    )


def forgotten(warehouse: Warehouse, person: Person, stem: str, copies: Iterable[str]) -> Forgotten:
    """What is to be recorded, once ``gather`` has found the person; ``copies``: the contents of kept originals."""
    columns = ("feed", "issuer", "record_id", "client_ref", "how_linked")
    return Forgotten(
        client_refs=person.client_refs,
        stem=stem,
        as_of=warehouse.one("select coalesce(max(taken_on), date '1900-01-01') from staged.taken_files"),
        rows=tuple(Row(**dict(zip(columns, row, strict=True))) for row in warehouse.rows(_ROWS)),
        contents=tuple(sorted({*(content for (content,) in warehouse.rows(_HELD_BY)), *copies})),
    )


def new_stem() -> str:
    """What the tokens of one person begin with; drawn by lot, so that nothing can be worked out from it."""
    return f"forgotten-{secrets.token_hex(6)}"


def _proposed(warehouse: Warehouse) -> list[tuple[str, str]]:
    if not warehouse.exists("matched.candidates"):
        return []
    return [
        (min(pair), max(pair))
        for pair in warehouse.rows(
            "select l.client_ref, r.client_ref from matched.candidates as c"
            " join staged.client_ids as l on l.client_id = c.left_id"
            " join staged.client_ids as r on r.client_id = c.right_id"
        )
    ]


def _others(warehouse: Warehouse) -> tuple[str, ...]:
    """Records that people hold, or the machine is nearly certain, to be the same person, and that are not merged."""
    proposed = (
        "select left_id, right_id from matched.candidates where tier = 'near-certain' union all"
        if warehouse.exists("matched.candidates")
        else ""
    )
    found = warehouse.rows(
        f"with pairs as ({proposed} select left_id, right_id from reviewed.standings where standing = 'same')"
        " select distinct i.client_ref from pairs, person as p, staged.client_ids as i"
        " where p.client_id in (left_id, right_id) and i.client_id in (left_id, right_id)"
        " and i.client_id not in (select client_id from person)"
        " and i.client_ref not in (select client_ref from staged.forgotten) order by 1"
    )
    return tuple(ref for (ref,) in found)
