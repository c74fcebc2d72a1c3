"""Councils whose purchase orders are not in the built-in layout: their columns, and the source mappings that read them.

Norfolk's brokerage writes the name and the address in one cell each, two digits of every year, words of its own for
status and units, and a footer. Derbyshire's agreements come months first, under headings of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.sample.names import Texts
from pipelines.sample.writing import BadRows, Habits

_MAPPINGS = Path(__file__).parent / "sources"


@dataclass(frozen=True)
class OwnLayout:
    """How one council sends its orders: its habits, its files' names, its columns, and how a row of it is spoilt.

    `rearranged` makes its table of the built-in one and of what each person is known as.
    """

    habits: Habits
    file_name: Callable[[str], str]
    rearranged: Callable[[pd.DataFrame, Texts], pd.DataFrame]
    bad: BadRows


def write_mappings(folder: Path) -> None:
    """Write the source mapping of each of these councils into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for mapping in sorted(_MAPPINGS.glob("*.yaml")):
        shutil.copyfile(mapping, folder / mapping.name)


def _norfolk(table: pd.DataFrame, known_as: Texts) -> pd.DataFrame:
    other = (known_as != "") & (known_as != table["Forename"].to_numpy())
    given = _joined(table, ("Title", "Forename"), " ") + np.where(other, " (" + known_as + ")", "")
    name = table["Surname"].str.upper() + ", " + given
    return pd.DataFrame(
        {
            "Order Ref": table["PurchaseOrderNumber"],
            "Line": table["LineNumber"],
            "Mosaic ID": table["SocialServicesRef"],
            "NHS No": table["NHSNumber"],
            "Client Name": name.str.strip(", "),
            "Sex": table["Gender"],
            "DOB": table["DateOfBirth"],
            "Client Address": _joined(table, ("Address1", "Address2", "Town", "Postcode"), ", "),
            "Contact Numbers": table["Phone"],
            "Contract": table["ContractNumber"],
            "Service": table["ServiceType"],
            "Service Commenced": table["StartDate"],
            "Service Ceased": table["EndDate"],
            "Units p/w": table["WeeklyUnits"],
            "Unit Type": table["UnitOfMeasure"].replace({"Hours": "Hrs", "Visits": "Calls", "Weeks": "Wks"}),
            "Call Length": table["VisitMinutes"],
            "No. Carers": table["Carers"],
            "Unit Cost": table["Rate"],
            "Order Status": table["Status"].replace(
                {"Active": "Live", "Ended": "Closed", "Cancelled": "Withdrawn", "Pending": "Awaiting start"}
            ),
        }
    )


def _derbyshire(table: pd.DataFrame, _: Texts) -> pd.DataFrame:
    headings = {
        "FileReference": "Batch", "PurchaseOrderNumber": "Agreement No", "LineNumber": "Agreement Line",
        "SocialServicesRef": "Person ID", "NHSNumber": "NHS Number", "Title": "Salutation", "Forename": "Given Name",
        "Surname": "Family Name", "Gender": "Gender", "DateOfBirth": "Birth Date", "Address1": "Address Line 1",
        "Address2": "Address Line 2", "Town": "Post Town", "Postcode": "Post Code", "Phone": "Tel",
        "ContractNumber": "Framework", "ServiceType": "Element", "StartDate": "Period From", "EndDate": "Period To",
        "WeeklyUnits": "Quantity", "UnitOfMeasure": "Per", "VisitMinutes": "Minutes", "Carers": "Carers",
        "Rate": "Price", "Status": "State",
    }  # fmt: skip
    own = table[list(headings)].rename(columns=headings)
    own["Per"] = own["Per"].replace({"Hours": "HR", "Visits": "VIS", "Weeks": "WK"})
    own["State"] = own["State"].replace(
        {"Active": "Current", "Ended": "Finished", "Cancelled": "Void", "Pending": "Planned"}
    )
    return own


def _joined(table: pd.DataFrame, headings: tuple[str, ...], by: str) -> pd.Series:
    """What is filled of some cells of each row, in one cell."""
    rows = table[list(headings)].to_numpy(dtype=object)
    return pd.Series([by.join(filter(None, cells)) for cells in rows], index=table.index, dtype=object)


OWN_LAYOUTS = {
    "NORFOLK": OwnLayout(
        Habits(
            delimiter=";",
            days="uk2",
            preamble=("Norfolk Adult Social Services", "Home care brokerage: orders that are new or changed"),
            footer=("Total orders: {rows}", "End of report"),
        ),
        lambda stamp: f"norfolk_brokerage_{stamp}.csv",
        _norfolk,
        BadRows("Order Ref", "Order Ref", "Service Commenced"),
    ),
    "DERBYSHIRE": OwnLayout(
        Habits(days="us", genders=("FEMALE", "MALE")),
        lambda stamp: f"derbyshire_agreements_{stamp}.csv",
        _derbyshire,
        BadRows("Agreement No", "Agreement No", "Period From", impossible="02/31/2026"),
    ),
}
