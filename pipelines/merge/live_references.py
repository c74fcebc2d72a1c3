"""Live references of one system that differ: which there are, and what a choice between them makes a former one.

A council's reference without a known council may be any council's, so it is held against the live references of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.merge.record import COUNCIL_REFERENCE, ROSTER_ID, Record

Numbered = tuple[str, str]
"""Issuer (empty: unknown) and number."""


@dataclass(frozen=True)
class Differing:
    """Live references of one issuer, or (``issuer`` empty) with the unknown ones those that they may contradict."""

    issuer: str
    numbers: tuple[Numbered, ...]

    def kept(self, references: Mapping[str, str]) -> Numbered | None:
        """The one that the choices keep; None: they do not say."""
        return next((one for one in self.numbers if references.get(one[0]) == one[1]), None)

    def former(self, references: Mapping[str, str]) -> frozenset[Numbered]:
        """Those that the choices do not keep. A reference that was kept without its council leaves the references of
        several known councils as they are."""
        kept = self.kept(references)
        if kept is None:
            return frozenset()
        known = {issuer for issuer, _ in self.numbers if issuer}
        ended = {"", kept[0]} if kept[0] or len(known) > 1 else {"", *known}
        return frozenset(one for one in self.numbers if one != kept and one[0] in ended)


def differing_references(records: Sequence[Record]) -> tuple[Differing, ...]:
    """What has to be chosen between, by issuer. One number written in two ways (``SS-0123``, ``123``) is one number."""
    cores: dict[str, dict[str, str]] = {}
    councils = {""}
    for record in records:
        for kind in (COUNCIL_REFERENCE, ROSTER_ID):
            for one in record.live_references(kind):
                cores.setdefault(one.issuer, {})[one.number] = one.core or one.number
                councils |= {one.issuer} if kind == COUNCIL_REFERENCE else set()
    found = [
        Differing(issuer, tuple((issuer, number) for number in sorted(numbers)))
        for issuer, numbers in sorted(cores.items())
        if issuer and len(set(numbers.values())) > 1
    ]
    of_councils = {issuer: numbers for issuer, numbers in cores.items() if issuer in councils}
    known = {core for issuer, numbers in of_councils.items() if issuer for core in numbers.values()}
    unknown = set(cores.get("", {}).values())
    if unknown - known and len(unknown | known) > 1:
        every = ((issuer, number) for issuer, numbers in sorted(of_councils.items()) for number in sorted(numbers))
        found.append(Differing("", tuple(every)))
    return tuple(found)


def unchosen(records: Sequence[Record], references: Mapping[str, str]) -> tuple[Differing, ...]:
    """What still has to be chosen between."""
    return tuple(one for one in differing_references(records) if one.kept(references) is None)
