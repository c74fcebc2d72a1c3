"""The feed `roster_visits`: planned and completed visits of each rostering system, every night."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.sample.books import DAYS_OF_VISITS_AFTER, Books
from pipelines.sample.doors import SYSTEMS
from pipelines.sample.names import Texts
from pipelines.sample.numbers import digits
from pipelines.sample.roster_feed import SYSTEM_HABITS
from pipelines.sample.writing import BadRows, write_csv, write_days

ROSTER_VISITS = (
    "VisitID", "ClientID", "PurchaseOrderNumber", "VisitDate", "StartTime", "PlannedMinutes", "ActualStart",
    "ActualMinutes", "Carers", "Status",
)  # fmt: skip
DAYS_OF_VISITS_SENT_AGAIN = 7


def write_visits(books: Books, night: int, system: int, folder: Path, sent_on: date) -> int:
    """Writes visits and returns how many bad rows that holds.

    The first night sends all; later ones a window that starts a week back, and so again what was sent.
    """
    name, today = SYSTEMS[system], books.days[night]
    habits = SYSTEM_HABITS[name]
    day = books.visits["day"].to_numpy().astype("datetime64[D]")
    client = books.visits["client"].to_numpy()
    sent = (books.roster["system"].to_numpy()[client] == system) & (books.roster["night"].to_numpy()[client] <= night)
    sent &= day <= today + np.timedelta64(DAYS_OF_VISITS_AFTER, "D")
    if night:
        sent &= day >= today - np.timedelta64(DAYS_OF_VISITS_SENT_AGAIN, "D")
    visits = books.visits[sent]
    done = (day < today)[sent]
    took_place = done & (visits["outcome"] == "Completed").to_numpy()
    order = visits["order"].to_numpy()
    number = np.where(order >= 0, books.order_ids(order), "") if len(books.orders) else ""
    table = pd.DataFrame(
        {
            "VisitID": visits["id"].to_numpy(),
            "ClientID": books.roster["client_id"].to_numpy()[visits["client"].to_numpy()],
            "PurchaseOrderNumber": number,
            "VisitDate": write_days(day[sent], habits.days),
            "StartTime": _clock(visits["starts"].to_numpy()),
            "PlannedMinutes": digits(visits["planned"].to_numpy()),
            "ActualStart": np.where(took_place, _clock(visits["started"].to_numpy()), ""),
            "ActualMinutes": np.where(took_place, digits(visits["took"].to_numpy()), ""),
            "Carers": digits(visits["carers"].to_numpy()),
            "Status": np.where(done, visits["outcome"].to_numpy(), "Planned"),
        },
        columns=list(ROSTER_VISITS),
        dtype=object,
    )
    path = folder / f"{name}_roster_visits_{sent_on:%Y%m%d}.csv"
    return write_csv(books.rng, path, table, habits, BadRows("VisitID", "ClientID", "VisitDate"))


def _clock(minutes: NDArray[np.int64]) -> Texts:
    """Minutes after midnight as HH:MM."""
    written: Texts = digits(minutes // 60, 2) + ":" + digits(minutes % 60, 2)
    return written
