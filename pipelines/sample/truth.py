"""What is true: the tables of `truth.csv` and `records.csv`, as of the last night."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from pipelines.sample.books import Books
from pipelines.sample.doors import SYSTEMS
from pipelines.sample.numbers import digits
from pipelines.sample.orders_feed import COUNCIL_HABITS, SHOUTED
from pipelines.sample.people import KINDS
from pipelines.sample.roster_feed import SYSTEM_HABITS, client_table
from pipelines.sample.writing import write_days_of, write_genders

RECORDS = (
    "record_id", "SocialServicesRef", "AuthorityCode", "NHSNumber", "Title", "Forename", "KnownAs", "OtherNames",
    "Surname", "Gender", "DateOfBirth", "Address1", "Address2", "Town", "Postcode", "Phone", "Mobile", "Email",
    "person_id", "household_id", "kind",
)  # fmt: skip
TRUTH = ("feed", "issuer", "record_id", "person_id", "household_id", "kind")


def truth_table(books: Books) -> pd.DataFrame:
    """One row a record that a feed holds: roster clients, then purchase order lines."""
    details = books.details.iloc[books.orders["detail"].to_numpy()]
    every = np.arange(len(books.orders))
    order_ids = books.order_ids(every) + "/" + digits(books.orders["line"].to_numpy())
    authority = np.array([council.code for council in books.population.councils], dtype=object)
    person = np.concatenate([books.roster["person"].to_numpy(), details["person"].to_numpy()])
    feeds = np.array(["roster_clients", "purchase_orders"], dtype=object)
    return pd.DataFrame(
        {
            "feed": np.repeat(feeds, [len(books.roster), len(details)]),
            "issuer": np.concatenate(
                [
                    np.array(SYSTEMS, dtype=object)[books.roster["system"].to_numpy()],
                    authority[details["council"].to_numpy()],
                ]
            ),
            "record_id": np.concatenate([books.roster["client_id"].to_numpy(), order_ids]),
            "person_id": books.person_ids(person),
            "household_id": books.household_ids(person),
            "kind": np.array(KINDS, dtype=object)[np.concatenate([books.roster["kind"], details["kind"]])],
        },
        columns=list(TRUTH),
        dtype=object,
    )


def records_table(books: Books) -> pd.DataFrame:
    """One row for each client record that the doors would make; a purchase order makes one where its reference is
    not exactly that of a roster client of the same council. The last three columns are the truth, as in `truth.csv`."""
    parts = list(_record_parts(books))
    return pd.concat(parts, ignore_index=True)


def _record_parts(books: Books) -> Iterator[pd.DataFrame]:
    authority = np.array([council.code for council in books.population.councils], dtype=object)
    for system, name in enumerate(SYSTEMS):
        rows = np.flatnonzero(books.roster["system"] == system)
        table = client_table(books, rows, SYSTEM_HABITS[name])
        clients = books.roster.iloc[rows]
        table["record_id"] = name + ":" + clients["client_id"].to_numpy()
        table["AuthorityCode"] = authority[clients["council"].to_numpy()]
        table["person_id"] = books.person_ids(clients["person"].to_numpy())
        table["household_id"] = books.household_ids(clients["person"].to_numpy())
        table["kind"] = np.array(KINDS, dtype=object)[clients["kind"]]
        yield table[list(RECORDS)]

    details = books.details
    known = pd.MultiIndex.from_frame(books.roster.loc[books.roster["reference"] != "", ["council", "reference"]])
    new = ~pd.MultiIndex.from_frame(details[["council", "reference"]]).isin(known)
    new &= ~(details.duplicated(["council", "reference", "person"]) & (details["reference"] != "")).to_numpy()
    first_line = np.searchsorted(books.orders["detail"].to_numpy(), np.arange(len(details)))
    identifier = books.order_ids(first_line) + "/" + digits(books.orders["line"].to_numpy()[first_line])
    for position, council in enumerate(books.population.councils):
        habits = COUNCIL_HABITS[council.code]
        days = habits.days if habits.days in {"uk", "iso"} else "iso"
        rows = np.flatnonzero(new & (details["council"] == position).to_numpy())
        made = details.iloc[rows]
        columns = {
            "NHSNumber": "nhs_number", "Title": "title", "Forename": "forename", "Surname": "surname",
            "Address1": "address1", "Address2": "address2", "Town": "town", "Postcode": "postcode",
            "Phone": "phone", "SocialServicesRef": "reference",
        }  # fmt: skip
        table = pd.DataFrame({heading: made[name].to_numpy() for heading, name in columns.items()}, dtype=object)
        if habits.upper_case:
            for heading in SHOUTED:
                table[heading] = table[heading].astype("str").str.upper().astype(object)
        table = table.assign(
            record_id=f"{council.code}:" + identifier[rows],
            AuthorityCode=council.code,
            Gender=write_genders(made["gender"].to_numpy(), habits),
            DateOfBirth=write_days_of(books.rng, made["born"], replace(habits, days=days)),
            person_id=books.person_ids(made["person"].to_numpy()),
            household_id=books.household_ids(made["person"].to_numpy()),
            kind=np.array(KINDS, dtype=object)[made["kind"]],
            KnownAs="", OtherNames="", Mobile="", Email="",
        )  # fmt: skip
        yield table[list(RECORDS)]
