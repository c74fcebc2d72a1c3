"""What is published of the merges, fit to leave the building: ``publishing/masking.py`` says what stays of a value."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa

from pipelines.publishing.masking import mask_number, mask_reference, mask_value

_REFS = (
    "client_ref", "client_refs", "merged_refs", "survivor_ref", "into_ref", "from_ref", "from_refs", "into_numbers",
    "from_numbers", "orders_to_move", "references_to_carry", "former_references", "reference", "survivor", "origins",
    "pairs", "concerns", "open_ways",
)  # fmt: skip
_NAMES = ("forename", "known_as", "other_names", "surname", "name", "into_name", "from_name")
_MASKS: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(_REFS, mask_reference),
    **dict.fromkeys(_NAMES, partial(mask_value, "Name")),
    "born_on": partial(mask_value, "born"),
    "number": mask_number,
}


def masked_rows(table: pa.Table) -> pa.Table:
    """The same table with every client's values masked; a birth date is text then."""
    fields = [pa.field(f.name, pa.string()) if f.name == "born_on" else f for f in table.schema]
    return pa.Table.from_pylist([masked(row) for row in table.to_pylist()], pa.schema(fields))


def masked(row: dict[str, Any]) -> dict[str, Any]:
    """The same row, masked by the names of its fields."""
    return {field: _masked(field, value, row) for field, value in row.items()}


def masked_merge(merge: dict[str, Any]) -> dict[str, Any]:
    """The same merge of a plan, masked. Contracts stand on many people and stay."""
    choices = merge["choices"]
    return masked(merge) | {
        "choices": {
            **choices,
            "survivor": choices["survivor"] and mask_reference(choices["survivor"]),
            "enrolments": {contract: mask_reference(ref) for contract, ref in choices["enrolments"].items()},
            "fields": {field: mask_reference(ref) for field, ref in choices["fields"].items()},
            "references": {issuer: mask_number(number) for issuer, number in choices["references"].items()},
        },
        "former": [[issuer, mask_number(number)] for issuer, number in merge["former"]],
    }


def mask_shown(kind: str, shown: str) -> str:
    """What a blocker is about. Contract numbers stand on many people and stay; a name or a number is one person's."""
    if kind == "SAME_CONTRACT_TWICE":
        return shown
    return mask_value("Name", shown) if kind == "ALIASES_UNDECIDED" else mask_reference(shown)


def _masked(field: str, value: Any, row: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return masked(value)
    if isinstance(value, list | tuple):
        return [_masked(field, one, row) for one in value]
    if value is None or value == "":
        return value
    if field == "shows":
        return mask_shown(row["kind"], value)
    mask = partial(mask_value, row["kind"]) if field == "value" else _MASKS.get(field)
    return mask(str(value)) if mask else value
