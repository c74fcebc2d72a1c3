"""Survivorship by field: from which record of a case each value of the merged profile comes."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.decisions.statement import PROFILE_FIELDS, ProfileField
from pipelines.merge.case import Case
from pipelines.merge.record import Record

_NAMES = {label: name for name, label in PROFILE_FIELDS.items()}


def value_of(record: Record, label: str) -> str:
    """What the record says of a field of the profile, by its label; empty: nothing."""
    return next((detail.value for detail in record.profile if detail.field == label), "")


def origin_of(label: str, case: Case, records: Sequence[Record]) -> Record | None:
    """The record whose value is taken: the one that the decision chose, the survivor (the first of ``records``), or the
    first that has any."""
    chosen = case.choices.fields.get(_NAMES[label]) if label in _NAMES else None
    in_turn = sorted(records, key=lambda record: record.client_ref != chosen)
    return next((record for record in in_turn if value_of(record, label)), None)


def value_origins(case: Case) -> dict[ProfileField, str]:
    """Of each field that the decision chose, the client record that its value came in for: a member, or a record that
    was merged into it before."""
    origins: dict[ProfileField, str] = {}
    for name, ref in sorted(case.choices.fields.items()):
        label = PROFILE_FIELDS[name]
        found = next((detail for detail in case.record(ref).profile if detail.field == label), None)
        origins[name] = found.from_ref or ref if found else ref
    return origins


def differing_fields(records: Sequence[Record]) -> tuple[ProfileField, ...]:
    """The names of the fields of which two records say different things."""
    said = {name: {value_of(r, label).casefold() for r in records} - {""} for name, label in PROFILE_FIELDS.items()}
    return tuple(name for name, values in said.items() if len(values) > 1)
