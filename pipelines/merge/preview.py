"""The single record as it would be after a merge, for any survivor: the policy table, row by row, applied to a case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from pipelines.merge.case import Case
from pipelines.merge.live_references import differing_references, unchosen
from pipelines.merge.policy import POLICY
from pipelines.merge.profile import origin_of
from pipelines.merge.record import Enrolment, Order, Record

Fate = Literal["stays", "moves", "history", "dropped", "undecided"]


@dataclass(frozen=True)
class Entry:
    """One thing on the merged record and the record that it came from (``origin_ref``).

    ``value`` may tell who the person is, ``detail`` does not. *History* and *dropped* are readable, but do not count.
    """

    field: str
    value: str
    detail: str
    origin_ref: str
    fate: Fate


@dataclass(frozen=True)
class Line:
    """One kind of linked data after the merge. ``total`` sums it up in words; ``waits_for``: a choice not yet made."""

    kind: str
    words: str
    total: str
    entries: tuple[Entry, ...]
    waits_for: str = ""


@dataclass(frozen=True)
class Preview:
    """The record that would be, one line for each kind of the policy that has anything on any record."""

    survivor_ref: str
    lines: tuple[Line, ...]


def preview(case: Case, survivor_ref: str) -> Preview:
    """The case merged into ``survivor_ref``. Raises KeyError if that is not in the case."""
    survivor = case.record(survivor_ref)
    records = (survivor, *case.others(survivor))
    lines = (_LINES[policy.kind](case, records, policy.words) for policy in POLICY if policy.kind in _LINES)
    return Preview(survivor_ref, tuple(line for line in lines if line.entries))


def say_pounds(pence: int) -> str:
    """``£1,234.50``."""
    return f"£{pence / 100:,.2f}"


def _profile(case: Case, records: tuple[Record, ...], words: str) -> Line:
    entries: list[Entry] = []
    for field in {detail.field: None for record in records for detail in record.profile}:
        origin = origin_of(field, case, records)
        for record in records:
            value = next((detail.value for detail in record.profile if detail.field == field), None)
            if value is None or any((e.field, e.value) == (field, value) for e in entries):
                continue
            fate: Fate = "history" if record is not origin else _fate(record, records)
            entries.append(Entry(field, value, "", record.client_ref, fate))
    history = sum(entry.fate == "history" for entry in entries)
    total = _counted(history, "value kept in history", "values kept in history") if history else ""
    return Line("Profile", words, total, tuple(sorted(entries, key=lambda entry: entry.fate == "history")))


def _visits(case: Case, records: tuple[Record, ...], words: str) -> Line:
    entries = tuple(
        Entry("Visits", "", say_visit_counts(r.upcoming_visits, r.past_visits), r.client_ref, _fate(r, records))
        for r in records
        if r.upcoming_visits or r.past_visits
    )
    total = say_visit_counts(sum(r.upcoming_visits for r in records), sum(r.past_visits for r in records))
    return Line("Visits", words, total, entries)


def _orders(case: Case, records: tuple[Record, ...], words: str) -> Line:
    def fate(record: Record) -> Fate:
        if record is records[0]:
            return "stays"
        return "moves" if case.choices.move_active_orders else "undecided"

    entries = [
        Entry("Purchase order", order.label, _say_order(order, records),
              record.client_ref, fate(record))
        for record in records
        for order in record.orders
    ]  # fmt: skip
    entries += [
        Entry("Past orders", "", _counted(r.past_orders, "line that has ended", "lines that have ended"), r.client_ref,
              _fate(r, records))
        for r in records
        if r.past_orders
    ]  # fmt: skip
    active = [order for record in records for order in record.active_orders]
    pence = sum(order.weekly_pence or 0 for order in active)
    total = f"{_counted(len(active), 'active line', 'active lines')}, {say_pounds(pence)} a week"
    undecided = any(entry.fate == "undecided" for entry in entries)
    return Line("Purchase orders", words, total, tuple(entries), "move_active_orders" if undecided else "")


def _contacts(case: Case, records: tuple[Record, ...], words: str) -> Line:
    def of(record: Record) -> Iterable[tuple[str, str, Entry]]:
        for contact in record.contacts:
            entry = Entry(contact.kind.capitalize(), contact.value, "", record.client_ref, _fate(record, records))
            yield contact.kind, contact.key, entry

    entries = _union(records, of)
    return Line("Contacts", words, _counted(len(entries), "contact", "contacts"), entries)


def _enrolments(case: Case, records: tuple[Record, ...], words: str) -> Line:
    on: dict[str, list[Record]] = {}
    for record in records:
        for contract in {enrolment.contract for enrolment in record.enrolments}:
            on.setdefault(contract, []).append(record)
    refs = {record.client_ref for record in records}

    def fate(record: Record, enrolment: Enrolment) -> Fate:
        if not enrolment.contract or len(on[enrolment.contract]) == 1:
            return _fate(record, records)
        side = case.choices.enrolments.get(enrolment.contract)
        if side not in refs:
            return "undecided"
        return _fate(record, records) if side == record.client_ref else "history"

    entries = tuple(
        Entry("Enrolment", "", say_enrolment(enrolment), record.client_ref, fate(record, enrolment))
        for record in records
        for enrolment in record.enrolments
    )
    undecided = any(entry.fate == "undecided" for entry in entries)
    return Line("Enrolments", words, _standing(entries), entries, "enrolments" if undecided else "")


def _aliases(case: Case, records: tuple[Record, ...], words: str) -> Line:
    chosen: dict[str | None, Fate] = {"keep": "moves", "drop": "dropped"}
    others = chosen.get(case.choices.aliases, "undecided")

    def of(record: Record) -> Iterable[tuple[str, str, Entry]]:
        for alias in sorted(record.aliases, key=lambda alias: not alias.given):
            fate: Fate = "stays" if record is records[0] else others if alias.given else "history"
            yield "", alias.key, Entry(alias.kind.replace("_", " "), alias.name, "", record.client_ref, fate)

    entries = _union(records, of)
    undecided = any(entry.fate == "undecided" for entry in entries)
    return Line("Aliases", words, _standing(entries), entries, "aliases" if undecided else "")


def _references(case: Case, records: tuple[Record, ...], words: str) -> Line:
    chosen = case.choices.references
    former = frozenset[tuple[str, str]]().union(*(one.former(chosen) for one in differing_references(records)))
    open_ones = {number for one in unchosen(records, chosen) for number in one.numbers}
    kept = {issuer for record in records for issuer, number in _live(record) if chosen.get(issuer) == number}
    seen: set[tuple[str, str, str]] = set()
    entries = []
    for record in records:
        for reference in record.references:
            kind, issuer, number = reference.kind, reference.issuer, reference.number
            if (kind, issuer, number) in seen:
                continue
            seen.add((kind, issuer, number))
            fate = _fate(record, records)
            if reference.live:
                if (issuer, number) in former or (issuer in kept and chosen[issuer] != number):
                    fate = "history"
                elif (issuer, number) in open_ones:
                    fate = "undecided"
            detail = f"{kind.replace('_', ' ')}, {'live' if reference.live else 'former'}"
            entries.append(Entry("Reference", reference.label, detail, record.client_ref, fate))
    undecided = any(entry.fate == "undecided" for entry in entries)
    total = _counted(len(entries), "reference leads here", "references lead here")
    return Line("References", words, total, tuple(entries), "references" if undecided else "")


def _live(record: Record) -> Iterable[tuple[str, str]]:
    return ((reference.issuer, reference.number) for reference in record.references if reference.live)


_LINES: dict[str, Callable[[Case, tuple[Record, ...], str], Line]] = {
    "Profile": _profile,
    "Visits": _visits,
    "Purchase orders": _orders,
    "Enrolments": _enrolments,
    "References": _references,
    "Contacts": _contacts,
    "Aliases": _aliases,
}


def _union(records: tuple[Record, ...], of: Callable[[Record], Iterable[tuple[str, str, Entry]]]) -> tuple[Entry, ...]:
    """Everything once, by kind and key: as the survivor has it, or else the first of the others."""
    union: dict[tuple[str, str], Entry] = {}
    for record in records:
        for kind, key, entry in of(record):
            union.setdefault((kind, key), entry)
    return tuple(union.values())


def _standing(entries: Iterable[Entry]) -> str:
    """How many of the entries count on the merged record, as far as that is decided."""
    stand = sum(entry.fate in {"stays", "moves"} for entry in entries)
    return _counted(stand, "stands", "stand") if stand else ""


def _fate(record: Record, records: tuple[Record, ...]) -> Fate:
    return "stays" if record is records[0] else "moves"


def say_visit_counts(upcoming: int, past: int) -> str:
    """``28 visits to come, 1,204 past``."""
    return f"{_counted(upcoming, 'visit to come', 'visits to come')}, {past:,} past"


def say_order_terms(order: Order) -> str:
    """``active, contract KENT-HC-2024, from 1 Nov 2026, £315.00 a week``."""
    worth = "" if order.weekly_pence is None else f"{say_pounds(order.weekly_pence)} a week"
    contract = f"contract {order.contract}" if order.contract else ""
    return ", ".join(filter(None, (order.standing, contract, _say_span(order), worth)))


def _say_order(order: Order, records: tuple[Record, ...]) -> str:
    """The terms, and whether a hidden order comes to light because another record is enrolled on its contract."""
    if not order.hidden:
        return say_order_terms(order)
    contracts = {enrolment.contract for record in records for enrolment in record.enrolments if enrolment.current}
    shown = "no longer hidden" if order.contract in contracts else "still hidden: on no enrolment"
    return f"{say_order_terms(order)}, {shown}"


def say_enrolment(enrolment: Enrolment) -> str:
    """``contract KENT-HC-2024, Local Authority, Band C, from 1 Nov 2026``."""
    said = (
        f"contract {enrolment.contract or 'not named'}",
        enrolment.funding,
        enrolment.care_band,
        _say_span(enrolment),
    )
    return ", ".join(filter(None, said))


def _say_span(dated: Order | Enrolment) -> str:
    """``from 1 Nov 2026 to 24 Dec 2026`` (the last day), or without an end."""
    start = f"from {_say_day(dated.start_on)}" if dated.start_on else ""
    return " ".join(filter(None, (start, f"to {_say_day(dated.end_on)}" if dated.end_on else "")))


@cache
def _say_day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
