"""What is to be said of a file before it is loaded: for ``oneclient check`` and for the files of the nightly report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.ingest.history import (
    Delivered,
    Missing,
    Surge,
    carried_fields,
    fields_filled_before,
    filled_fields,
    missing_from,
    surge_of,
)
from pipelines.ingest.landing import Landing
from pipelines.ingest.notation import Notation
from pipelines.ingest.table import Contents
from pipelines.sources import Source, heading_key
from pipelines.warehouse import Warehouse

_NEAR_ROWS = 500


@dataclass(frozen=True)
class Near:
    """A row whose reference or id is not known, and the existing one that it is near to."""

    row: int
    sent: str
    existing: str


@dataclass(frozen=True)
class Facts:
    """What is known of one file. Field names are those of the feed; headings stand as sent.

    ``headings_gone`` were in the last file of the source and are not in this one; ``emptied`` are fields that earlier
    files filled and whose column is empty here. ``near`` holds references, so it is never kept.
    """

    delivers: str
    fields_filled: tuple[str, ...]
    fields_absent: tuple[str, ...]
    headings: tuple[str, ...]
    headings_new: tuple[str, ...]
    headings_gone: tuple[str, ...]
    emptied: tuple[str, ...]
    unread: dict[str, int]
    surge: Surge
    missing: Missing
    near: tuple[Near, ...] = ()
    notes: tuple[str, ...] = ()
    read_as: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For the ledger: no cell of the file, and of ``near`` only the rows."""
        kept = asdict(self)
        kept["near"] = [near.row for near in self.near]
        for known in ("fields_filled", "fields_absent", "delivers"):
            kept.pop(known)
        return kept


def facts_of(
    warehouse: Warehouse,
    landing: Landing,
    source: Source,
    contents: Contents,
    delivered: Delivered,
    notations: Mapping[str, Notation],
) -> Facts:
    """Look at a file that was read into ``reading``, and whose rejected rows and unread cells are known.

    ``notations`` is how its dates, times and numbers were read, by field.
    """
    filled = filled_fields(warehouse, source)
    carried = carried_fields(source, contents)
    before = fields_filled_before(warehouse, landing, source, delivered)
    headings = tuple(heading for heading in contents.header.headings if heading_key(heading))
    keys = {heading_key(heading) for heading in headings}
    last = _last_headings(warehouse, landing)
    surge = surge_of(warehouse, landing)
    missing = missing_from(warehouse, landing, delivered) if source.delivers == "everything" else Missing(0, 0)
    return Facts(
        delivers=source.delivers,
        fields_filled=tuple(filled),
        fields_absent=tuple(name for name in source.definition.field_names if name not in carried),
        headings=headings,
        headings_new=tuple(h for h in headings if heading_key(h) not in {heading_key(h) for h in last}) if last else (),
        headings_gone=tuple(h for h in last if heading_key(h) not in keys),
        emptied=tuple(sorted((before & carried) - set(filled) - set(source.constants))) if landing.rows_loaded else (),
        unread=dict(warehouse.rows("select column_name, count(*) from unread group by 1 order by 1")),
        surge=surge,
        missing=missing,
        near=near_references(warehouse, landing) if surge.new else (),
        notes=contents.notes,
        read_as={name: notation.how for name, notation in sorted(notations.items())},
    )


def near_references(warehouse: Warehouse, landing: Landing) -> tuple[Near, ...]:
    """The references and ids that are not known, each with a known one of the same issuer that it is near to."""
    if not warehouse.exists("staged.references"):
        return ()
    if landing.feed == "purchase_orders":
        known = "kind = 'social_services_reference' and (issuer = $issuer or issuer is null)"
    elif landing.feed == "roster_clients":
        known = "kind = 'social_services_reference' or kind = 'roster_client_id' and issuer = $issuer"
    else:
        known = "kind = 'roster_client_id' and issuer = $issuer"
    warehouse.execute(
        f"create or replace temp table known_numbers as select distinct reference as number from staged.references"
        f" where {known}",
        {"issuer": landing.issuer},
    )
    return tuple(Near(*row) for row in warehouse.work_rows("raw.near_references", {"most": _NEAR_ROWS}))


def _last_headings(warehouse: Warehouse, landing: Landing) -> list[str]:
    found = warehouse.rows(
        "select facts from raw.files where feed = $feed and issuer = $issuer and source = $source"
        " and status = 'loaded' and facts is not null order by spoken_on desc, landed_at desc limit 1",
        {"feed": landing.feed, "issuer": landing.issuer, "source": landing.source},
    )
    return list(json.loads(found[0][0])["headings"]) if found else []
