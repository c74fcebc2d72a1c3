"""What is in the books of councils and rostering systems: order lines, roster clients, enrolments and visits.

All of it is drawn at once, for all nights; `change` then brings the books from one night to the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.sample.dirt import Rows
from pipelines.sample.doors import Doors
from pipelines.sample.names import Texts
from pipelines.sample.numbers import digits
from pipelines.sample.people import Population

DAYS_OF_VISITS_BEFORE, DAYS_OF_VISITS_AFTER = 60, 14

# Shares of rows, or of clients, that change or are odd.
STATUS_CHANGED_EACH_NIGHT = 0.01
PHONE_CORRECTED_EACH_NIGHT = 0.01
MOVED_EACH_NIGHT = 0.005
ORDERS_CHANGED_EACH_NIGHT = 0.03
NEW_ORDERS_EACH_NIGHT = 0.02
VISITS_WITHOUT_AN_ORDER = 0.15
SECOND_ENROLMENT = 0.05

SERVICES = ("Personal Care", "Domestic", "Sitting", "Respite")
RESPITE = SERVICES.index("Respite")
CARE_BANDS = ("Band A", "Band B", "Band C", "Complex")
FUNDING = ("Local Authority", "Direct Payment", "Continuing Healthcare", "Private top-up")
KEY_WORKERS = (
    "Ola Fairweather", "Dilys Penhaligon", "Tamsin Okafor", "Bryn Castellan", "Priya Marlowe", "Joss Winterbourne",
    "Agata Lowry", "Femi Harcastle", "Nell Ashdown", "Kit Summerscale", "Rhona Vale", "Imran Thistlewood",
)  # fmt: skip


class Books:
    """The books as they stand, one frame each.

    - `details`: what councils send orders under, and `roster`, as in `doors.Doors`, the latter with more columns;
    - `orders`: one row a purchase order line; `detail` is a row of `details`, `night` the last that changed it;
    - `enrolments` and `visits`; `client` is a row of `roster`, `order` one of `orders` or -1.
    """

    def __init__(
        self, rng: Generator, population: Population, doors: Doors, visits: int, nights: Iterable[date]
    ) -> None:
        """Draws all books as of the first of `nights`."""
        self.rng, self.population, self.visits_wanted = rng, population, visits
        self.roster, self.details = doors.roster, doors.orders
        self.days = [np.datetime64(day, "D") for day in nights]
        self.orders = self._draw_orders()
        self._draw_roster_facts()
        self.enrolments = self._draw_enrolments()
        self.visits = self._draw_visits()

    def order_ids(self, rows: Rows) -> Texts:
        """The purchase order numbers of lines."""
        council = self.details["council"].to_numpy()[self.orders["detail"].to_numpy()[rows]]
        prefix = np.array(["EX", "45", "LCC/PO/", "NCC", "A"], dtype=object)[council]
        identifier: Texts = prefix + digits(self.orders["number"].to_numpy()[rows], 7)
        return identifier

    def person_ids(self, person: Rows) -> Texts:
        """Of rows of people, as in `truth.csv`."""
        identifier: Texts = "P" + digits(person + 1, 7)
        return identifier

    def household_ids(self, person: Rows) -> Texts:
        """Empty for people who live alone."""
        people = self.population.people
        identifier = "H" + digits(people["household"].to_numpy()[person] + 1, 7)
        shared: Texts = np.where(people["alone"].to_numpy()[person], "", identifier)
        return shared

    def contracts(self, council: NDArray[np.int8], person: Rows) -> Texts:
        """The contract of each person with each council."""
        names = np.array(
            [[f"{c.code}-HC-{year}" for year in (2022, 2024)] for c in self.population.councils], dtype=object
        )
        contract: Texts = names[council, (person % 3 > 0).astype(np.int64)]
        return contract

    def _draw_orders(self) -> pd.DataFrame:
        """One row a purchase order line, in the order in which councils would number them.

        ``pence`` is the price of one unit: of an hour £18 to £32, of a visit its share of that, of a week of respite
        £950 to £1,350.
        """
        rng, details = self.rng, self.details
        lines = rng.choice([1, 2, 3, 4], len(details), p=[0.52, 0.30, 0.12, 0.06])
        detail = np.repeat(np.arange(len(details)), lines)
        nth = np.arange(len(detail)) - np.repeat(np.cumsum(lines) - lines, lines)
        night = details["night"].to_numpy()[detail].copy()
        added = (nth == lines[detail] - 1) & (nth > 0) & (night == 0)
        for later in range(1, len(self.days)):
            night[added & (rng.random(len(detail)) < NEW_ORDERS_EACH_NIGHT * 2) & (night == 0)] = later
        number = 40_000 + 2 * detail + (nth // 2) * (2 * len(details) + 1)
        size = len(detail)
        start = self.days[0] - rng.integers(5, 1500, size).astype("timedelta64[D]")
        start = np.where(night > 0, np.array(self.days)[night], start)
        statuses = np.array(["Active", "Ended", "Cancelled", "Pending"], dtype=object)
        status = rng.choice(statuses, size, p=[0.68, 0.20, 0.06, 0.06])
        status[night > 0] = "Active"
        open_ended = np.isin(status, ["Active", "Pending"]) & (rng.random(size) < 0.7)
        ended = start + rng.integers(14, 700, size).astype("timedelta64[D]")
        ends = self.days[0] + rng.integers(20, 400, size).astype("timedelta64[D]")
        end = np.where(status == "Ended", np.minimum(ended, self.days[0] - np.timedelta64(1, "D")), ends)
        service = rng.choice(4, size, p=[0.72, 0.12, 0.11, 0.05])
        visit_minutes = rng.choice([15, 30, 45, 60], size, p=[0.15, 0.45, 0.25, 0.15])
        in_hours = rng.random(size) < 0.6
        visits_a_week = rng.choice([1, 2, 3, 7, 14, 21, 28], size, p=[0.1, 0.1, 0.1, 0.25, 0.2, 0.1, 0.15])
        carers = rng.choice([1, 2], size, p=[0.8, 0.2])
        by_the_week, a_week = service == RESPITE, rng.integers(95_000, 135_000, size)
        an_hour = rng.integers(360, 641, size) * 5
        a_visit = an_hour * visit_minutes // 60
        return pd.DataFrame(
            {
                "detail": detail,
                "night": night,
                "number": number,
                "line": (nth % 2 + 1).astype(np.int64),
                "service": service,
                "start": start,
                "end": np.where(open_ended, np.datetime64("NaT"), end),
                "status": status.astype(object),
                "measure": np.select([by_the_week, in_hours], ["Weeks", "Hours"], "Visits").astype(object),
                "units": np.select([by_the_week, in_hours], [1.0, visits_a_week * visit_minutes / 60], visits_a_week),
                "visit_minutes": visit_minutes,
                "carers": carers,
                "pence": np.select([by_the_week, in_hours], [a_week, an_hour], a_visit),
            }
        )

    def _draw_roster_facts(self) -> None:
        rng, size = self.rng, len(self.roster)
        start = self.days[0] - rng.integers(10, 2500, size).astype("timedelta64[D]")
        late = self.roster["night"].to_numpy() > 0
        start[late] = np.array(self.days)[self.roster["night"].to_numpy()[late]]
        status = rng.choice(np.array(["Active", "On hold", "Inactive"], dtype=object), size, p=[0.86, 0.05, 0.09])
        status[late] = "Active"
        end = self.days[0] - rng.integers(1, 200, size).astype("timedelta64[D]")
        self.roster = self.roster.assign(
            start=start,
            end=np.where(status == "Inactive", np.maximum(end, start), np.datetime64("NaT")),
            status=status.astype(object),
            key_safe="KEYSAFE-" + digits(rng.integers(0, 10_000, size), 4),
            access="ACCESS-" + rng.choice(np.array(["front", "side", "rear", "concierge"], dtype=object), size)
            + "-" + digits(rng.integers(100, 1_000, size)),
        )  # fmt: skip

    def _draw_enrolments(self) -> pd.DataFrame:
        rng = self.rng
        client = np.arange(len(self.roster))
        again = client[rng.random(len(client)) < SECOND_ENROLMENT]
        client = np.concatenate([client, again])
        person = self.roster["person"].to_numpy()[client] + (np.arange(len(client)) >= len(self.roster))
        size = len(client)
        funded = rng.choice(len(FUNDING), size, p=[0.75, 0.1, 0.08, 0.07])
        return pd.DataFrame(
            {
                "client": client,
                "contract": self.contracts(self.roster["council"].to_numpy()[client], person * 2),
                "funding": np.array(FUNDING, dtype=object)[funded],
                "band": rng.choice(np.array(CARE_BANDS, dtype=object), size),
                "contribution": np.where(rng.random(size) < 0.4, digits(rng.integers(5, 180, size)) + ".50", "0.00"),
                "worker": rng.choice(np.array(KEY_WORKERS, dtype=object), size),
            }
        )

    def _draw_visits(self) -> pd.DataFrame:
        """One row a visit, by date. `order`: a row of `orders`, or -1."""
        rng, size = self.rng, self.visits_wanted if len(self.roster) else 0
        client = rng.integers(0, max(len(self.roster), 1), size)
        joined = self.roster["night"].to_numpy()[client]
        before, after = np.timedelta64(DAYS_OF_VISITS_BEFORE, "D"), np.timedelta64(DAYS_OF_VISITS_AFTER, "D")
        nights = np.array(self.days)
        earliest = np.where(joined > 0, nights[joined], nights[0] - before)
        span = (nights[-1] + after - earliest).astype(np.int64)
        day = earliest + (rng.random(size) * (span + 1)).astype("timedelta64[D]")

        person = self.details["person"].to_numpy()[self.orders["detail"].to_numpy()]
        usable = np.flatnonzero((self.orders["night"] == 0) & ~self.orders["status"].isin(["Cancelled"]))
        usable = usable[np.argsort(person[usable], kind="stable")]
        first = np.searchsorted(person[usable], self.roster["person"].to_numpy()[client], "left")
        last = np.searchsorted(person[usable], self.roster["person"].to_numpy()[client], "right")
        has_order = (last > first) & (rng.random(size) >= VISITS_WITHOUT_AN_ORDER)
        chosen = np.minimum(first + (rng.random(size) * (last - first)).astype(np.int64), max(len(usable) - 1, 0))
        order = np.where(has_order, usable[chosen] if len(usable) else -1, -1)

        planned = rng.choice([15, 30, 45, 60], size, p=[0.15, 0.45, 0.25, 0.15])
        starts = rng.integers(28, 88, size) * 15
        outcomes = np.array(["Completed", "Missed", "Cancelled"], dtype=object)
        visits = pd.DataFrame(
            {
                "client": client,
                "order": order,
                "day": day,
                "starts": starts,
                "planned": planned,
                "started": starts + rng.integers(-10, 25, size),
                "took": np.maximum(planned + rng.integers(-8, 9, size), 3),
                "carers": rng.choice([1, 2], size, p=[0.85, 0.15]),
                "outcome": rng.choice(outcomes, size, p=[0.94, 0.02, 0.04]),
            }
        ).sort_values(["day", "client", "starts"], kind="stable", ignore_index=True)
        system = self.roster["system"].to_numpy()[visits["client"]]
        number = digits(700_001 + visits.groupby(system).cumcount().to_numpy())
        visits["id"] = np.array(["V", "RV-"], dtype=object)[system] + number
        return visits

    def change(self, night: int) -> None:
        """What the offices changed since the night before."""
        rng, roster, orders = self.rng, self.roster, self.orders
        homes, people = self.population.homes, self.population.people
        home = people["home"].to_numpy()[roster["person"].to_numpy()]
        corrected, moved, changed = (
            rng.random(len(roster)) < share
            for share in (PHONE_CORRECTED_EACH_NIGHT, MOVED_EACH_NIGHT, STATUS_CHANGED_EACH_NIGHT)
        )
        updates: dict[str, Texts] = {}
        for name in ("address1", "address2", "town", "county", "postcode"):
            updates[name] = np.where(moved, homes[name].to_numpy()[home], roster[name].to_numpy())
        updates["phone"] = np.where(corrected, homes["landline"].to_numpy()[home], roster["phone"].to_numpy())
        ended = changed & (roster["status"] == "Active").to_numpy()
        updates["status"] = np.where(ended, "Inactive", np.where(changed, "Active", roster["status"].to_numpy()))
        end = np.where(changed & ~ended, np.datetime64("NaT"), roster["end"].to_numpy().astype("datetime64[D]"))
        self.roster = roster.assign(**updates, end=np.where(ended, self.days[night], end))

        revised = (
            (rng.random(len(orders)) < ORDERS_CHANGED_EACH_NIGHT)
            & (orders["night"] < night).to_numpy()
            & orders["status"].isin(["Active", "Pending"]).to_numpy()
        )
        self.orders = orders.assign(
            status=np.where(revised, np.where(orders["status"] == "Pending", "Active", "Ended"), orders["status"]),
            end=np.where(
                revised & (orders["status"] == "Active").to_numpy(),
                self.days[night],
                orders["end"].to_numpy().astype("datetime64[D]"),
            ),
            night=np.where(revised, night, orders["night"]),
        )
