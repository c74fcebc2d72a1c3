"""Eleven layouts that no built-in mapping reads, and two files of no feed. Nobody in them exists.

They are modelled on the kinds of export that care-finance, case-management, rostering and call-monitoring systems give.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import xlsxwriter
from stdnum.gb import nhs

Cell = str | int | float | datetime


@dataclass(frozen=True)
class Person:
    """One made-up person, as every layout writes parts of them."""

    number: int
    title: str
    forename: str
    known_as: str
    surname: str
    gender: str
    born: date
    lines: tuple[str, ...]
    town: str
    postcode: str
    landline: str
    mobile: str
    nhs_number: str
    starts: date


@dataclass(frozen=True)
class Layout:
    """A file as one system exports it; `issuer` is what an operator says of it."""

    file_name: str
    issuer: str
    people: Sequence[Person]
    write: Callable[[Sequence[Person]], bytes]

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        return self.write(self.people)


_WOMEN = (
    "Mary",
    "Doreen",
    "Sheila",
    "Zoë",
    "Agnieszka",
    "Parminder",
    "Ann-Marie",
    "Mary Ann",
    "Olive",
    "Siân",
    "Ngozi",
)
_MEN = ("John", "Arthur", "Terence", "José", "Mohammed", "Björn", "Harold", "Gwilym", "Ravi", "Seán", "Kwame")
_SURNAMES = (
    "Smith", "O'Sullivan", "Jones-Smith", "Patel", "Müller", "Archer", "de la Cruz", "Okonkwo", "MacDonald", "Bell",
    "Khan",
    "Wojcik-Green", "Thornbury", "Nuttall", "Åkesson", "Hargreaves", "St John", "Fenwick", "Ali",
    "Yeo",
)  # fmt: skip
_SHORT = {"John": "Jack", "Mary": "Molly", "Terence": "Terry", "Harold": "Harry", "Agnieszka": "Aggie"}
_STREETS = ("Mill Road", "Church Lane", "High Street", "Station Approach", "The Green", "Orchard Close", "Victoria Rd")
_HOUSES = ("", "", "", "Flat 2", "Rose Cottage", "Flat 11, Yew Court")
_TOWNS = (
    ("Maidstone", "ME14 {}"),
    ("Canterbury", "CT1 {}"),
    ("Norwich", "NR2 {}"),
    ("Leeds", "LS11 {}"),
    ("Halifax", "HX1 {}"),
)


def people(seed: int, count: int) -> tuple[Person, ...]:
    """Made-up people, the same for the same arguments."""
    chance = random.Random(seed)  # noqa: S311 - made-up people, the same on every run
    made = []
    for n in range(count):
        woman = chance.random() < 0.6
        forename = chance.choice(_WOMEN if woman else _MEN)
        town, postcode = chance.choice(_TOWNS)
        house, street = chance.choice(_HOUSES), f"{chance.randint(1, 99)} {chance.choice(_STREETS)}"
        first = 4010000000 + 1000 * (97 * seed + n)
        made.append(
            Person(
                number=1000 + 7 * n + seed,
                title=chance.choice(("Mrs", "Miss", "Ms") if woman else ("Mr", "Mr", "Dr")),
                forename=forename,
                known_as=_SHORT.get(forename, ""),
                surname=_SURNAMES[(n * 7 + seed) % len(_SURNAMES)],
                gender="F" if woman else "M",
                born=date(1926, 1, 1) + timedelta(days=chance.randint(0, 40 * 365)),
                lines=(house, street) if house else (street,),
                town=town,
                postcode=postcode.format(f"{n % 9 + 1}{chance.choice('ABDEFGHJLN')}{chance.choice('PQRSTUWXYZ')}"),
                landline=f"01622 555{n + 100}",
                mobile=f"07700 900{n + 100}" if n % 3 else "",
                nhs_number=next(str(each) for each in range(first, first + 100) if nhs.is_valid(str(each))),
                starts=date(2026, 1, 5) + timedelta(days=chance.randint(0, 300)),
            )
        )
    return tuple(made)


def csv_bytes(rows: Iterable[Sequence[object]], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """Rows as a text file."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(encoding)


def xlsx_bytes(rows: Iterable[Sequence[Cell]], sheet: str, form: str = "dd/mm/yyyy") -> bytes:
    """Rows as a workbook of one sheet; a datetime is a date cell of this form."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page, day = book.add_worksheet(sheet), book.add_format({"num_format": form})
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, datetime):
                page.write_datetime(at, column, cell, day)
            elif cell != "":
                page.write(at, column, cell)
    book.close()
    return out.getvalue()


def moment(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """A day with a time."""
    return datetime(day.year, day.month, day.day, hour, minute)


def surname_first(person: Person) -> str:
    """``SMITH, John (Jack)``."""
    return f"{person.surname.upper()}, {person.forename}" + (f" ({person.known_as})" if person.known_as else "")


def _mosaic_orders(people: Sequence[Person]) -> bytes:
    rows: list[Sequence[Cell]] = [
        ["Adult Social Care: commissioned home care"],
        ["Run date", moment(date(2026, 11, 20))],
        [],
        ["Mosaic ID", "Adult Name", "Date of Birth", "Primary Address", "NHS No.", "PO Number", "Element",
         "Service Commenced",
         "Service Ceased", "Commissioned Hours", "Unit Cost", "Worker"],
    ]  # fmt: skip
    rows += [
        [700000 + p.number, surname_first(p), moment(p.born), "\n".join((*p.lines, p.town, p.postcode)), p.nhs_number,
         f"PO{p.number:06d}", "Home care", moment(p.starts), "", 3.5 + p.number % 4, 21.4, "Dilys Marlowe"]
        for p in people
    ]  # fmt: skip
    return xlsx_bytes([*rows, [f"Total: {len(people)}"]], "Commissioned")


def _liquidlogic_orders(people: Sequence[Person]) -> bytes:
    rows: list[Sequence[object]] = [
        ["LA Reference", "Service User", "DOB", "Address", "Contact Numbers", "Purchase Order", "Line", "Period From",
         "Period To", "Unit Type", "Units", "No. Carers", "Unit Price", "Package Status"],
    ]  # fmt: skip
    rows += [
        [f"LL{p.number:06d}", f"{p.title} {p.forename} {p.surname}", f"{p.born:%d/%m/%y}",
         ", ".join((*p.lines, p.town, p.postcode)), " / ".join(filter(None, (p.landline, p.mobile))),
         88000 + p.number, 1,
         f"{p.starts:%d/%m/%y}", "31/03/27" if p.number % 2 else "", "Hrs" if p.number % 3 else "Visits", "7.00",
         1 + p.number % 2, "£19.85", ("Live", "On Hold", "Ceased")[p.number % 3]]
        for p in people
    ]  # fmt: skip
    return csv_bytes([*rows, ["End of report"]], ";", "cp1252")


def _month_first_orders(people: Sequence[Person]) -> bytes:
    rows: list[Sequence[object]] = [
        ["Order No.", "Item", "SSR", "First Name", "Last Name", "Birth Date", "Sex", "Addr Line 1", "Addr Line 2",
         "City",
         "Post Code", "Svc Start", "Svc End", "Wkly Hrs", "Hourly Rate", "Order Status"],
    ]  # fmt: skip
    rows += [
        [f"A-{p.number}", 1, f"{p.number:07d}", p.forename, p.surname, f"{p.born:%m/%d/%Y}", p.gender, p.lines[0],
         p.lines[1] if len(p.lines) > 1 else "", p.town, p.postcode, f"{p.starts:%m/%d/%Y}", "", "10.5", "22.10",
         "Open"]
        for p in people
    ]  # fmt: skip
    return csv_bytes(rows)


def _careplan_orders(people: Sequence[Person]) -> bytes:
    rows: list[Sequence[object]] = [
        ["County care: weekly agreements"],
        ["Person ID", "Person Name", "D.O.B.", "Postal Address", "Post Code", "Agreement ID", "Agreement Start",
         "Agreement End", "Hours per week", "Cost per unit"],
    ]  # fmt: skip
    rows += [
        [p.number, f"{p.surname}, {p.title} {p.forename}", f"{p.born} 00:00:00", ", ".join((*p.lines, p.town)),
         p.postcode,
         f"AG/{p.number}", f"{p.starts} 00:00:00", "9999-12-31 00:00:00" if p.number % 4 else "", "14", "20.55"]
        for p in people
    ]  # fmt: skip
    return csv_bytes(rows, "\t")


def _roster_one_cell(people: Sequence[Person]) -> bytes:
    rows: list[Sequence[object]] = [
        ["Svc User Ref", "Client Name", "Known As", "Born", "Home Address", "Tel 1", "Tel 2", "Council Ref",
         "Care Status",
         "Start of Care"],
    ]  # fmt: skip
    rows += [
        [f"SU{p.number}", f"{p.forename} {p.surname}", p.known_as, f"{p.born:%d %b %Y}",
         "\n".join((*p.lines, p.town, p.postcode)), p.landline, p.mobile, f"{p.number * 3:06d}",
         ("Active", "On Hold", "Left")[p.number % 3], f"{p.starts:%d %b %Y}"]
        for p in people
    ]  # fmt: skip
    return csv_bytes(rows, ",", "utf-8-sig")


def _customers(people: Sequence[Person]) -> bytes:
    rows: list[Sequence[object]] = [
        ["Customer No", "Customer", "Gender", "Date Of Birth", "Address", "Phone", "NHS Number", "Next of Kin"],
    ]
    rows += [
        [p.number, f"{p.surname.upper()} {p.forename}", "Female" if p.gender == "F" else "Male", f"{p.born:%d.%m.%Y}",
         ", ".join((*p.lines, p.town, p.postcode.lower())), p.landline, f"{p.nhs_number[:3]} {p.nhs_number[3:6]} "
         f"{p.nhs_number[6:]}", "Brenda Fenwick 01622 999111"]
        for p in people
    ]  # fmt: skip
    return csv_bytes([*rows, [f"Total customers: {len(people)}"]], "|", "utf-16")


def _care_register(people: Sequence[Person]) -> bytes:
    rows: list[Sequence[Cell]] = [
        ["Service User Number", "Title", "First name", "Last name", "Also known as", "DoB", "House/Street", "Locality",
         "Post Town", "Postcode", "Main telephone", "Mobile telephone", "Key safe", "GP Surgery"],
    ]  # fmt: skip
    rows += [
        [p.number, p.title, p.forename, p.surname, p.known_as, moment(p.born), p.lines[-1],
         p.lines[0] if p.lines[1:] else "",
         p.town, p.postcode, p.landline, p.mobile, "C4711X", "The Surgery"]
        for p in people
    ]  # fmt: skip
    return xlsx_bytes(rows, "Register")


def _full_names_workbook(people: Sequence[Person]) -> bytes:
    rows: list[Sequence[Cell]] = [
        ["Active clients"],
        [],
        ["CRN", "Full Name", "Birth date", "Full Address", "Landline", "Cell", "LA Ref", "Case status"],
    ]
    rows += [
        [f"C-{p.number}", f"{p.title} {p.forename} {p.surname}", f"{p.born:%d-%b-%y}",
         ", ".join((*p.lines, p.town, "Kent", p.postcode)), p.landline, p.mobile, f"{p.number * 3:06d}",
         "Current" if p.number % 5 else "Suspended"]
        for p in people
    ]  # fmt: skip
    return xlsx_bytes(rows, "Clients")


def _split_address(people: Sequence[Person]) -> bytes:
    rows: list[Sequence[object]] = [
        ["Client Code", "Client Surname", "Client Forename", "Client DOB", "Client Address Line 1",
         "Client Address Line 2",
         "Client Town", "Client Post Code", "Home Phone", "Mobile Phone", "E-mail Address", "Care Commenced",
         "Care Ended"],
    ]  # fmt: skip
    rows += [
        [f"{p.number:06d}", p.surname, p.forename, f"{p.born:%Y%m%d}", p.lines[0], p.lines[1] if p.lines[1:] else "",
         p.town,
         p.postcode.replace(" ", ""), p.landline, p.mobile, "", f"{p.starts:%Y%m%d}", ""]
        for p in people
    ]  # fmt: skip
    return csv_bytes(rows, "|")


def _month_first_clients(people: Sequence[Person]) -> bytes:
    rows: list[Sequence[object]] = [
        ["Participant ID", "Participant", "DOB", "Residence", "Telephone No", "Active From", "Active To", "State"],
    ]
    rows += [
        [f"P{p.number}", f"{p.surname}, {p.forename}", f"{p.born.month}/{p.born.day}/{p.born.year}",
         ", ".join((*p.lines, p.town, p.postcode)), p.mobile or p.landline, f"{p.starts.month}/{p.starts.day}/2026",
         "", "Live"]
        for p in people
    ]  # fmt: skip
    return csv_bytes(rows)


LAYOUTS = {
    "a care-finance workbook with a title block": Layout(
        "commissioned_20261120.xlsx", "KENT", people(1, 40), _mosaic_orders
    ),
    "orders with words of their own": Layout("packages_20261120.csv", "LEEDS", people(2, 45), _liquidlogic_orders),
    "orders with months first": Layout("svc_orders_20261120.csv", "NORFOLK", people(3, 30), _month_first_orders),
    "agreements with midnights": Layout("agreements_20261120.txt", "SURREY", people(4, 35), _careplan_orders),
    "a roster with one cell for name and address": Layout(
        "oneroster_20261120.csv", "oneroster", people(5, 40), _roster_one_cell
    ),
    "customers with surnames in capitals": Layout("customers_20261120.csv", "custom", people(6, 30), _customers),
    "a register with a key safe": Layout("register_20261120.xlsx", "register", people(7, 30), _care_register),
    "a workbook of full names": Layout("active clients 20261120.xlsx", "fullname", people(8, 60), _full_names_workbook),
    "headings that say whose": Layout("clients_extract_20261120.csv", "extract", people(9, 25), _split_address),
    "participants with months first": Layout(
        "participants_20261120.csv", "particip", people(10, 30), _month_first_clients
    ),
}  # fmt: skip
"""By what is peculiar about each."""


def call_monitoring() -> bytes:
    """Calls with day and time in one cell, under the client numbers of people(5, …)."""
    rows: list[Sequence[object]] = [
        ["Call Ref", "Svc User Ref", "Service User Name", "Scheduled Start", "Scheduled Duration", "Logged In At",
         "Logged Duration", "Carer Name", "Call Status"],
    ]  # fmt: skip
    for n, p in enumerate(people(5, 40)):
        at = moment(date(2026, 11, 9) + timedelta(days=n % 14), 7 + n % 12, (0, 15, 30, 45)[n % 4])
        rows.append(
            [f"CL{90000 + n}", f"SU{p.number}", f"{p.forename} {p.surname}", f"{at:%d/%m/%Y %H:%M}", 30,
             f"{at + timedelta(minutes=4):%d/%m/%Y %H:%M}", 28, "Nell Ashdown", ("Completed", "Missed")[n % 9 == 0]]
        )  # fmt: skip
    return csv_bytes(rows)


def payments() -> bytes:
    """What a council paid: of no feed."""
    rows: list[Sequence[object]] = [
        ["Remittance No", "Payment Date", "Vendor", "Vendor No", "Invoice", "Invoice Date", "Net", "VAT", "Gross",
         "Cost Centre",
         "Ledger Code", "Period", "Method", "Contract"],
    ]  # fmt: skip
    rows += [
        [f"R{5000 + n // 4}", f"{1 + n % 28:02d}/11/2026", "Goodcare Ltd", 4471, f"INV{7000 + n}", "31/10/2026",
         f"{200 + n * 3}.50", "0.00", f"{200 + n * 3}.50", "HC12", "4410", "2026-07", "BACS", f"K{n % 3}"]
        for n in range(40)
    ]  # fmt: skip
    return csv_bytes(rows)


def commissioned_services() -> bytes:
    """What is commissioned for whom, without an order number or a client number of a roster: unsure."""
    rows: list[Sequence[object]] = [
        ["Mosaic ID", "Adult Name", "DOB", "Provider", "Team", "Service", "Service Start", "Service End",
         "Commissioned Hours",
         "Review Due", "Funding"],
    ]  # fmt: skip
    rows += [
        [700000 + p.number, surname_first(p), f"{p.born:%d/%m/%Y}", "Goodcare Ltd", "North", service,
         f"{p.starts:%d/%m/%Y}", "",
         "7", "01/04/2027", "LA"]
        for p in people(11, 30)
        for service in ("Home care", "Sitting")
    ]  # fmt: skip
    return csv_bytes(rows)
