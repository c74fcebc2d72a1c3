"""``oneclient check``: what a nightly run would make of files, without loading them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.ingest.discover import name_of
from pipelines.ingest.facts import Facts
from pipelines.ingest.fields import read_file
from pipelines.ingest.history import content_id, delivered_at, find_repeat
from pipelines.ingest.land import Inspected, Landings
from pipelines.ingest.landing import Landing
from pipelines.ingest.ledger import create_raw_tables
from pipelines.ingest.refusal import FileRefusedError
from pipelines.publishing.masking import mask_number
from pipelines.settings import Settings
from pipelines.sources import load_sources, never_stored, source_for
from pipelines.warehouse import open_warehouse, scratch_warehouse


@dataclass(frozen=True)
class Rejected:
    """Rows of one file that would be rejected for one reason; ``column`` is the field that it is about."""

    reason: str
    column: str | None
    count: int


@dataclass(frozen=True)
class Checked:
    """What would become of one file. ``status``: it would be loaded, is repeated, or would be held (``code``)."""

    file: str
    source: str
    feed: str
    issuer: str
    status: str
    reason: str | None = None
    code: str | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rejected: tuple[Rejected, ...] = ()
    headings_unmapped: tuple[str, ...] = ()
    facts: Facts | None = field(default=None)

    @property
    def well(self) -> bool:
        """Whether it would be loaded, or was before."""
        return self.code is None

    def as_dict(self, *, masked: bool = True) -> dict[str, Any]:
        """For JSON and the screen; ``masked``: of references only their ends."""
        said = asdict(self)
        facts = said.pop("facts") or {}
        for near in facts.get("near", ()) if masked else ():
            near["sent"], near["existing"] = mask_number(near["sent"]), mask_number(near["existing"])
        return {**said, **facts}


def check_files(settings: Settings, files: Iterable[Path], day: date) -> list[Checked]:
    """What a nightly run of ``day`` would make of files. Each is looked at by itself; nothing is kept."""
    sources = load_sources(settings.sources)
    with ExitStack() as stack:
        if settings.database.exists():
            warehouse = stack.enter_context(open_warehouse(settings))
        else:
            warehouse = stack.enter_context(scratch_warehouse())
        stack.enter_context(warehouse.rehearsal())
        create_raw_tables(warehouse)
        landings = Landings(settings, day, warehouse, sources, never_stored(sources), frozenset())
        return [_check(landings, path) for path in files]


def _check(landings: Landings, path: Path) -> Checked:
    name = name_of(path)
    source = source_for(name, landings.sources)
    if source is None:
        return Checked(
            name, "unknown", "unknown", "unknown", "held", code="F1",
            reason="No source mapping fits this file's name. oneclient map FILE makes a first one.",
        )  # fmt: skip
    named = (source.feed, source.name, source.issuer_of_file(name))
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    landing = Landing(content_id(content, *named), content, named[1], named[0], named[2], "loaded")
    delivered = delivered_at(path, landings.day)
    repeat = find_repeat(landings.warehouse, landing, delivered)
    if repeat and not repeat.is_news:
        return Checked(name, named[1], named[0], named[2], "repeated", "The same content was loaded before.")
    try:
        contents = read_file(path, source, landings.settings.ingest)
    except FileRefusedError as refusal:
        return Checked(name, named[1], named[0], named[2], "held", reason=str(refusal), code=refusal.trouble.code)
    with landings.warehouse.relation("landing", contents.rows):
        found = landings.inspect(delivered, landing, source, contents)
    return _checked(landings, name, found, contents.unmapped)


def _checked(landings: Landings, name: str, found: Inspected, unmapped: tuple[str, ...]) -> Checked:
    rejected = landings.warehouse.rows(
        "select reason, column_name, count(*) from rejected group by all order by count(*) desc, reason, column_name"
    )
    held = found.refusal
    return Checked(
        name, found.landing.source, found.landing.feed, found.landing.issuer,
        status="held" if held else "would load",
        reason=str(held) if held else None,
        code=held.trouble.code if held else None,
        rows_read=found.landing.rows_read,
        rows_loaded=0 if held else found.landing.rows_loaded,
        rejected=tuple(Rejected(*row) for row in rejected),
        headings_unmapped=tuple(unmapped),
        facts=found.facts,
    )  # fmt: skip
