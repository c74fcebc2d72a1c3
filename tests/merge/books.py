"""Two made-up records of one person: Ann Archer on a rostering system's books, and as a council's orders know her."""

from __future__ import annotations

from datetime import date
from typing import Any

from pipelines.decisions.statement import NO_CHOICES, Choices
from pipelines.merge.case import Case
from pipelines.merge.record import Alias, Contact, Detail, Enrolment, Order, Record, Reference

ROSTER = "careplan/C1"
COUNCIL = "KENT/reference/123456"


def order(number: str = "PO1", **said: Any) -> Order:
    terms = {"council": "KENT", "line": "1", "contract": "HC-24", "service": "Care", "start_on": date(2026, 11, 1)}
    return Order(number=number, **(terms | {"weekly_pence": 31_500} | said))


def enrolment(contract: str = "HC-24", **said: Any) -> Enrolment:
    return Enrolment(issuer="careplan", contract=contract, **said)


def alias(name: str, kind: str = "known_as") -> Alias:
    return Alias(kind=kind, name=name, key=name.upper())


def phone(value: str, key: str) -> Contact:
    return Contact(kind="phone", value=value, key=key)


def council_reference(number: str, **said: Any) -> Reference:
    return Reference(**({"kind": "social_services_reference", "issuer": "KENT", "number": number} | said))


def roster_id(number: str, **said: Any) -> Reference:
    return Reference(**({"kind": "roster_client_id", "issuer": "careplan", "number": number} | said))


def nhs(number: str) -> Reference:
    return Reference(kind="nhs_number", issuer="nhs", number=number)


def named(forename: str, surname: str = "Archer") -> tuple[Detail, ...]:
    return Detail(field="Forename", value=forename), Detail(field="Surname", value=surname)


def roster(**said: Any) -> Record:
    """The rostering system's record, the older one."""
    return Record(**({"client_id": 1, "client_ref": ROSTER} | said))


def council(**said: Any) -> Record:
    """The record that the council's orders made."""
    return Record(**({"client_id": 2, "client_ref": COUNCIL} | said))


def case(*records: Record, choices: Choices = NO_CHOICES) -> Case:
    return Case(records, choices)
