"""What hangs on a client record: all that a merge has to place, and all by which a survivor is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

COUNCIL_REFERENCE = "social_services_reference"
ROSTER_ID = "roster_client_id"
NHS_NUMBER = "nhs_number"


@dataclass(frozen=True, kw_only=True)
class Order:
    """A line of a purchase order that runs (*active*) or is still to begin (*future*). ``end_on`` is its last day.

    ``weekly_pence`` is its rate times its weekly units, None without either. A *hidden* order runs though its record
    is enrolled on no contract of it: nobody plans visits by it, and nobody is paid.
    """

    council: str
    number: str
    line: str
    contract: str
    service: str
    start_on: date
    end_on: date | None = None
    status: str = ""
    weekly_pence: int | None = None
    standing: Literal["active", "future"] = "active"
    hidden: bool = False

    @property
    def label(self) -> str:
        """``KENT PO-88231/1``."""
        return f"{self.council} {self.number}/{self.line}"


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """A client of a rostering system on a contract. ``end_on`` is its last day; ``current``: it has not passed."""

    issuer: str
    contract: str
    funding: str = ""
    care_band: str = ""
    start_on: date | None = None
    end_on: date | None = None
    current: bool = True


@dataclass(frozen=True, kw_only=True)
class Contact:
    """An address, phone number or e-mail. Two with one ``key`` are the same, however they were written."""

    kind: str
    value: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Alias:
    """A name beside the profile's: known as, another name, or (*name_sent*) the name as one source row spelt it.

    The first two were *given* by somebody, so somebody has to say whether they go on; the last stays with its row.
    """

    kind: str
    name: str
    key: str

    @property
    def given(self) -> bool:
        """Whether it was meant as another name."""
        return self.kind != "name_sent"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A number that a record goes by within its issuer. *Live*: an open order or a client on the books bears it.

    ``core``: a council's reference without what offices add or lose (prefix, suffix, outer zeros); empty for others.
    Two references of one core are one, written in two ways.
    """

    kind: str
    issuer: str
    number: str
    live: bool = True
    core: str = ""

    @property
    def label(self) -> str:
        """``KENT 00123456``; the number alone where nobody knows who issued it."""
        return f"{self.issuer.upper()} {self.number}" if self.issuer else self.number


@dataclass(frozen=True, kw_only=True)
class Detail:
    """A field of the profile, as it is shown. ``from_ref`` is the record that said so, where that is known."""

    field: str
    value: str
    from_ref: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One client record. ``profile`` holds the fields that are filled; ``orders`` those that run or are to begin.

    ``past_orders`` counts the other lines, cancelled ones included. ``deceased`` and ``restricted`` are what a source
    says in words, in the record's status or name; no feed has a field of its own for either.
    """

    client_id: int
    client_ref: str
    profile: tuple[Detail, ...] = ()
    status: str = ""
    deceased: bool = False
    restricted: bool = False
    upcoming_visits: int = 0
    past_visits: int = 0
    first_visit_on: date | None = None
    last_visit_on: date | None = None
    orders: tuple[Order, ...] = ()
    past_orders: int = 0
    enrolments: tuple[Enrolment, ...] = ()
    contacts: tuple[Contact, ...] = ()
    aliases: tuple[Alias, ...] = ()
    references: tuple[Reference, ...] = ()

    @property
    def active_orders(self) -> tuple[Order, ...]:
        """The order lines that run today."""
        return tuple(order for order in self.orders if order.standing == "active")

    @property
    def weekly_pence(self) -> int:
        """What the active orders are worth in a week, as far as they say."""
        return sum(order.weekly_pence or 0 for order in self.active_orders)

    def live_references(self, kind: str) -> tuple[Reference, ...]:
        """The live references of one kind."""
        return tuple(reference for reference in self.references if reference.kind == kind and reference.live)

    def numbers(self, kind: str) -> frozenset[str]:
        """All numbers of one kind, live or not."""
        return frozenset(reference.number for reference in self.references if reference.kind == kind)
