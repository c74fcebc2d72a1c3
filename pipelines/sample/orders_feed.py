"""The feed `purchase_orders`: one CSV file of each council for each night."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.sample.books import SERVICES, Books
from pipelines.sample.names import Texts
from pipelines.sample.numbers import digits
from pipelines.sample.own_layouts import OWN_LAYOUTS
from pipelines.sample.writing import BadRows, Habits, write_csv, write_days, write_days_of, write_genders

PURCHASE_ORDERS = (
    "FileReference", "Created", "AuthorityCode", "ProviderRef", "ContractNumber", "SocialServicesRef", "NHSNumber",
    "Title", "Forename", "Surname", "Gender", "DateOfBirth", "Address1", "Address2", "Town", "Postcode", "Phone",
    "PurchaseOrderNumber", "LineNumber", "ServiceType", "StartDate", "EndDate", "WeeklyUnits", "UnitOfMeasure",
    "VisitMinutes", "Carers", "Rate", "Status",
)  # fmt: skip
EMBEDDED_NEWLINES = 0.10  # of the addresses of two lines
POUND_SIGNS = 0.25  # of rates, where a council writes them

COUNCIL_HABITS = {
    "ESSEX": Habits(encoding="utf-8-sig", days="uk", newlines=True, pounds=True, genders=("Female", "Male")),
    "KENT": Habits(encoding="cp1252", delimiter=";", days="iso", upper_case=True, second_phone=True),
    "LEEDS": Habits(
        delimiter="\t",
        days="uk",
        serials=True,
        preamble=("Leeds Adult Social Care: purchase orders", "Commissioned home care; queries to the brokerage team"),
        genders=("female", "male"),
    ),
    **{code: layout.habits for code, layout in OWN_LAYOUTS.items()},
}
SHOUTED = ("Title", "Forename", "Surname", "Address1", "Address2", "Town")
"""What a council of upper case writes so."""


def write_orders(books: Books, night: int, council: int, folder: Path, day: date) -> int | None:
    """Writes what one council sends on a night and returns how many bad rows that holds; None: it sends nothing."""
    rng, code, stamp = books.rng, books.population.councils[council].code, f"{day:%Y%m%d}"
    habits = COUNCIL_HABITS[code]
    detail_council = books.details["council"].to_numpy()
    rows = np.flatnonzero(
        (books.orders["night"] == night).to_numpy() & (detail_council[books.orders["detail"].to_numpy()] == council)
    )
    if not len(rows):
        return None
    orders = books.orders.iloc[rows]
    details = books.details.iloc[orders["detail"].to_numpy()]
    size = len(rows)
    born = write_days_of(rng, details["born"], habits)
    address1, address2 = details["address1"].to_numpy(copy=True), details["address2"].to_numpy(copy=True)
    if habits.newlines:
        split = np.flatnonzero((address2 != "") & (rng.random(len(address2)) < EMBEDDED_NEWLINES))
        address1[split] = address1[split] + "\n" + address2[split]
        address2[split] = ""
    rate = _money(orders["pence"].to_numpy(), pounds=rng.random(size) < POUND_SIGNS * habits.pounds)
    units = orders["units"].to_numpy()
    columns: dict[str, Texts | str] = {
        "FileReference": f"{code}-{stamp}-0001",
        "Created": write_days(np.array([day], dtype="datetime64[D]"), habits.days)[0],
        "AuthorityCode": code,
        "ProviderRef": f"PRV-00{council + 41}",
        "ContractNumber": books.contracts(details["council"].to_numpy(), details["person"].to_numpy() * 2),
        "SocialServicesRef": details["reference"].to_numpy(),
        "NHSNumber": details["nhs_number"].to_numpy(),
        "Title": details["title"].to_numpy(),
        "Forename": details["forename"].to_numpy(),
        "Surname": details["surname"].to_numpy(),
        "Gender": write_genders(details["gender"].to_numpy(), habits),
        "DateOfBirth": born,
        "Address1": address1,
        "Address2": address2,
        "Town": details["town"].to_numpy(),
        "Postcode": details["postcode"].to_numpy(),
        "Phone": details["phone"].to_numpy(),
        "PurchaseOrderNumber": books.order_ids(rows),
        "LineNumber": digits(orders["line"].to_numpy()),
        "ServiceType": np.array(SERVICES, dtype=object)[orders["service"].to_numpy()],
        "StartDate": write_days_of(rng, orders["start"], habits),
        "EndDate": write_days_of(rng, orders["end"], habits),
        "WeeklyUnits": _decimals(units),
        "UnitOfMeasure": orders["measure"].to_numpy(),
        "VisitMinutes": digits(orders["visit_minutes"].to_numpy()),
        "Carers": digits(orders["carers"].to_numpy()),
        "Rate": rate,
        "Status": orders["status"].to_numpy(),
    }
    if habits.upper_case:
        for name in SHOUTED:
            columns[name] = pd.Series(columns[name], dtype="str").str.upper().to_numpy(dtype=object)
    table = pd.DataFrame(columns, index=np.arange(size), columns=list(PURCHASE_ORDERS), dtype=object)
    if code in OWN_LAYOUTS:
        own = OWN_LAYOUTS[code]
        known_as = books.population.people["known_as"].to_numpy()[details["person"].to_numpy()]
        return write_csv(rng, folder / own.file_name(stamp), own.rearranged(table, known_as), habits, own.bad)
    path = folder / f"{code.lower()}_purchase_orders_{stamp}.csv"
    bad = BadRows("PurchaseOrderNumber", "PurchaseOrderNumber", "StartDate")
    return write_csv(rng, path, table, habits, bad)


def _money(pence: NDArray[np.int64], pounds: NDArray[np.bool_]) -> Texts:
    """Amounts as text; with a pound sign and thousands separators where `pounds`."""
    whole, part = pence // 100, "." + digits(pence % 100, 2)
    thousands = np.where(whole >= 1000, digits(whole // 1000) + "," + digits(whole % 1000, 3), digits(whole))
    written: Texts = np.where(pounds, "£" + thousands + part, digits(whole) + part)
    return written


def _decimals(numbers: NDArray[np.float64]) -> Texts:
    hundredths = np.round(numbers * 100).astype(np.int64)
    written: Texts = digits(hundredths // 100) + "." + digits(hundredths % 100, 2)
    return written
