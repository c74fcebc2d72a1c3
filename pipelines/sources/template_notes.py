"""What a sender should know of each field: what it is, how it is written, and an example. Nobody in it exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """``what`` a field is, an ``example``, and the ``words`` that its cells may hold (none: anything)."""

    what: str
    example: str = ""
    words: tuple[str, ...] = ()


_ORDER_STATUS = ("Active", "Suspended", "Ended", "Cancelled")
_CLIENT_STATUS = ("Active", "Suspended", "Ended", "Deceased")
_VISIT_STATUS = ("Planned", "Completed", "Cancelled", "Missed")

_EACH: Mapping[str, Note] = {
    "file_reference": Note(
        "Your reference for this delivery, the same in every row. A new file needs a new one.", "KENT-2026-47"
    ),
    "created": Note("The day on which you last changed this order.", "2026-11-20"),
    "authority_code": Note("The short code of your council.", "KENT"),
    "provider_ref": Note("Your reference for the care provider.", "PR0071"),
    "contract_number": Note("The contract under which the care is given.", "C-2026-17"),
    "social_services_ref": Note(
        "The person's number at the council. Leave it empty if you do not know it; never write N/A or 0.", "00345678"
    ),
    "nhs_number": Note("Ten digits, with or without spaces.", "943 476 5919"),
    "title": Note("Mr, Mrs, Ms and so on.", "Mrs"),
    "forename": Note("All forenames, without title, nickname or notes.", "Margaret Ann"),
    "known_as": Note("What the person likes to be called, if it differs.", "Peggy"),
    "other_names": Note("Former surnames, separated by a comma.", "Walker"),
    "surname": Note("The surname alone, without title or notes.", "O'Sullivan"),
    "gender": Note("Female, Male, Other or Unknown.", "Female", ("Female", "Male", "Other", "Unknown")),
    "date_of_birth": Note("With a year of four digits. Leave it empty if you do not know it.", "1938-04-03"),
    "address_1": Note("House and street.", "14 Brewery Lane"),
    "address_2": Note("Flat, building or locality.", "Flat 2"),
    "town": Note("The town.", "Maidstone"),
    "county": Note("The county.", "Kent"),
    "postcode": Note("The whole postcode.", "ME14 1AB"),
    "phone": Note("One telephone number of the person. It starts with 0 or +44.", "01622 555123"),
    "mobile": Note("One mobile number of the person.", "07700 900123"),
    "email": Note("One e-mail address of the person.", "margaret@example.org"),
    "branch": Note("The branch that gives the care.", "Maidstone"),
    "area": Note("The area or round.", "North"),
    "client_id": Note("The number of the client in your system. It is never given to another person.", "1001"),
    "purchase_order_number": Note("The number of the order. It is never given to another person.", "4500011"),
    "line_number": Note("The line of the order, 1 if it has one line only.", "1"),
    "service_type": Note("The kind of care.", "Home care"),
    "start_date": Note("The first day.", "2026-11-02"),
    "end_date": Note("The last day. Leave it empty if there is no end.", "2027-03-31"),
    "weekly_units": Note("How many units a week, as a number with a point.", "7.5"),
    "unit_of_measure": Note("What a unit is.", "Hours", ("Hours", "Visits", "Days", "Nights", "Weeks")),
    "visit_minutes": Note("How long a visit is, in minutes.", "30"),
    "carers": Note("How many care workers come to a visit.", "1"),
    "rate": Note("What one unit costs, in pounds without the sign.", "21.40"),
    "visit_id": Note("The number of the visit in your system, another one for each visit.", "V90001"),
    "visit_date": Note("The day of the visit.", "2026-11-16"),
    "start_time": Note("When the visit is planned to start, by the clock of 24 hours.", "08:30"),
    "planned_minutes": Note("How long it is planned to be, in minutes.", "30"),
    "actual_start": Note("When the visit did start.", "08:34"),
    "actual_minutes": Note("How long it was, in minutes.", "28"),
    "funding_type": Note("Who pays.", "Council"),
    "care_band": Note("The band of care.", "B"),
    "contribution": Note("What the client pays a week, in pounds without the sign.", "45.00"),
    "key_worker": Note("The person's key worker.", "Jo Brown"),
}  # fmt: skip
_STATUS: Mapping[str, Note] = {
    "purchase_orders": Note("The state of the order.", "Active", _ORDER_STATUS),
    "roster_clients": Note("The state of the client.", "Active", _CLIENT_STATUS),
    "roster_visits": Note("The state of the visit.", "Planned", _VISIT_STATUS),
}


def note_of(feed: str, field: str) -> Note:
    """What a sender should know of a field of a feed."""
    return _STATUS[feed] if field == "status" else _EACH[field]
