"""A suggested mapping as YAML, with the reason for each choice in comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml

from pipelines.sources.columns import Column
from pipelines.sources.split import Split

_WHY = {
    "date_formats": "how its dates are written",
    "footer": "rows that are no rows, by their first filled cell",
    "values": "words of this source: words that oneclient knows",
    "sheet": "other sheets of the workbook hold other tables",
    "reference_prefixes": "what offices write before a reference",
    "never_store": "blanked before anything is written, in every file of this home",
}


def written_mapping(
    mapping: Mapping[str, object],
    columns: Sequence[Column],
    notes: Sequence[str],
    unmapped: Sequence[str],
    missing: Sequence[str],
) -> str:
    """The mapping as YAML; what is only for the person who reads it stands in comments."""
    lines = [line for key, value in mapping.items() for line in _entry(key, value)]
    lines.append("columns:")
    pairs = [_pair(column) for column in columns]
    width = min(60, max(map(len, pairs), default=0))
    for pair, column in zip(pairs, columns, strict=True):
        lines.append(f"  {pair:<{width}}  # {column.confidence:.0%}: {column.because}")
    if not columns:
        lines[-1] = "columns: {}"
    lines += [f"# {note}" for note in notes]
    lines += [f"# headings without a field: {', '.join(unmapped)}"] if unmapped else []
    lines += [f"# required fields without a heading: {', '.join(missing)}"] if missing else []
    return "".join(f"{line}\n" for line in lines)


def as_written(column: str | Split) -> object:
    """What a mapping says of a heading, as YAML has it."""
    if isinstance(column, str):
        return column
    return {column.kind: list(column.fields), **({"order": column.order} if column.order else {})}


def _entry(key: str, value: object) -> list[str]:
    text = _yaml({key: value}).rstrip().split("\n")
    if why := _WHY.get(key):
        text[0] = f"{text[0]}  # {why}"
    return text


def _pair(column: Column) -> str:
    if column.split is None:
        return _yaml({column.heading: column.field}).rstrip()
    heading = _yaml({column.heading: None}).removesuffix(" null\n")
    return f"{heading} {yaml.safe_dump(as_written(column.split), default_flow_style=True, width=1_000_000).strip()}"


def _yaml(value: Mapping[str, object]) -> str:
    return str(yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=1_000_000))
