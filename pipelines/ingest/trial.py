"""A first mapping for a file of unknown layout, tried on its first rows: what a night would make of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.ingest.notation import read_notation
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.unknown import FirstRows, read_first_rows
from pipelines.private import whole_file
from pipelines.publishing.masking import mask_value
from pipelines.settings import Settings
from pipelines.sources import Source, heading_key, load_sources, source_of_text
from pipelines.sources.suggest import Known, Suggestion, heading_vocabulary, suggest_mapping
from pipelines.troubles import AlreadyThereError
from pipelines.warehouse import scratch_warehouse

SHOWN = 10


@dataclass(frozen=True)
class Trial:
    """What a night would make of the first rows: how many it would load and reject, and which cells it cannot read.

    ``rows`` are the first of them as they would be read, field by field; an empty cell is left out. ``rejected`` and
    ``unread`` count by field and reason.
    """

    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)
    rows: tuple[dict[str, str], ...] = ()
    more: bool = False


@dataclass(frozen=True)
class Proposal:
    """A suggested mapping with its trial; ``masked`` says whether the values in it are."""

    suggestion: Suggestion
    trial: Trial
    masked: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self.suggestion), "trial": asdict(self.trial), "masked": self.masked}


def propose_mapping(
    settings: Settings, path: Path, known: Known, *, rows: int = SHOWN, masked: bool = True
) -> Proposal:
    """Suggest a mapping for a file and try it. Raises FileRefusedError for what is no table of any feed."""
    first = read_first_rows(path, heading_vocabulary(), settings.ingest)
    values = {heading: first.column(place) for place, heading in reversed(list(enumerate(first.headings)))}
    in_order = {heading: values[heading] for heading in dict.fromkeys(first.headings)}
    suggestion = suggest_mapping(path, in_order, load_sources(settings.sources), known, first.sheet)
    if not any(column.field for column in suggestion.columns):
        raise FileRefusedError(
            "Neither headings nor values are those of purchase orders, clients, visits or enrolments. "
            "Is it the right file? If it is, write its mapping by hand: the README shows one.",
            code="F6",
        )
    if suggestion.missing:
        return Proposal(suggestion, Trial(more=first.more), masked)
    source = source_of_text("suggested", suggestion.mapping)
    return Proposal(suggestion, _try(settings, source, first, rows, masked), masked)


def write_mapping(settings: Settings, name: str, mapping: str, *, force: bool = False) -> Path:
    """Write a mapping to HOME/sources. Raises AlreadyThereError, and SettingsError for one that cannot be used."""
    source_of_text(name, mapping)
    file = settings.sources / f"{name}.yaml"
    if not force and (file.exists() or file.with_suffix(".yml").exists()):
        raise AlreadyThereError(f"HOME/sources/{file.name} is there already. Name another, or replace it with --force.")
    with whole_file(file) as out:
        out.write(mapping.encode("utf-8"))
    return file


def _try(settings: Settings, source: Source, first: FirstRows, shown: int, masked: bool) -> Trial:
    feed = source.definition
    width = len(first.headings)
    whole = [(number, row) for number, row in enumerate(first.rows) if len(row) == width]
    table = pa.table(
        {
            "row_number": pa.array([number for number, _ in whole], pa.int64()),
            **{f: pa.array(_cells(source, first, f, [row for _, row in whole]), pa.string()) for f in feed.field_names},
        }
    )
    with scratch_warehouse(settings) as warehouse, warehouse.relation("landing", table):
        read_notation(warehouse, source, date.today())
        faults = warehouse.rows(
            "select column_name, reason, required, row_number from faults order by row_number, position"
        )
        fields = ", ".join(f"coalesce({f.name}, '')" for f in feed.fields)
        lines = warehouse.rows(f"select {fields} from reading order by row_number limit $shown", {"shown": shown})
    rejected = {row: f"{name}: {reason}" for name, reason, required, row in reversed(faults) if required}
    unread = [f"{name}: {reason}" for name, reason, required, row in faults if not required and row not in rejected]
    broken = len(first.rows) - len(whole)
    why = Counter(rejected.values()) + Counter({"cells: more or fewer than headings": broken} if broken else {})
    return Trial(
        rows_read=len(first.rows),
        rows_loaded=len(whole) - len(rejected),
        rows_rejected=len(rejected) + broken,
        rejected=dict(why.most_common()),
        unread=dict(Counter(unread).most_common()),
        rows=tuple(_shown(feed.field_names, line, masked) for line in lines),
        more=first.more,
    )


def _cells(source: Source, first: FirstRows, field_name: str, rows: Sequence[Sequence[str]]) -> list[str]:
    """The cells of one field; where its heading stands twice, the first that is filled counts."""
    keys = {heading_key(heading) for heading, carried in source.columns.items() if carried == field_name}
    places = [place for place, key in enumerate(first.header.keys) if key in keys]
    return [next((row[place] for place in places if row[place]), "") for row in rows]


def _shown(names: Sequence[str], line: Sequence[str], masked: bool) -> dict[str, str]:
    cells = {name: value for name, value in zip(names, line, strict=True) if value}
    return {name: mask_value(name, value) if masked else value for name, value in cells.items()}
