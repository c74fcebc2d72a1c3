"""Who counts for whom: a pure function of what was signed off, rebuilt from the log alone.

Merges are edges between the records that people decided on, and the newest merge of a group names its survivor; so a
chain resolves by itself, and a merge in the middle of one can be undone while those after it stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from pipelines.decisions.entry import Entry
from pipelines.decisions.groups import Groups
from pipelines.decisions.signoff import Merge
from pipelines.warehouse import Warehouse


@dataclass(frozen=True)
class Signed:
    """A merge and the entry that signed it off."""

    merge: Merge
    entry: Entry


def signed_off(entries: Iterable[Entry]) -> list[Entry]:
    """The sign-offs, oldest first."""
    return sorted((e for e in entries if e.kind == "signoff"), key=lambda entry: entry.sequence_number)


def live_merges(entries: Iterable[Entry]) -> dict[str, Signed]:
    """The merges that were signed off and not undone since, by id, the newest last.

    One that is signed off again, to be carried further, keeps its place: it names no survivor anew.
    """
    live: dict[str, Signed] = {}
    for entry in signed_off(entries):
        for merge in entry.signed_plan.merges:
            live.setdefault(merge.merge_id, Signed(merge, entry))
        for taken_back in entry.signed_plan.undoes:
            live.pop(taken_back.merge_id, None)
    return live


def crosswalk(merges: Iterable[Merge]) -> dict[str, str]:
    """For each merged-away record its survivor; ``merges`` are the live ones, the newest last.

    The survivor of a group is the one that its newest merge names. Where an undo took that record out of the group, it
    is the first of those that had counted for it, and else the first of the group by name.
    """
    merges = list(merges)
    groups = Groups(pair for merge in merges for pair in merge.pairs)
    survivor: dict[str, str] = {}
    for merge in reversed(merges):
        named = next(member for member in merge.members if member.client_ref == merge.survivor)
        nameless = {group for group in (groups.of(one) for one, _ in merge.pairs) if group not in survivor}
        for group in sorted(nameless):
            there = (ref for ref in named.origins if groups.of(ref) == group)
            if found := next(there, None):
                survivor[group] = found
    return {
        ref: survivor.get(group, refs[0])
        for group, refs in groups.all().items()
        for ref in refs
        if ref != survivor.get(group, refs[0])
    }


def ever_joined(entries: Iterable[Entry]) -> Groups:
    """Groups of records that any merge ever joined, live or undone: as far as a sign-off can reach."""
    return Groups(
        (merge.survivor, ref)
        for entry in entries
        if entry.kind == "signoff"
        for merge in entry.signed_plan.merges
        for ref in sorted(merge.origins)
    )


def write_crosswalk(warehouse: Warehouse, entries: Iterable[Entry]) -> dict[str, Signed]:
    """Bring ``merged.crosswalk``, ``merged.merges`` and ``merged.choices`` up to date with the log; gives the live
    merges. Within the caller's transaction."""
    live = live_merges(entries)
    merges = [signed.merge for signed in live.values()]
    _write(warehouse, "merged.crosswalk", ("client_id",), _pairs(crosswalk(merges)))
    _write(warehouse, "merged.merges", ("merge_id", "client_id"), _member_rows(live))
    _write(warehouse, "merged.choices", ("merge_id", "kind", "client_id", "issuer", "name"), _set_aside(merges))
    return live


def _pairs(found: Mapping[str, str]) -> pa.Table:
    return _table(sorted(found.items()), client_ref=pa.string(), survivor_ref=pa.string())


def _member_rows(live: Mapping[str, Signed]) -> pa.Table:
    rows = [
        (
            merge_id, signed.entry.sequence_number, signed.entry.signed_plan.as_of, ref, member.client_ref,
            signed.merge.survivor, signed.merge.wave,
        )
        for merge_id, signed in live.items()
        for member in signed.merge.members
        for ref in member.origins
    ]  # fmt: skip
    text = pa.string()
    return _table(
        rows,
        merge_id=text,
        signed_in=pa.int32(),
        as_of=pa.date32(),
        client_ref=text,
        member_ref=text,
        into_ref=text,
        wave=text,
    )


def _set_aside(merges: Iterable[Merge]) -> pa.Table:
    """What the choices of each merge say no longer counts, record by record; *field*: whose value of a field counts."""
    rows: list[tuple[str, str, str, str, str]] = []
    for merge in merges:
        for contract, side in merge.choices.enrolments.items():
            off = [m for m in merge.members if side not in m.origins]
            rows += [(merge.merge_id, "enrolment", ref, "", contract) for m in off for ref in m.origins]
        if merge.choices.aliases == "drop":
            rows += [(merge.merge_id, "alias", ref, "", "") for m in merge.sources for ref in m.origins]
        rows += [(merge.merge_id, "field", ref, "", name) for name, ref in sorted(merge.choices.fields.items())]
        rows += [
            (merge.merge_id, "reference", ref, issuer, number)
            for issuer, number in merge.former
            for ref in sorted(merge.origins)
        ]
    text = pa.string()
    return _table(rows, merge_id=text, kind=text, client_ref=text, issuer=text, name=text)


def _table(rows: Iterable[tuple[object, ...]], **types: pa.DataType) -> pa.Table:
    """Rows as an Arrow table with these columns, in order. (A frame would take pandas, which is slow to import.)"""
    found = [dict(zip(types, row, strict=True)) for row in rows]
    return pa.Table.from_pylist(found, schema=pa.schema(types))


def _write(warehouse: Warehouse, table: str, key: tuple[str, ...], rows: pa.Table) -> None:
    with warehouse.relation("signed", rows):
        warehouse.work("incoming", table)
    warehouse.upsert(table, key, "incoming", within="true")
