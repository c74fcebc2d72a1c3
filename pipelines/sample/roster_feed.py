"""The feeds `roster_clients` and `roster_enrolments`: all clients of each rostering system, every night."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.sample.books import Books
from pipelines.sample.dirt import Rows
from pipelines.sample.doors import SYSTEMS
from pipelines.sample.names import Texts
from pipelines.sample.writing import BadRows, Habits, write_csv, write_days, write_genders, write_xlsx

ROSTER_CLIENTS = (
    "ClientID", "SocialServicesRef", "NHSNumber", "Title", "Forename", "KnownAs", "OtherNames", "Surname", "Gender",
    "DateOfBirth", "Address1", "Address2", "Town", "County", "Postcode", "Phone", "Mobile", "Email", "Branch", "Area",
    "StartDate", "EndDate", "Status", "KeySafe", "AccessDetails",
)  # fmt: skip
ROSTER_ENROLMENTS = (
    "ClientID", "ContractNumber", "FundingType", "CareBand", "Contribution", "KeyWorker", "StartDate", "EndDate",
)  # fmt: skip
MOST_ROWS_IN_A_WORKBOOK = 50_000
SYSTEM_HABITS = {"careplan": Habits(days="iso", genders=("Female", "Male")), "rosterly": Habits(encoding="cp1252")}


def client_table(books: Books, rows: Rows, habits: Habits) -> pd.DataFrame:
    """Roster clients as one system writes them."""
    clients = books.roster.iloc[rows]
    council = clients["council"].to_numpy()
    councils = [c.code.title() for c in books.population.councils]
    areas = np.array([[f"{name} {side}" for side in ("North", "South")] for name in councils], dtype=object)
    columns = {
        "ClientID": "client_id", "SocialServicesRef": "reference", "NHSNumber": "nhs_number", "Title": "title",
        "Forename": "forename", "KnownAs": "known_as", "OtherNames": "other_names", "Surname": "surname",
        "Address1": "address1", "Address2": "address2", "Town": "town", "County": "county",
        "Postcode": "postcode", "Phone": "phone", "Mobile": "mobile", "Email": "email", "Status": "status",
        "KeySafe": "key_safe", "AccessDetails": "access",
    }  # fmt: skip
    table: dict[str, Texts] = {heading: clients[name].to_numpy() for heading, name in columns.items()}
    table |= {
        "Gender": write_genders(clients["gender"].to_numpy(), habits),
        "Branch": np.array([f"{name} Branch" for name in councils], dtype=object)[council],
        "Area": areas[council, clients["person"].to_numpy() % 2],
    }
    for heading, name in (("DateOfBirth", "born"), ("StartDate", "start"), ("EndDate", "end")):
        table[heading] = write_days(clients[name].to_numpy().astype("datetime64[D]"), habits.days)
    return pd.DataFrame(table, columns=list(ROSTER_CLIENTS), dtype=object)


def write_clients(books: Books, night: int, system: int, folder: Path, day: date) -> int:
    """Writes the clients of one system, a workbook if they fit one, and returns how many bad rows that holds."""
    name, stamp = SYSTEMS[system], f"{day:%Y%m%d}"
    table = client_table(books, np.flatnonzero(_clients_of(books, night, system)), SYSTEM_HABITS[name])
    bad = BadRows("ClientID", "ClientID", None)
    if name == "careplan" and len(table) <= MOST_ROWS_IN_A_WORKBOOK:
        path = folder / f"{name}_roster_clients_{stamp}.xlsx"
        return write_xlsx(books.rng, path, "CarePlan: client export", table, bad)
    return write_csv(books.rng, folder / f"{name}_roster_clients_{stamp}.csv", table, SYSTEM_HABITS[name], bad)


def write_enrolments(books: Books, night: int, system: int, folder: Path, day: date) -> int:
    """Writes the enrolments of those clients and returns how many bad rows that holds."""
    name = SYSTEMS[system]
    habits = SYSTEM_HABITS[name]
    here = _clients_of(books, night, system)
    enrolments = books.enrolments[here[books.enrolments["client"].to_numpy()]]
    clients = books.roster.iloc[enrolments["client"].to_numpy()]
    table = pd.DataFrame(
        {
            "ClientID": clients["client_id"].to_numpy(),
            "ContractNumber": enrolments["contract"].to_numpy(),
            "FundingType": enrolments["funding"].to_numpy(),
            "CareBand": enrolments["band"].to_numpy(),
            "Contribution": enrolments["contribution"].to_numpy(),
            "KeyWorker": enrolments["worker"].to_numpy(),
            "StartDate": write_days(clients["start"].to_numpy().astype("datetime64[D]"), habits.days),
            "EndDate": write_days(clients["end"].to_numpy().astype("datetime64[D]"), habits.days),
        },
        columns=list(ROSTER_ENROLMENTS),
        dtype=object,
    )
    path = folder / f"{name}_roster_enrolments_{day:%Y%m%d}.csv"
    return write_csv(books.rng, path, table, habits, BadRows(None, "ClientID", "StartDate"))


def _clients_of(books: Books, night: int, system: int) -> NDArray[np.bool_]:
    """Whether each row of the roster is in one system on a night."""
    return ((books.roster["system"] == system) & (books.roster["night"] <= night)).to_numpy()
