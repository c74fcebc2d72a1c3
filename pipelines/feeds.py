"""The four feeds, and what each field of them is. A source mapping says which heading of a file carries which field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldType = Literal["text", "date", "time", "integer", "decimal"]


@dataclass(frozen=True)
class Field:
    """One field of a feed. A row whose ``required`` field is missing or unreadable is rejected as a whole."""

    name: str
    type: FieldType = "text"
    required: bool = False


@dataclass(frozen=True)
class Feed:
    """One kind of file: its fields in order, and the field (if any) that names the delivery as a whole."""

    name: str
    fields: tuple[Field, ...]
    reference_field: str | None = None

    @property
    def field_names(self) -> tuple[str, ...]:
        """The fields in order."""
        return tuple(field.name for field in self.fields)


def _feed(name: str, *fields: Field | str, reference_field: str | None = None) -> Feed:
    return Feed(name, tuple(f if isinstance(f, Field) else Field(f) for f in fields), reference_field)


PURCHASE_ORDERS = _feed(
    "purchase_orders",
    "file_reference",
    Field("created", "date"),
    "authority_code",
    "provider_ref",
    "contract_number",
    "social_services_ref",
    "nhs_number",
    "title",
    "forename",
    "surname",
    "gender",
    Field("date_of_birth", "date"),
    "address_1",
    "address_2",
    "town",
    "postcode",
    "phone",
    Field("purchase_order_number", required=True),
    "line_number",
    "service_type",
    Field("start_date", "date", required=True),
    Field("end_date", "date"),
    Field("weekly_units", "decimal"),
    "unit_of_measure",
    Field("visit_minutes", "integer"),
    Field("carers", "integer"),
    Field("rate", "decimal"),
    "status",
    reference_field="file_reference",
)

ROSTER_CLIENTS = _feed(
    "roster_clients",
    Field("client_id", required=True),
    "social_services_ref",
    "nhs_number",
    "title",
    "forename",
    "known_as",
    "other_names",
    "surname",
    "gender",
    Field("date_of_birth", "date"),
    "address_1",
    "address_2",
    "town",
    "county",
    "postcode",
    "phone",
    "mobile",
    "email",
    "branch",
    "area",
    Field("start_date", "date"),
    Field("end_date", "date"),
    "status",
)

ROSTER_VISITS = _feed(
    "roster_visits",
    Field("visit_id", required=True),
    Field("client_id", required=True),
    "purchase_order_number",
    Field("visit_date", "date", required=True),
    Field("start_time", "time"),
    Field("planned_minutes", "integer"),
    Field("actual_start", "time"),
    Field("actual_minutes", "integer"),
    Field("carers", "integer"),
    "status",
)

ROSTER_ENROLMENTS = _feed(
    "roster_enrolments",
    Field("client_id", required=True),
    Field("contract_number", required=True),
    "funding_type",
    "care_band",
    Field("contribution", "decimal"),
    "key_worker",
    Field("start_date", "date"),
    Field("end_date", "date"),
)

FEEDS = {feed.name: feed for feed in (ROSTER_CLIENTS, PURCHASE_ORDERS, ROSTER_ENROLMENTS, ROSTER_VISITS)}
