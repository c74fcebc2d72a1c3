"""What a decision is bound to: the facts of both records as they were on the screen, and what has changed since.

Facts are a JSON array of two objects, one for each record, as ``sql/4_reviewed/facts.sql`` writes them; the evidence
hash is the SHA-256 of that text. Scores and what hangs on a record are no facts: they may change without notice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

_NAMES = ("forename", "known_as", "other_names", "surname")
_IDENTIFIERS = ("born", "nhs_number", "reference")


@dataclass(frozen=True)
class Change:
    """One fact of one record that is not what it was when somebody decided. Empty: it was not known."""

    client_ref: str
    field: str
    before: str
    now: str


def evidence_hash(facts: str) -> str:
    """Sixty-four hex digits of the facts of a pair."""
    return hashlib.sha256(facts.encode()).hexdigest()


def changes(before: str, now: str) -> tuple[Change, ...]:
    """What differs between two texts of facts of one pair, record by record in the order of the later one."""
    old = {record["client_ref"]: record for record in json.loads(before)}
    return tuple(
        Change(record["client_ref"], name, _said(was.get(name)), _said(record.get(name)))
        for record in json.loads(now)
        for was in (old.get(record["client_ref"], {}),)
        for name in {**record, **was}
        if was.get(name) != record.get(name)
    )


def brings_nearer(before: str, now: str) -> bool:
    """Whether both records bear a name, birth date, NHS number or reference now that they did not share before.

    Where they live and how they are reached says nothing here: two people may share a home at any time.
    """
    return bool(_shared(now) - _shared(before))


def _shared(facts: str) -> frozenset[tuple[str, str]]:
    one, other = (set(_borne(record)) for record in json.loads(facts))
    return frozenset(one & other)


def _borne(record: dict[str, str | None]) -> Iterator[tuple[str, str]]:
    for name in _NAMES:
        yield from (("name", part) for part in (record.get(name) or "").split())
    for identifier in _IDENTIFIERS:
        if value := record.get(identifier):
            yield identifier, value


def _said(fact: object) -> str:
    return "" if fact is None else str(fact)
