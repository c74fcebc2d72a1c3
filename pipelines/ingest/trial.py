"""A first mapping for a file of unknown layout, tried on the file itself by the very steps that land it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pipelines.feeds import FEEDS
from pipelines.ingest.faults import reject
from pipelines.ingest.fields import by_field
from pipelines.ingest.keys import find_repeated_keys
from pipelines.ingest.notation import read_notation
from pipelines.ingest.read import read_table
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.table import Contents, Table
from pipelines.ingest.unknown import read_first_rows
from pipelines.private import whole_file
from pipelines.publishing.masking import mask_value
from pipelines.settings import Settings, SettingsError
from pipelines.sources import Source, heading_key, load_sources, never_stored, source_for, source_of_text
from pipelines.sources.heading_words import heading_vocabulary
from pipelines.sources.suggest import Known, Suggestion, suggest_mapping
from pipelines.troubles import AlreadyThereError
from pipelines.warehouse import scratch_warehouse

SHOWN = 10


@dataclass(frozen=True)
class Trial:
    """What a nightly run would make of the file: the rows that it would load and reject, and the cells it cannot read.

    ``before`` are the first rows as sent, by heading, and ``rows`` the same rows as they would be read, by field; an
    empty cell is left out. ``rejected`` and ``unread`` count by field and reason. ``refused`` is why the whole file
    would be quarantined, and ``notes`` what the reading of it has to say.
    """

    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)
    rows: tuple[dict[str, str], ...] = ()
    before: tuple[dict[str, str], ...] = ()
    more: bool = False
    refused: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """A suggested mapping with its trial; ``masked`` says whether the values in it are."""

    suggestion: Suggestion
    trial: Trial
    masked: bool

    @property
    def well(self) -> bool:
        """Whether the mapping can be used: it is sure, and the file would be landed."""
        return self.suggestion.sure and not self.trial.refused

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        suggestion = self.suggestion
        columns = [
            {**asdict(column), "fields": column.fields_in(FEEDS[suggestion.feed])} for column in suggestion.columns
        ]
        for each, column in zip(columns, suggestion.columns, strict=True):
            each["split"] = column.split.kind if column.split else None
        told = asdict(replace(suggestion, columns=()))
        return {**told, "columns": columns, "trial": asdict(self.trial), "masked": self.masked}


def propose_mapping(
    settings: Settings, path: Path, known: Known, *, rows: int = SHOWN, masked: bool = True
) -> Proposal:
    """Suggest a mapping for a file and try it. Raises FileRefusedError for what is no table of any feed."""
    first = read_first_rows(path, heading_vocabulary(), settings.ingest)
    values = {heading: first.column(place) for place, heading in reversed(list(enumerate(first.headings)))}
    in_order = {heading: values[heading] for heading in dict.fromkeys(first.headings)}
    sources = load_sources(settings.sources)
    last_rows = () if first.more else first.rows[-10:]
    suggestion = suggest_mapping(path, in_order, sources, known, first.sheet, last_rows)
    if not any(column.carries for column in suggestion.columns):
        raise FileRefusedError(
            "Neither headings nor values are those of purchase orders, clients, visits or enrolments. "
            "Is it the right file? If it is, write its mapping by hand: docs/mappings.md shows one.",
            code="F6",
        )
    if suggestion.missing:
        return Proposal(suggestion, Trial(more=first.more), masked)
    source = source_of_text("suggested", suggestion.mapping)
    return Proposal(suggestion, _try(settings, path, source, rows, masked), masked)


def write_mapping(settings: Settings, name: str, mapping: str, path: Path, *, force: bool = False) -> Path:
    """Write a mapping to HOME/sources, where the next nightly run reads files named like ``path`` through it.

    Raises AlreadyThereError, and SettingsError for a mapping that cannot be used, that another mapping's files would
    come to, or whose own file another mapping takes first.
    """
    new = source_of_text(name, mapping)
    file = settings.sources / f"{name}.yaml"
    if not force and (file.exists() or file.with_suffix(".yml").exists()):
        raise AlreadyThereError(f"HOME/sources/{file.name} is there already. Name another, or replace it with --force.")
    own = [source for source in _own_sources(settings) if source.name != name]
    before = sorted([*own, new], key=lambda source: source.name)
    if (taker := source_for(path.name, tuple(before))) is not None and taker.name != name:
        raise SettingsError(
            f"The mapping HOME/sources/{taker.name}.yaml takes files of this name already, and is asked first. Replace "
            f"that one (--write {taker.name} --force), or rename the files or one of the two mappings.",
            code="S2",
        )
    shadowed = [source for source in own if any(fnmatch(_example(p), n) for p in source.files for n in new.files)]
    if shadowed := [source for source in shadowed if source.name > name]:
        raise SettingsError(
            f"Files of the mapping HOME/sources/{shadowed[0].name}.yaml would be read through this one: its pattern "
            f"{new.files[0]} fits them, too. Give the file a name of its own, or write another pattern by hand.",
            code="S2",
        )
    with whole_file(file) as out:
        out.write(mapping.encode("utf-8"))
    return file


def _own_sources(settings: Settings) -> list[Source]:
    """The operator's mappings, in the order in which they are asked."""
    own = sum(path.suffix in {".yaml", ".yml"} for path in settings.sources.glob("*"))
    return list(load_sources(settings.sources)[:own])


def _example(pattern: str) -> str:
    """A file name that a pattern fits."""
    return pattern.replace("*", "20261120").replace("?", "1").lower()


def _try(settings: Settings, path: Path, source: Source, shown: int, masked: bool) -> Trial:
    try:
        table = read_table(path, source, settings.ingest)
    except FileRefusedError as refusal:
        return Trial(refused=str(refusal))
    contents = by_field(table, source)
    feed = source.definition
    with scratch_warehouse(settings) as warehouse, warehouse.relation("landing", contents.rows):
        date_1904 = getattr(contents, "date_1904", False)
        notations = read_notation(warehouse, source, date.today(), unread=contents.unread, date_1904=date_1904)
        find_repeated_keys(warehouse, feed)
        reject(warehouse, contents, never_stored((source,)))
        rejected = warehouse.rows("select column_name, reason, row_number from rejected order by row_number")
        unread = warehouse.rows("select column_name, reason, row_number from unread order by row_number, column_name")
        as_read = ", ".join(f"coalesce({f.name}, '')" for f in feed.fields)
        lines = warehouse.rows(
            f"select row_number, {as_read} from reading order by row_number limit $shown", {"shown": shown}
        )
    gone = {row for *_, row in rejected}
    rows_read = contents.rows.num_rows + len(contents.broken)
    return Trial(
        rows_read=rows_read,
        rows_loaded=rows_read - len(gone),
        rows_rejected=len(gone),
        rejected=_counted((name, reason) for name, reason, _ in rejected),
        unread=_counted((name, reason) for name, reason, _ in unread),
        rows=tuple(_shown(feed.field_names, line[1:], masked) for line in lines),
        before=_before(table, contents, source, [line[0] for line in lines], masked),
        notes=(*contents.notes, *map(str, notations.values())),
    )


def _counted(each: Any) -> dict[str, int]:
    return dict(Counter(f"{name}: {reason}" if name else str(reason) for name, reason in each).most_common())


def _before(
    table: Table, contents: Contents, source: Source, numbers: Sequence[int], masked: bool
) -> tuple[dict[str, str], ...]:
    """The rows of these numbers as sent, by heading; masked as the fields are that the headings carry."""
    every = contents.rows.column("row_number").to_pylist()
    places = [every.index(number) for number in numbers]
    found = []
    for row in table.cells.take(places).to_pylist():
        cells = {}
        for place, heading in enumerate(table.header.headings):
            fields = source.fields_of(heading) if heading_key(heading) else ()
            if fields and row[f"c{place}"]:
                masks = "address" if "address_1" in fields else fields[0]
                cells[" ".join(heading.split())] = mask_value(masks, row[f"c{place}"]) if masked else row[f"c{place}"]
        found.append(cells)
    return tuple(found)


def _shown(names: Sequence[str], line: Sequence[str], masked: bool) -> dict[str, str]:
    cells = {name: value for name, value in zip(names, line, strict=True) if value}
    return {name: mask_value(name, value) if masked else value for name, value in cells.items()}
