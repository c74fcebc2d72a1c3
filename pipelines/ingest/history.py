"""What earlier deliveries of a source say about the file that is landed now.

``find_repeat`` tells whether the content came before. The other functions give the reason to hold a file: it lacks a
column that earlier files filled, repeats a FileReference, ends too many records, or would create far more clients than
usual.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

from pipelines.ingest.discover import name_of
from pipelines.ingest.landing import Landing
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.spoken import name_key, spoken_on
from pipelines.ingest.table import Contents
from pipelines.sources import Source, heading_key
from pipelines.warehouse import Warehouse

KEYS = {
    "purchase_orders": ("purchase_order_number", "line_number"),
    "roster_clients": ("client_id",),
    "roster_visits": ("visit_id",),
    "roster_enrolments": ("client_id", "contract_number", "start_date"),
}
"""The fields that tell the rows of each feed apart."""

_SUPERSEDES = (
    "Its FileReference was loaded before, from a file with other content, so it was not loaded again. "
    "If it is a correction, ask the sender to give it a FileReference of its own."
)
_EXPECTED = {
    "roster_clients": "raw.expected_clients",
    "roster_enrolments": "raw.expected_enrolments",
    "roster_visits": "raw.expected_visits",
}
_NAMED = {
    "purchase_orders": "raw.named_in_purchase_orders",
    "roster_clients": "raw.named_in_roster_clients",
    "roster_enrolments": "raw.named_in_roster_rows",
    "roster_visits": "raw.named_in_roster_rows",
}


@dataclass(frozen=True)
class Delivered:
    """One file as it was delivered: its name, the night that it is landed for, and the day that it speaks for."""

    name: str
    night: date
    spoken_on: date

    @property
    def order(self) -> tuple[date, date, str]:
        """Sorts deliveries from the oldest to the newest, as ``spoken_files.sql`` does."""
        return self.spoken_on, self.night, name_key(self.name)


def delivered_at(path: Path, night: date) -> Delivered:
    """What a path in the inbox says of a file that is landed for ``night``. A dated folder is the night it was for."""
    try:
        due = min(date.fromisoformat(path.parent.name), night)
    except ValueError:
        due = night
    return Delivered(name_of(path), night, spoken_on(name_of(path), due))


def content_id(content_hash: str, feed: str, source: str, issuer: str) -> int:
    """The number of one content from one source: the same in every home, and another one for another issuer."""
    return _number(content_hash, feed, source, issuer)


def delivery_id(file_id: int, delivered: Delivered) -> int:
    """The number of one delivery of a content that is in the ledger already, or that is not loaded."""
    return _number(str(file_id), delivered.spoken_on.isoformat(), delivered.name)


def _number(*parts: str) -> int:
    return int(hashlib.sha256("\n".join(parts).encode()).hexdigest()[:13], 16)


@dataclass(frozen=True)
class Repeat:
    """A delivery of content that was loaded before from the same source.

    ``rows_of`` is the file that has its rows, None when those were retired; ``is_known`` says that this very delivery
    is in the ledger; ``is_news`` that other content of the source lies between this delivery and the one before it;
    ``is_of_another`` that the rows came as a file of another feed or issuer.
    """

    rows_of: int | None
    is_known: bool
    is_news: bool
    rows: tuple[int, int, int] = (0, 0, 0)
    is_of_another: bool = False


def find_repeat(warehouse: Warehouse, landing: Landing, delivered: Delivered) -> Repeat | None:
    """How the content of a file was delivered before; None if it never was.

    Content that another feed or issuer has rows of (a file under another name) is known, whatever it is called now.
    """
    lines = warehouse.rows(
        "select content_hash, coalesce(spoken_on, delivered_for), delivered_for, file_name, coalesce(rows_of, file_id)"
        " from raw.files where feed = $feed and issuer = $issuer and (status = 'loaded' or rows_of is not null)",
        {"feed": landing.feed, "issuer": landing.issuer},
    )
    if warehouse.rows(
        "select 1 from raw.files where content_hash = $hash and status = 'loaded' and rows_loaded > 0"
        " and (feed, issuer) != ($feed, $issuer) and coalesce(rows_of, file_id) not in"
        " (select file_id from raw.retired_files) limit 1",
        {"hash": landing.content_hash, "feed": landing.feed, "issuer": landing.issuer},
    ):
        return Repeat(None, is_known=True, is_news=False, is_of_another=landing.source != "unknown")
    own = [line for line in lines if line[0] == landing.content_hash]
    if not own:
        return None
    retired = {file_id for (file_id,) in warehouse.rows("select file_id from raw.retired_files")}
    stored = sorted({line[4] for line in own} - retired)
    rows = warehouse.rows(
        "select rows_read, rows_loaded, rows_rejected from raw.files where file_id = $file_id",
        {"file_id": stored[0] if stored else own[0][4]},
    )[0]
    is_known = any((line[1], line[3]) == (delivered.spoken_on, delivered.name) for line in own)
    others = sorted((Delivered(line[3], line[2], line[1]).order, line[0]) for line in lines)
    before = [content for order, content in others if order < delivered.order][-1:]
    after = [content for order, content in others if order > delivered.order][:1]
    is_news = not is_known and landing.content_hash not in (*before, *after)
    return Repeat(stored[0] if stored else None, is_known, is_news, rows)


def carried_fields(source: Source, contents: Contents) -> set[str]:
    """The fields of the feed for which a file has a heading, or the mapping a constant."""
    there = set(contents.header.keys)
    present = [heading for heading in source.columns if heading_key(heading) in there]
    carried = {field for heading in present for field in source.fields_of(heading)}
    return carried | set(source.constants)


def filled_fields(warehouse: Warehouse, source: Source) -> list[str]:
    """The fields that have a value in some row of ``landing`` that is not rejected."""
    counts = ", ".join(f"count({name}) as {name}" for name in source.definition.field_names)
    rows = f"select {counts} from reading where row_number not in (select row_number from rejected)"
    return [name for name, count in warehouse.row(rows).items() if count]


def _filled(warehouse: Warehouse, names: Sequence[str], rows: str) -> list[str]:
    counts = ", ".join(f"count(nullif(trim({name}), '')) as {name}" for name in names)
    return [name for name, count in warehouse.row(f"select {counts} from {rows}").items() if count]


def fields_filled_before(warehouse: Warehouse, landing: Landing, source: Source, delivered: Delivered) -> set[str]:
    """The fields that an older file of this feed and issuer filled, whatever mapping read it."""
    older = warehouse.rows(
        "select file_id, fields_filled, coalesce(spoken_on, delivered_for), delivered_for, file_name from raw.files"
        " where feed = $feed and issuer = $issuer and status = 'loaded' and rows_of is null",
        {"feed": landing.feed, "issuer": landing.issuer},
    )
    found: set[str] = set()
    for file_id, filled, spoken, night, name in older:
        if Delivered(name, night, spoken).order >= delivered.order:
            continue
        if filled is not None:
            found |= set(filled)
        else:  # loaded by a release that did not keep it
            rows = f"raw.{landing.feed} where file_id = {file_id:d}"
            found |= set(_filled(warehouse, source.definition.field_names, rows))
    return found


def absent_column(
    warehouse: Warehouse, landing: Landing, source: Source, contents: Contents, delivered: Delivered
) -> FileRefusedError | None:
    """P9: holds a file that lacks a heading for a field which older files filled, until the mapping says why."""
    missing = source.fields - carried_fields(source, contents)
    if not missing:
        return None
    missing &= fields_filled_before(warehouse, landing, source, delivered)
    if not missing:
        return None
    headings = [h for h in source.columns if missing & set(source.fields_of(h))]
    unknown = ", ".join(contents.unmapped) or "none"
    return FileRefusedError(
        f"Earlier files of this source filled these columns, and this file does not have them: {', '.join(headings)}. "
        f"Headings in it that the mapping does not know: {unknown}. If a column was renamed, give its new heading in a "
        "mapping in HOME/sources (oneclient map FILE proposes one); if it is no longer sent, list the heading there "
        "under without. Then put the file into the inbox again.",
        code="F20",
    )


def repeated_reference(
    warehouse: Warehouse, landing: Landing, source: Source, references: Sequence[str]
) -> FileRefusedError | None:
    """P10: a file whose every FileReference was loaded before is refused, unless it holds all rows of those files."""
    if not references:
        return None
    earlier = warehouse.rows(
        "select file_id, file_references from raw.files where status = 'loaded' and rows_of is null and feed = $feed"
        " and issuer = $issuer and list_has_any(file_references, $references)",
        {"feed": landing.feed, "issuer": landing.issuer, "references": list(references)},
    )
    known = {reference for _, named in earlier for reference in named}
    if not set(references) <= known:
        return None
    fields = ", ".join(source.definition.field_names)
    ids = [file_id for file_id, _ in earlier]
    stored, lacking = warehouse.rows(
        f"select count(distinct file_id), count(*) filter (where not is_there) from (select file_id, hash({fields}) in"
        f" (select hash({fields}) from reading where row_number not in (select row_number from rejected)) as is_there"
        f" from raw.{landing.feed} where list_contains($ids, file_id))",
        {"ids": ids},
    )[0]
    if stored == len(ids) and not lacking:
        return None
    return FileRefusedError(_SUPERSEDES, code="F11")


@dataclass(frozen=True)
class Missing:
    """How many active records of a source are not in its newest full export, and of how many."""

    missing: int
    active: int

    @property
    def is_too_many(self) -> bool:
        """More than a tenth, and more than one record; or all of them."""
        return self.missing > max(1, self.active / 10) or self.missing == self.active > 0


def missing_from(warehouse: Warehouse, landing: Landing, delivered: Delivered) -> Missing:
    """P12: the active records of a source that delivers everything, and those that ``landing`` does not hold."""
    if landing.feed == "purchase_orders" or not warehouse.exists("staged.clients"):
        return Missing(0, 0)
    newer = [
        1
        for name, night, spoken in warehouse.rows(
            "select file_name, delivered_for, coalesce(spoken_on, delivered_for) from raw.files where feed = $feed"
            " and issuer = $issuer and source = $source and delivers = 'everything'"
            " and (status = 'loaded' or rows_of is not null)",
            {"feed": landing.feed, "issuer": landing.issuer, "source": landing.source},
        )
        if Delivered(name, night, spoken).order > delivered.order
    ]
    if newer:
        return Missing(0, 0)
    warehouse.work(
        "expected",
        _EXPECTED[landing.feed],
        {"issuer": landing.issuer, "source": landing.source, "day": delivered.spoken_on},
    )
    missing, active = warehouse.rows("select count(*) filter (where not is_there), count(*) from expected")[0]
    return Missing(missing, active)


def too_many_missing(found: Missing) -> FileRefusedError | None:
    """Holds a full export that would end too many records."""
    if not found.is_too_many:
        return None
    return FileRefusedError(
        f"This source delivers everything, and {found.missing:,} of its {found.active:,} active records are not in "
        "this file. Loading it would end or cancel them. Ask the sender whether the export is complete. If it is: "
        "oneclient accept FILE.",
        code="F21",
    )


def is_accepted(warehouse: Warehouse, landing: Landing) -> bool:
    """Whether a person accepted this content although it was held."""
    return bool(
        warehouse.one(
            "select count(*) from raw.accepted_files where content_hash = $hash or copy_hash = $hash",
            {"hash": landing.content_hash},
        )
    )


@dataclass(frozen=True)
class Surge:
    """How many client records a file would create, of how many that it names, and the limit of its source.

    ``limit`` is None during the first five deliveries of a source.
    """

    new: int
    named: int
    limit: int | None

    @property
    def is_too_many(self) -> bool:
        """More than the limit."""
        return self.limit is not None and self.new > self.limit


def surge_of(warehouse: Warehouse, landing: Landing) -> Surge:
    """How many new clients ``landing`` brings, as far as references and ids tell, beside what is usual for its source.

    Leaves the temporary table ``named_people``: one row an id or reference, with whether it is known.
    """
    feed = landing.feed
    if not warehouse.exists("staged.clients"):
        return _first_night(warehouse, landing)
    named = warehouse.work("named_people", _NAMED[feed], {"issuer": landing.issuer})
    new = warehouse.one("select count(*) from named_people where not is_known")
    past = warehouse.rows(
        "select new_clients from raw.files where feed = $feed and issuer = $issuer and source = $source"
        " and status = 'loaded' and rows_of is null order by landed_at, file_id",
        {"feed": feed, "issuer": landing.issuer, "source": landing.source},
    )
    counts = [count for (count,) in past if count is not None]
    return Surge(new, named, surge_limit(counts) if len(past) >= UNLIMITED else None)


def _first_night(warehouse: Warehouse, landing: Landing) -> Surge:
    key = "social_services_ref" if landing.feed == "purchase_orders" else "client_id"
    warehouse.execute("create or replace temp table named_people (named varchar, row_number bigint, is_known boolean)")
    named = warehouse.one(f"select count(distinct {key}) from reading")
    return Surge(named, named, None)


UNLIMITED = 5
"""The number of first deliveries of a source that are never held for a surge."""
_LEAST = 5
_DEVIATIONS = 6
_REMEMBERED = 60


def surge_limit(counts: Sequence[int]) -> int | None:
    """The most new clients that are still usual, from the counts of earlier deliveries, oldest first.

    Median and median absolute deviation, so that one unusual delivery moves neither; no deviation is taken to be
    smaller than that of chance arrivals (the root of the median). None when too few counts are known.
    """
    recent = sorted(list(counts)[-_REMEMBERED:])
    if len(recent) < UNLIMITED:
        return None
    middle = median(recent)
    spread = 1.4826 * median(abs(count - middle) for count in recent)
    return max(_LEAST, math.ceil(middle + _DEVIATIONS * max(spread, math.sqrt(middle), 1)))


def too_many_new(surge: Surge) -> FileRefusedError | None:
    """Holds a file that would create far more client records than its source usually does."""
    if not surge.is_too_many:
        return None
    return FileRefusedError(
        f"It would create {surge.new:,} client records, and at most {surge.limit:,} are usual for this source. "
        "Perhaps its references or ids are written in another way than before: compare them with those of the last "
        "file (oneclient check FILE shows which are near). If they are right: oneclient accept FILE.",
        code="F22",
    )
