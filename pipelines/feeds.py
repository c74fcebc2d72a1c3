"""The four feeds, and what each field of them is. A source mapping says which heading of a file carries which field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldType = Literal["text", "date", "time", "integer", "decimal"]
Kind = Literal["plain", "id", "reference", "contact", "birth", "end", "count"]
"""How a field is read, beside its type. ``id``: a key of the sender's own; ``reference``: another office's number;
``contact``: a telephone or e-mail; in these three and in a ``birth`` date a placeholder (N/A, TBC, 000) is missing.
``end``: a last day, where 31/12/9999 means none. ``count``: minutes, carers or units, never negative."""


@dataclass(frozen=True)
class Field:
    """One field of a feed. A row whose ``required`` field is missing or unreadable is rejected as a whole."""

    name: str
    type: FieldType = "text"
    required: bool = False
    kind: Kind = "plain"


@dataclass(frozen=True)
class Feed:
    """One kind of file: its fields in order, its key (rows of one key are copies or corrections of each other), and the
    field (if any) that names the delivery as a whole."""

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    reference_field: str | None = None

    @property
    def field_names(self) -> tuple[str, ...]:
        """The fields in order."""
        return tuple(field.name for field in self.fields)


def _feed(name: str, *fields: Field | str, key: tuple[str, ...], reference_field: str | None = None) -> Feed:
    return Feed(name, tuple(f if isinstance(f, Field) else Field(f) for f in fields), key, reference_field)


PURCHASE_ORDERS = _feed(
    "purchase_orders",
    "file_reference",
    Field("created", "date"),
    "authority_code",
    "provider_ref",
    Field("contract_number", kind="id"),
    Field("social_services_ref", kind="reference"),
    Field("nhs_number", kind="reference"),
    "title",
    "forename",
    "surname",
    "gender",
    Field("date_of_birth", "date", kind="birth"),
    "address_1",
    "address_2",
    "town",
    "postcode",
    Field("phone", kind="contact"),
    Field("purchase_order_number", required=True, kind="id"),
    Field("line_number", kind="id"),
    "service_type",
    Field("start_date", "date", required=True),
    Field("end_date", "date", kind="end"),
    Field("weekly_units", "decimal", kind="count"),
    "unit_of_measure",
    Field("visit_minutes", "integer", kind="count"),
    Field("carers", "integer", kind="count"),
    Field("rate", "decimal"),
    "status",
    key=("purchase_order_number", "line_number"),
    reference_field="file_reference",
)

ROSTER_CLIENTS = _feed(
    "roster_clients",
    Field("client_id", required=True, kind="id"),
    Field("social_services_ref", kind="reference"),
    Field("nhs_number", kind="reference"),
    "title",
    "forename",
    "known_as",
    "other_names",
    "surname",
    "gender",
    Field("date_of_birth", "date", kind="birth"),
    "address_1",
    "address_2",
    "town",
    "county",
    "postcode",
    Field("phone", kind="contact"),
    Field("mobile", kind="contact"),
    Field("email", kind="contact"),
    "branch",
    "area",
    Field("start_date", "date"),
    Field("end_date", "date", kind="end"),
    "status",
    key=("client_id",),
)

ROSTER_VISITS = _feed(
    "roster_visits",
    Field("visit_id", required=True, kind="id"),
    Field("client_id", required=True, kind="id"),
    Field("purchase_order_number", kind="id"),
    Field("visit_date", "date", required=True),
    Field("start_time", "time"),
    Field("planned_minutes", "integer", kind="count"),
    Field("actual_start", "time"),
    Field("actual_minutes", "integer", kind="count"),
    Field("carers", "integer", kind="count"),
    "status",
    key=("visit_id",),
)

ROSTER_ENROLMENTS = _feed(
    "roster_enrolments",
    Field("client_id", required=True, kind="id"),
    Field("contract_number", required=True, kind="id"),
    "funding_type",
    "care_band",
    Field("contribution", "decimal"),
    "key_worker",
    Field("start_date", "date"),
    Field("end_date", "date", kind="end"),
    key=("client_id", "contract_number", "start_date"),
)

FEEDS = {feed.name: feed for feed in (ROSTER_CLIENTS, PURCHASE_ORDERS, ROSTER_ENROLMENTS, ROSTER_VISITS)}
