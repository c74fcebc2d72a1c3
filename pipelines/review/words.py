"""How a report is put into words, whatever it is written as."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pipelines.merge.preview import say_order_terms, say_visit_counts
from pipelines.merge.record import Alias, Contact, Detail, Order, Record, Reference
from pipelines.publishing.pages import say_day
from pipelines.review.contents import Candidate, SourceRow
from pipelines.review.numbered import REFERENCE

MADE_HOW = {
    "new_reference": "a council reference that nobody had",
    "missing_reference": "no council reference was given",
    "reference_of_someone_else": "its council reference belongs to someone else",
    "id_of_someone_else": "its rostering id belongs to someone else",
    "id_only": "a visit or an enrolment names a rostering id that no client export has sent yet",
}
NOT_PROPOSED = "not proposed by matching"
MARKS = {"same": "=", "close": "≈", "different": "≠", "missing": "?"}
BONDS = {"agree": "=", "unsure": "≈", "contradict": "≠", "not proposed": "·"}
FILE_MARKS = {"loaded": "✓", "repeated": "↻", "quarantined": "✕"}
FATES = {"stays": "=", "moves": "→", "history": "↶", "dropped": "✕", "undecided": "?"}
FATE_WORDS = {
    "stays": "stays",
    "moves": "moves here",
    "history": "kept in history",
    "dropped": "dropped",
    "undecided": "to be decided",
}
CHOICES = {
    "move_active_orders": "move the active orders",
    "references": "the reference to keep",
    "enrolments": "whose enrolments stand",
    "aliases": "keep or drop the other names",
}


def how_made(made_how: str) -> str:
    """Why a client record was made new, in words."""
    return MADE_HOW.get(made_how, made_how.replace("_", " "))


def say_bits(weight: float) -> str:
    """A weight with its sign: ``+3.2``, ``−4.1``."""
    if not math.isfinite(weight):
        return "unknown" if math.isnan(weight) else f"{'+' if weight > 0 else '−'}∞"
    rounded = f"{weight:+.1f}"
    return "0.0" if rounded in {"+0.0", "-0.0"} else rounded.replace("-", "−")


def say_probability(probability: float) -> str:
    """A probability that never rounds to certainty."""
    if math.isnan(probability):
        return "unknown"
    if probability > 0.999:
        return "over 99.9%"
    return "under 0.1%" if probability < 0.001 else f"{probability:.1%}"


def in_order(counts: dict[str, int], order: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Counts in the given order, then any other by name."""
    for name in (*order, *sorted(counts.keys() - set(order))):
        if name in counts:
            yield name, counts[name]


def say_because(candidate: Candidate) -> str:
    """What a household tie is concluded from: "same home, different forename, different birth date"."""
    agreements = {comparison.field: comparison.agreement for comparison in candidate.comparisons}
    said = (
        f"{_LIKENESS[agreements[field]]} {name}" for field, name in _TIES.items() if agreements.get(field) in _LIKENESS
    )
    return ", ".join(said)


def say_against(candidate: Candidate) -> str:
    """What weighs against a household tie: that the two bear one reference, or the same but for how it is written."""
    words = next((one.words for one in candidate.comparisons if one.field == REFERENCE), "")
    if not candidate.relation or not words.startswith("the same reference"):
        return ""
    return f"they have {words}, and two people should have a reference each"


def say_visits(record: Record) -> str:
    """``28 visits to come, 1,204 past (2 March 2026 to 4 December 2026)``."""
    if not record.upcoming_visits and not record.past_visits:
        return "none"
    said = say_visit_counts(record.upcoming_visits, record.past_visits)
    if record.first_visit_on and record.last_visit_on:
        said += f" ({say_day(record.first_visit_on)} to {say_day(record.last_visit_on)})"
    return said


def say_order(order: Order) -> str:
    """A line of a purchase order with its terms."""
    hidden = "; hidden: on no enrolment of this record" if order.hidden else ""
    return f"{order.label}, {say_order_terms(order)}{hidden}"


def say_reference(reference: Reference) -> str:
    """``KENT 00345678``, and whether it is a former one."""
    return reference.label if reference.live else f"{reference.label} (former)"


def say_contact(contact: Contact) -> str:
    """``phone 01622 555123``."""
    return f"{contact.kind} {contact.value}"


def say_alias(alias: Alias) -> str:
    """``known as Peggy``."""
    return f"{alias.kind.replace('_', ' ')} {alias.name}"


def say_detail(detail: Detail) -> str:
    """``Forename: Margaret``."""
    return f"{detail.field}: {detail.value}"


def say_source_row(row: SourceRow) -> str:
    """``row 14 of kent_purchase_orders_2026-11-20.csv``, and how it was linked if it joined the record."""
    where = f"row {row.row_number} of {row.file_name}" if row.row_number else row.file_name or "no file"
    return f"{where}, joined by its exact reference" if row.how_linked == "exact_reference" else where


_LIKENESS = {"same": "same", "close": "nearly the same", "different": "different"}
_TIES = {"Home": "home", "Surname": "surname", "Forename": "forename", "Born": "birth date", "Gender": "gender"}


def told_of_file(facts: dict[str, Any]) -> Iterator[str]:
    """What ``oneclient check`` says of a file, in short sentences: no reference and no other cell."""
    if not facts:
        return
    surge, missing = facts["surge"], facts["missing"]
    usual = f", at most {surge['limit']:,} are usual" if surge["limit"] is not None else ""
    if surge["new"]:
        yield f"{surge['new']:,} of {surge['named']:,} people it names were not known{usual}."
    if near := facts["near"]:
        shown = ", ".join(f"{row:,}" for row in near[:10])
        more = ", …" if len(near) > 10 else ""
        yield f"Near an existing reference or id: {len(near):,} of them (rows {shown}{more})."
    if missing["active"]:
        yield f"{missing['missing']:,} of {missing['active']:,} active records are not in this full export."
    for name, said in (
        ("headings_new", "New headings"),
        ("headings_gone", "Headings of the last file that are gone"),
        ("emptied", "Columns that are empty and were filled before"),
    ):
        if facts[name]:
            yield f"{said}: {', '.join(facts[name])}."
    for column, said in facts["read_as"].items():
        yield f"{column} read as {said}."
    yield from facts["notes"]
