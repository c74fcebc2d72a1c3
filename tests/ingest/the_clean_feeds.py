"""Four small clean feeds, made up: twelve clients of one rostering system, their council's orders, enrolments, visits.

Nobody in them exists. They hold what readers stumble over: accents, double names, leading zeros, births before May
1927, open ends, thousands, credits. Every date column has a day after the 12th in it, so that a writer who puts months
first can be proved to. Every row has a number in it that stands in no other row of its feed (`NUMBER_OF_ROW`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from stdnum.gb import nhs

from pipelines.feeds import FEEDS

Cell = str | date | time | int | Decimal | None
Row = Mapping[str, Cell]
OPEN_END = date(9999, 12, 31)

NUMBER_OF_ROW = {
    "roster_clients": "client_id",
    "purchase_orders": "purchase_order_number",
    "roster_visits": "visit_id",
    "roster_enrolments": "contract_number",
}
FILES = {
    "roster_clients": "careplan_roster_clients_20261120",
    "purchase_orders": "essex_purchase_orders_20261120",
    "roster_visits": "careplan_roster_visits_20261120",
    "roster_enrolments": "careplan_roster_enrolments_20261120",
}
IDS = ("client_id", "social_services_ref", "nhs_number", "purchase_order_number", "visit_id", "contract_number")
NAMES = ("forename", "surname", "known_as", "address_1", "key_worker")


@dataclass(frozen=True)
class _Person:
    title: str
    forename: str
    surname: str
    gender: str
    born: date
    home: tuple[str, str, str, str]
    known_as: str = ""


_MILL = ("14 Mill Road", "Lexden", "Colchester", "CO3 9AB")
_PEOPLE = (
    _Person(
        "Mrs", "Zoë", "O'Sullivan", "F", date(1938, 4, 3), ("Flat 2, 7 Château Close", "", "Colchester", "CO4 3SQ")
    ),
    _Person("Mr", "René", "Müller-Jones", "M", date(1931, 3, 12), ("3 The Street", "Boxted", "Colchester", "CO4 5TA")),
    _Person(
        "Mrs", "Mary Ann", "Smith", "F", date(1921, 3, 14), ("The Old Forge", "Church Lane", "Halstead", "CO9 2AA")
    ),
    _Person("Mr", "José", "Núñez", "M", date(1941, 12, 25), ("25 Crouch Street", "", "Colchester", "CO3 3HB")),
    _Person(
        "Miss", "Siân", "Lloyd", "F", date(1944, 9, 30), ("9 Heath Rise", "", "Clacton-on-Sea", "CO15 1QT"), "Sian"
    ),
    _Person("Mrs", "Anne-Marie", "de la Cour", "F", date(1929, 2, 28), ("1 Quay Street", "", "Wivenhoe", "CO7 9DD")),
    _Person("Mr", "Björn", "Håkansson", "M", date(1950, 7, 19), ("88 Harwich Road", "", "Colchester", "CO4 3DB")),
    _Person(
        "Mme", "Françoise", "Dupré", "F", date(1947, 11, 5), ("5 Balkerne Hill", "", "Colchester", "CO3 3AA"), "Fran"
    ),
    _Person("Mr", "Arthur", "Bell", "M", date(1936, 5, 17), _MILL),
    _Person("Mrs", "Joan", "Bell", "F", date(1939, 1, 11), _MILL),
    _Person("Mr", "Seán", "Ó Briain", "M", date(1962, 8, 8), ("40 Priory Street", "", "Colchester", "CO1 2QB")),
    _Person("Ms", "Eve", "Archer", "F", date(1978, 10, 21), ("6 Mersea Road", "", "Colchester", "CO2 7ET")),
)


def clean_feeds() -> dict[str, list[dict[str, Cell]]]:
    """The rows of each feed by field, in the order in which they are written; a row has every field of its feed."""
    rows: dict[str, list[dict[str, Cell]]] = {
        "roster_clients": [_client(n, person) for n, person in enumerate(_PEOPLE)],
        "purchase_orders": [_order(n, _PEOPLE[n]) for n in (0, 1, 2, 3, 5, 6, 8, 9, 11)],
        "roster_visits": [_visit(n) for n in range(12)],
        "roster_enrolments": [_enrolment(n) for n in range(9)],
    }
    return {
        feed: [{field: row.get(field) or None for field in FEEDS[feed].field_names} for row in rows[feed]]
        for feed in rows
    }


def types_of(feed: str) -> dict[str, str]:
    """The type of each field of a feed."""
    return {field.name: field.type for field in FEEDS[feed].fields}


def number_of(row: Row, feed: str) -> str:
    """The five digits that stand in this row of its feed alone."""
    return str(row[NUMBER_OF_ROW[feed]])[-5:]


def _reference(n: int) -> str:
    return f"00{123401 + 37 * n}"


def _nhs(n: int) -> str:
    """A valid NHS number that nobody has been given here before."""
    first = 4010232100 + 20_011 * n
    return next(str(number) for number in range(first, first + 100) if nhs.is_valid(str(number)))


def _home(person: _Person) -> dict[str, Cell]:
    return dict(zip(("address_1", "address_2", "town", "postcode"), person.home, strict=True))


def _named(person: _Person) -> dict[str, Cell]:
    return {"title": person.title, "forename": person.forename, "surname": person.surname, "gender": person.gender}


def _client(n: int, person: _Person) -> dict[str, Cell]:
    return {
        "client_id": f"{71001 + n}",
        "social_services_ref": _reference(n),
        "nhs_number": _nhs(n),
        **_named(person),
        "known_as": person.known_as,
        "date_of_birth": person.born,
        **_home(person),
        "county": "Essex",
        "phone": f"01206 555{101 + n}",
        "mobile": f"07700 900{201 + n}" if n % 3 == 0 else "",
        "email": f"client{n}@example.org" if n % 4 == 0 else "",
        "branch": "Colchester",
        "area": "North" if n % 2 else "South",
        "start_date": date(2019 + n % 7, 1 + n, 3 + 2 * n),
        "end_date": OPEN_END if n % 5 == 1 else date(2026, 12, 14 + n) if n % 5 == 2 else None,
        "status": "Active",
    }


def _order(n: int, person: _Person) -> dict[str, Cell]:
    return {
        "file_reference": "ESSEX-20261120-0001",
        "created": date(2026, 11, 20),
        "authority_code": "ESSEX",
        "provider_ref": "PRV-0041",
        "contract_number": "EX-HC-2024",
        "social_services_ref": _reference(n),
        "nhs_number": _nhs(n),
        **_named(person),
        "date_of_birth": person.born,
        **_home(person),
        "phone": f"01206 555{101 + n}",
        "purchase_order_number": f"45000{81001 + n}",
        "line_number": "1" if n % 3 else "2",
        "service_type": "Personal Care",
        "start_date": date(2026, 1 + n % 11, 8 + n),
        "end_date": OPEN_END if n % 4 == 0 else date(2027, 3, 13 + n) if n % 4 == 1 else None,
        "weekly_units": (Decimal("10.5"), Decimal("3.25"), Decimal("7"))[n % 3],
        "unit_of_measure": ("Hours", "Visits", "Weeks")[n % 3],
        "visit_minutes": (30, 45, 1440)[n % 3],
        "carers": 1 + n % 2,
        "rate": (Decimal("21.4"), Decimal("1234.5"), Decimal("18.65"))[n % 3],
        "status": "Active",
    }


def _visit(n: int) -> dict[str, Cell]:
    return {
        "visit_id": f"V{91001 + n}",
        "client_id": f"{71001 + n % 10}",
        "purchase_order_number": f"45000{81001 + n}" if n < 4 else "",
        "visit_date": date(2026, 11, 9 + n),
        "start_time": time(6 + n, (0, 30, 45, 20)[n % 4]) if n < 10 else time(9 + n, 30),
        "planned_minutes": (30, 45, 1440)[n % 3],
        "actual_start": time(6 + n, 7) if n < 11 else None,
        "actual_minutes": 28 + n if n < 11 else None,
        "carers": 1 + n % 2,
        "status": "Completed" if n < 11 else "Planned",
    }


def _enrolment(n: int) -> dict[str, Cell]:
    return {
        "client_id": f"{71001 + n}",
        "contract_number": f"EX-{61001 + n}",
        "funding_type": "Local Authority",
        "care_band": ("Band A", "Band B")[n % 2],
        "contribution": (Decimal("57.5"), Decimal("1057.25"), Decimal("-12.5"))[n % 3],
        "key_worker": "Nell Ashdown" if n % 2 else "Priya Marlöwe",
        "start_date": date(2025, 2 + n, 10 + n),
        "end_date": OPEN_END if n == 4 else date(2027, 1, 20 + n) if n % 3 == 0 else None,
    }
