"""Erase a person from the warehouse: what is about them as sent, and what follows from it. Their rows stay linked."""

from __future__ import annotations

from pipelines.custody.personal import ERASED, TOKEN
from pipelines.decisions.forgetting import Forgetting
from pipelines.stage.forgotten import FORGOTTEN, write_forgotten
from pipelines.stage.register import DERIVED, KEYS
from pipelines.stage.standardise import load_placeholder_names
from pipelines.warehouse import Warehouse

_KEPT_OF_A_SOURCE_ROW = (
    "feed", "issuer", "file_id", "row_number", "sent_on", "council", "active_from", "active_to", "how_linked",
    "origin_client_id", "client_id",
)  # fmt: skip


def erase(warehouse: Warehouse, recorded: list[Forgetting], rejected: dict[int, set[int]]) -> dict[str, int]:
    """Erase the person of ``person``, ``person_rows`` and ``rows_to_erase`` (``custody.person.gather``), within the
    caller's transaction; gives how many rows of each kind. ``rejected``: file id → row numbers of what was not loaded.
    """
    write_forgotten(warehouse, recorded)
    erased = {feed: _erase_raw(warehouse, feed) for feed in ERASED}
    erased["rejected_rows"] = _erase_rejected(warehouse, rejected)
    _erase_source_rows(warehouse)
    warehouse.execute(
        "update staged.enrolments as e set record_id = p.kept_id, care_band = null, key_worker = null"
        " from person_rows as p where p.feed = 'roster_clients' and p.issuer = e.issuer and p.record_id = e.record_id"
    )
    warehouse.execute(
        "update raw.first_rows as f set record_id = p.kept_id from person_rows as p"
        " where p.feed = f.feed and p.issuer = f.issuer and p.record_id = f.record_id"
    )
    _erase_holders(warehouse)
    _derive(warehouse)
    warehouse.execute(
        "delete from staged.standard_forms as f where not exists"
        " (select 1 from forms_in_use as u where u.kind = f.kind and u.as_sent = f.as_sent)"
    )
    return {kind: rows for kind, rows in erased.items() if rows}


def _erase_raw(warehouse: Warehouse, feed: str) -> int:
    changes = ", ".join(f"{field} = {_now(field, text)}" for field, text in ERASED[feed].items())
    this = "e.feed = $feed and e.file_id = r.file_id and e.row_number = r.row_number"
    warehouse.execute(
        f"update raw.unread_values as r set value_as_sent = null from rows_to_erase as e where {this}", {"feed": feed}
    )
    warehouse.execute(
        f"update raw.{feed} as r set {changes} from rows_to_erase as e where {this}",
        {"feed": feed},
    )
    return int(warehouse.one("select count(*) from rows_to_erase where feed = $feed", {"feed": feed}))


def _now(field: str, text: str) -> str:
    """What a cell says afterwards: where nothing stood, nothing but the name that is none."""
    if text == TOKEN:
        return "e.kept_id"
    stood = f"r.{field} is not null" if field == "surname" else f"trim(r.{field}) <> ''"
    return f"if({stood}, '{text}', r.{field})"


def _erase_rejected(warehouse: Warehouse, rejected: dict[int, set[int]]) -> int:
    for file_id, numbers in rejected.items():
        warehouse.execute(
            "update raw.rejected_rows set row_as_sent = null"
            " where file_id = $file_id and list_contains($numbers, row_number)",
            {"file_id": file_id, "numbers": sorted(numbers)},
        )
    return sum(map(len, rejected.values()))


def _erase_source_rows(warehouse: Warehouse) -> None:
    """What a source row says once its row as sent is erased: the name that is none, and where it stands."""
    now = dict.fromkeys(_columns(warehouse, "staged.source_records"), "null")
    now |= {column: f"s.{column}" for column in _KEPT_OF_A_SOURCE_ROW}
    is_sent = "s.row_number is not null"
    now |= {
        "record_id": "p.kept_id",
        "surname": f"if({is_sent}, '{FORGOTTEN}', null)",
        "status": "if(s.feed = 'purchase_orders', s.status, if(s.status is null, null, 'Ended'))",
        "placeholders": f"if({is_sent}, ['surname'], [])",
    }
    changes = ", ".join(f'"{column}" = {value}' for column, value in now.items())
    warehouse.execute(
        f"update staged.source_records as s set {changes} from person_rows as p"
        " where p.feed = s.feed and p.issuer = s.issuer and p.record_id = s.record_id"
    )


def _erase_holders(warehouse: Warehouse) -> None:
    """Delete an id, unless another person holds it too: then it stays with that person."""
    warehouse.execute(
        "update staged.id_holders as h set record_id = p.kept_id from person_rows as p"
        " where p.feed = h.feed and p.issuer = h.issuer and p.record_id = h.record_id"
    )
    warehouse.execute(
        "delete from staged.id_holders as h where h.feed = 'roster_clients' and not exists"
        " (select 1 from staged.id_holders as o where o.feed = h.feed and o.issuer = h.issuer and o.id_sent = h.id_sent"
        " and not starts_with(o.record_id, 'forgotten-'))"
    )


def _derive(warehouse: Warehouse) -> None:
    """What follows from the source rows of a record, as staging derives it."""
    load_placeholder_names(warehouse)
    warehouse.execute("create or replace temp table affected as select client_id from person")
    for table in DERIVED:
        owner = "client_id" if table == "staged.clients" else "origin_client_id"
        warehouse.work("incoming", table)
        warehouse.upsert(table, KEYS[table], "incoming", within=f"kept.{owner} in (select client_id from affected)")
    warehouse.work("forms_in_use", "staged.forms_in_use")


def _columns(warehouse: Warehouse, table: str) -> list[str]:
    return [name for name, *_ in warehouse.rows(f"describe {table}")]
