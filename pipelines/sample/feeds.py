"""The files: the four feeds of DESIGN.md, each source with its own habits.

A feed is first a table of text, one column a heading; `write_csv` and `write_xlsx` then set it down as one source
would, with the few bad rows that every real export holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.sample.dirt import Rows
from pipelines.sample.doors import SYSTEMS, Doors
from pipelines.sample.names import Texts
from pipelines.sample.people import COUNCILS, KINDS, Population, digits

PURCHASE_ORDERS = (
    "FileReference", "Created", "AuthorityCode", "ProviderRef", "ContractNumber", "SocialServicesRef", "NHSNumber",
    "Title", "Forename", "Surname", "Gender", "DateOfBirth", "Address1", "Address2", "Town", "Postcode", "Phone",
    "PurchaseOrderNumber", "LineNumber", "ServiceType", "StartDate", "EndDate", "WeeklyUnits", "UnitOfMeasure",
    "VisitMinutes", "Carers", "Rate", "Status",
)  # fmt: skip
ROSTER_CLIENTS = (
    "ClientID", "SocialServicesRef", "NHSNumber", "Title", "Forename", "KnownAs", "OtherNames", "Surname", "Gender",
    "DateOfBirth", "Address1", "Address2", "Town", "County", "Postcode", "Phone", "Mobile", "Email", "Branch", "Area",
    "StartDate", "EndDate", "Status", "KeySafe", "AccessDetails",
)  # fmt: skip
ROSTER_VISITS = (
    "VisitID", "ClientID", "PurchaseOrderNumber", "VisitDate", "StartTime", "PlannedMinutes", "ActualStart",
    "ActualMinutes", "Carers", "Status",
)  # fmt: skip
ROSTER_ENROLMENTS = (
    "ClientID", "ContractNumber", "FundingType", "CareBand", "Contribution", "KeyWorker", "StartDate", "EndDate",
)  # fmt: skip
RECORDS = (
    "record_id", "SocialServicesRef", "AuthorityCode", "NHSNumber", "Title", "Forename", "KnownAs", "OtherNames",
    "Surname", "Gender", "DateOfBirth", "Address1", "Address2", "Town", "Postcode", "Phone", "Mobile", "Email",
    "person_id",
)  # fmt: skip
TRUTH = ("feed", "issuer", "record_id", "person_id", "household_id", "kind")

MOST_ROWS_IN_A_WORKBOOK = 50_000
GOOD_ROWS_FOR_EACH_BAD_ONE = 2_000
ROWS_OF_A_FILE_WITH_BAD_ROWS = 500
ROWS_AT_A_TIME = 200_000
DAYS_OF_VISITS_BEFORE, DAYS_OF_VISITS_AFTER = 60, 14
DAYS_OF_VISITS_SENT_AGAIN = 7
IMPOSSIBLE_DATE = "31/02/2026"

# Shares of rows, or of clients, that change or are odd.
STATUS_CHANGED_EACH_NIGHT = 0.01
PHONE_CORRECTED_EACH_NIGHT = 0.01
MOVED_EACH_NIGHT = 0.005
ORDERS_CHANGED_EACH_NIGHT = 0.03
NEW_ORDERS_EACH_NIGHT = 0.02
VISITS_WITHOUT_AN_ORDER = 0.15
SECOND_ENROLMENT = 0.05
EMBEDDED_NEWLINES = 0.10  # of the addresses of two lines
EXCEL_SERIALS = 0.15
POUND_SIGNS = 0.25

SERVICES = ("Personal Care", "Domestic", "Sitting", "Respite")
CARE_BANDS = ("Band A", "Band B", "Band C", "Complex")
FUNDING = ("Local Authority", "Direct Payment", "Continuing Healthcare", "Private top-up")
KEY_WORKERS = (
    "Ola Fairweather", "Dilys Penhaligon", "Tamsin Okafor", "Bryn Castellan", "Priya Marlowe", "Joss Winterbourne",
    "Agata Lowry", "Femi Harcastle", "Nell Ashdown", "Kit Summerscale", "Rhona Vale", "Imran Thistlewood",
)  # fmt: skip

EPOCH = np.datetime64("1880-01-01", "D")
_ISO = np.datetime_as_string(np.arange(EPOCH, np.datetime64("2080-01-01"))).astype(object)
_SERIALS = np.arange(len(_ISO)) + (EPOCH - np.datetime64("1899-12-30")).astype(np.int64)
_PARTS = pd.Series(_ISO, dtype=object).str
DAY_TEXTS: dict[str, Texts] = {
    "iso": _ISO,
    "uk": (_PARTS[8:10] + "/" + _PARTS[5:7] + "/" + _PARTS[:4]).to_numpy(dtype=object),
    "serial": digits(_SERIALS),
}
"""Every day from EPOCH on as text, in each style that a source writes dates in."""


def write_days(days: NDArray[np.datetime64], style: str) -> Texts:
    """Days as text in a style of `DAY_TEXTS`; empty where there is none (NaT)."""
    missing = np.isnat(days)
    offset = np.where(missing, EPOCH, days.astype("datetime64[D]")) - EPOCH
    written: Texts = np.where(missing, "", DAY_TEXTS[style][offset.astype(np.int64)])
    return written


@dataclass(frozen=True)
class Habits:
    """How one source writes its files. `genders`: its words for women and men."""

    encoding: str = "utf-8"
    delimiter: str = ","
    days: str = "uk"
    preamble: tuple[str, ...] = ()
    upper_case: bool = False
    serials: bool = False
    newlines: bool = False
    pounds: bool = False
    second_phone: bool = False
    genders: tuple[str, str] = ("F", "M")


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
}
SYSTEM_HABITS = {"careplan": Habits(days="iso", genders=("Female", "Male")), "rosterly": Habits(encoding="cp1252")}


@dataclass(frozen=True)
class BadRows:
    """How to spoil a row of a feed: the heading of its own id (if it has one), of an id that it cannot do without, and
    of a date that it cannot do without (None: it has none, and a workbook's short rows are not broken either)."""

    own_id: str | None
    needed_id: str
    day: str | None

    @property
    def ways(self) -> tuple[str, ...]:
        """In which a row of this feed can be spoilt, in turn."""
        always = ("no id", "too many cells")
        return ("impossible date", *always, "too few cells") if self.day else always


def _quoted(column: pa.Array, delimiter: str) -> pa.Array:
    special = pc.match_substring_regex(column, '["\r\n' + ("\\t" if delimiter == "\t" else delimiter) + "]")
    if not pc.any(special).as_py():
        return column
    wrapped = pc.binary_join_element_wise('"', pc.replace_substring(column, '"', '""'), '"', "")
    return pc.if_else(special, wrapped, column)


def _lines(table: pd.DataFrame, delimiter: str) -> list[str]:
    columns = [_quoted(pa.array(table[name].to_numpy(), pa.string()), delimiter) for name in table]
    joined: list[str] = pc.binary_join_element_wise(*columns, delimiter).to_pylist()
    return joined


def spoil(rng: Generator, table: pd.DataFrame, bad: BadRows) -> tuple[Rows, list[list[str]]]:
    """The few bad rows of a file: where they stand among the good ones (rising), and their cells.

    Each is spoilt in the next of the feed's ways.
    """
    count = round(len(table) / GOOD_ROWS_FOR_EACH_BAD_ONE)
    if len(table) > ROWS_OF_A_FILE_WITH_BAD_ROWS:
        count = max(count, 1)
    places = np.sort(rng.integers(0, len(table), count)) if count else np.empty(0, dtype=np.int64)
    rows = []
    for turn, place in enumerate(places):
        row = table.iloc[place].copy()
        if bad.own_id:
            row[bad.own_id] = f"9{turn:03d}{row[bad.own_id]}"
        way = bad.ways[turn % len(bad.ways)]
        if way == "impossible date" and bad.day:
            row[bad.day] = IMPOSSIBLE_DATE
        elif way == "no id":
            row[bad.needed_id] = ""
        cells = [str(cell) for cell in row]
        if way == "too few cells":
            cells = cells[:-3]
        elif way == "too many cells":
            cells = [*cells, "see", "notes"]
        rows.append(cells)
    return places, rows


def write_csv(rng: Generator, path: Path, table: pd.DataFrame, habits: Habits, bad: BadRows | None = None) -> int:
    """Writes a table of text as one source would and returns how many bad rows went in among the good ones."""
    places, bad_cells = spoil(rng, table, bad) if bad else (np.empty(0, dtype=np.int64), [])
    bad_lines = [_lines(pd.DataFrame([cells], dtype=object), habits.delimiter)[0] for cells in bad_cells]
    encoding = "utf-8" if habits.encoding == "utf-8-sig" else habits.encoding
    heading = list(table.columns) + ["Phone"] * habits.second_phone
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf" * (habits.encoding == "utf-8-sig"))
        for line in (*habits.preamble, habits.delimiter.join(heading)):
            file.write(f"{line}\r\n".encode(encoding))
        for start in range(0, len(table), ROWS_AT_A_TIME):
            lines = _lines(table.iloc[start : start + ROWS_AT_A_TIME], habits.delimiter)
            if habits.second_phone:
                lines = [line + habits.delimiter for line in lines]
            here = [(place - start, line) for place, line in zip(places, bad_lines, strict=True)]
            for place, line in reversed([pair for pair in here if 0 <= pair[0] < ROWS_AT_A_TIME]):
                lines.insert(int(place), line)
            file.write(("\r\n".join(lines) + "\r\n").encode(encoding))
    return len(bad_cells)


def write_xlsx(rng: Generator, path: Path, title: str, table: pd.DataFrame, bad: BadRows) -> int:
    """Writes a workbook as an office would: a merged title, true dates, bare numbers for references that look so."""
    places, bad_cells = spoil(rng, table, bad)
    rows = table.to_numpy(dtype=object).tolist()
    for place, cells in reversed(list(zip(places, bad_cells, strict=True))):
        rows.insert(int(place), cells)
    heading = list(table.columns)
    dated = {heading.index(name) for name in ("DateOfBirth", "StartDate", "EndDate")}
    reference = heading.index("SocialServicesRef")
    workbook = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_numbers": False})
    workbook.set_properties({"title": title, "created": datetime(2026, 1, 1)})
    sheet = workbook.add_worksheet("Clients")
    day_format = workbook.add_format({"num_format": "dd/mm/yyyy"})
    bold = workbook.add_format({"bold": True, "align": "center"})
    sheet.merge_range(0, 0, 0, len(heading) - 1, title, bold)
    sheet.write_row(1, 0, heading, bold)
    for number, cells in enumerate(rows, start=2):
        for column, cell in enumerate(cells):
            if not cell:
                continue
            if column in dated and cell[4] == "-" and cell > "1901":
                sheet.write_datetime(number, column, datetime.fromisoformat(cell), day_format)
            elif column == reference and cell.isdigit() and cell[0] != "0":
                sheet.write_number(number, column, int(cell))
            else:
                sheet.write_string(number, column, cell)
    workbook.close()
    return len(bad_cells)


class Feeds:
    """Writes all files of all nights of a sample.

    `folders` maps each night's date to its folder, in order. After `write`, `files` and `bad_rows` count what was
    written, and `truth` and `records` give the tables of `truth.csv` and `records.csv` as of the last night.
    """

    def __init__(
        self, rng: Generator, population: Population, doors: Doors, visits: int, folders: dict[date, Path]
    ) -> None:
        """Draws what is in the books; writes nothing yet."""
        self.rng, self.population, self.visits_wanted = rng, population, visits
        self.roster, self.orders_details = doors.roster, doors.orders
        self.folders = folders
        self.days = [np.datetime64(day, "D") for day in folders]
        self.files = self.bad_rows = 0
        self.orders = self._draw_orders()
        self._draw_roster_facts()
        self.enrolments = self._draw_enrolments()
        self.visits = self._draw_visits()

    # What is in the books

    def _contracts(self, council: NDArray[np.int8], person: Rows) -> Texts:
        names = np.array([[f"{c.code}-HC-{year}" for year in (2022, 2024)] for c in COUNCILS], dtype=object)
        contract: Texts = names[council, (person % 3 > 0).astype(np.int64)]
        return contract

    def _draw_orders(self) -> pd.DataFrame:
        """One row a purchase order line, in the order in which councils would number them."""
        rng, details = self.rng, self.orders_details
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
                "in_hours": in_hours,
                "units": np.where(in_hours, visits_a_week * visit_minutes / 60, visits_a_week),
                "visit_minutes": visit_minutes,
                "carers": rng.choice([1, 2], size, p=[0.8, 0.2]),
                "pence": np.where(service == 3, rng.integers(95_000, 135_000, size), rng.integers(360, 641, size) * 5),
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
                "contract": self._contracts(self.roster["council"].to_numpy()[client], person * 2),
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

        person = self.orders_details["person"].to_numpy()[self.orders["detail"].to_numpy()]
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

    # What goes into the files

    def write(self) -> None:
        """Writes every night's files, in order."""
        for night, (day, folder) in enumerate(self.folders.items()):
            folder.mkdir(parents=True, exist_ok=True)
            stamp = f"{day:%Y%m%d}"
            if night:
                self._change(night)
            for council in range(len(COUNCILS)):
                self._write_orders(night, council, folder, stamp, day)
            for system in range(len(SYSTEMS)):
                self._write_roster(night, system, folder, stamp)
                self._write_visits(night, system, folder, stamp)

    def _change(self, night: int) -> None:
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

    def _order_ids(self, rows: Rows) -> Texts:
        council = self.orders_details["council"].to_numpy()[self.orders["detail"].to_numpy()[rows]]
        prefix = np.array(["EX", "45", "LCC/PO/"], dtype=object)[council]
        identifier: Texts = prefix + digits(self.orders["number"].to_numpy()[rows], 7)
        return identifier

    def _write_orders(self, night: int, council: int, folder: Path, stamp: str, day: date) -> None:
        rng, code = self.rng, COUNCILS[council].code
        habits = COUNCIL_HABITS[code]
        detail_council = self.orders_details["council"].to_numpy()
        rows = np.flatnonzero(
            (self.orders["night"] == night).to_numpy() & (detail_council[self.orders["detail"].to_numpy()] == council)
        )
        if not len(rows):
            return
        orders = self.orders.iloc[rows]
        details = self.orders_details.iloc[orders["detail"].to_numpy()]
        size = len(rows)
        born = self._days(details["born"], habits)
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
            "ContractNumber": self._contracts(details["council"].to_numpy(), details["person"].to_numpy() * 2),
            "SocialServicesRef": details["reference"].to_numpy(),
            "NHSNumber": details["nhs_number"].to_numpy(),
            "Title": details["title"].to_numpy(),
            "Forename": details["forename"].to_numpy(),
            "Surname": details["surname"].to_numpy(),
            "Gender": _genders(details["gender"].to_numpy(), habits),
            "DateOfBirth": born,
            "Address1": address1,
            "Address2": address2,
            "Town": details["town"].to_numpy(),
            "Postcode": details["postcode"].to_numpy(),
            "Phone": details["phone"].to_numpy(),
            "PurchaseOrderNumber": self._order_ids(rows),
            "LineNumber": digits(orders["line"].to_numpy()),
            "ServiceType": np.array(SERVICES, dtype=object)[orders["service"].to_numpy()],
            "StartDate": self._days(orders["start"], habits),
            "EndDate": self._days(orders["end"], habits),
            "WeeklyUnits": _decimals(units),
            "UnitOfMeasure": np.where(orders["in_hours"], "Hours", "Visits"),
            "VisitMinutes": digits(orders["visit_minutes"].to_numpy()),
            "Carers": digits(orders["carers"].to_numpy()),
            "Rate": rate,
            "Status": orders["status"].to_numpy(),
        }
        if habits.upper_case:
            for name in ("Title", "Forename", "Surname", "Address1", "Address2", "Town"):
                columns[name] = pd.Series(columns[name], dtype="str").str.upper().to_numpy(dtype=object)
        table = pd.DataFrame(columns, index=np.arange(size), columns=list(PURCHASE_ORDERS), dtype=object)
        path = folder / f"{code.lower()}_purchase_orders_{stamp}.csv"
        self._count(
            write_csv(rng, path, table, habits, BadRows("PurchaseOrderNumber", "PurchaseOrderNumber", "StartDate"))
        )

    def _days(self, days: pd.Series, habits: Habits) -> Texts:
        values = days.to_numpy().astype("datetime64[D]")
        written = write_days(values, habits.days)
        if habits.serials:
            rows = np.flatnonzero(self.rng.random(len(values)) < EXCEL_SERIALS)
            written[rows] = write_days(values[rows], "serial")
        return written

    def _count(self, bad_rows: int) -> None:
        self.files += 1
        self.bad_rows += bad_rows

    def _client_table(self, rows: Rows, habits: Habits) -> pd.DataFrame:
        clients = self.roster.iloc[rows]
        council = clients["council"].to_numpy()
        areas = np.array([[f"{c.code.title()} {side}" for side in ("North", "South")] for c in COUNCILS], dtype=object)
        columns = {
            "ClientID": "client_id", "SocialServicesRef": "reference", "NHSNumber": "nhs_number", "Title": "title",
            "Forename": "forename", "KnownAs": "known_as", "OtherNames": "other_names", "Surname": "surname",
            "Address1": "address1", "Address2": "address2", "Town": "town", "County": "county",
            "Postcode": "postcode", "Phone": "phone", "Mobile": "mobile", "Email": "email", "Status": "status",
            "KeySafe": "key_safe", "AccessDetails": "access",
        }  # fmt: skip
        table: dict[str, Texts] = {heading: clients[name].to_numpy() for heading, name in columns.items()}
        table |= {
            "Gender": _genders(clients["gender"].to_numpy(), habits),
            "Branch": np.array([f"{c.code.title()} Branch" for c in COUNCILS], dtype=object)[council],
            "Area": areas[council, clients["person"].to_numpy() % 2],
        }
        for heading, name in (("DateOfBirth", "born"), ("StartDate", "start"), ("EndDate", "end")):
            table[heading] = write_days(clients[name].to_numpy().astype("datetime64[D]"), habits.days)
        return pd.DataFrame(table, columns=list(ROSTER_CLIENTS), dtype=object)

    def _write_roster(self, night: int, system: int, folder: Path, stamp: str) -> None:
        name = SYSTEMS[system]
        habits = SYSTEM_HABITS[name]
        here = ((self.roster["system"] == system) & (self.roster["night"] <= night)).to_numpy()
        rows = np.flatnonzero(here)
        table = self._client_table(rows, habits)
        bad = BadRows("ClientID", "ClientID", None)
        if name == "careplan" and len(rows) <= MOST_ROWS_IN_A_WORKBOOK:
            path = folder / f"{name}_roster_clients_{stamp}.xlsx"
            self._count(write_xlsx(self.rng, path, "CarePlan: client export", table, bad))
        else:
            path = folder / f"{name}_roster_clients_{stamp}.csv"
            self._count(write_csv(self.rng, path, table, habits, bad))

        enrolments = self.enrolments[here[self.enrolments["client"].to_numpy()]]
        clients = self.roster.iloc[enrolments["client"].to_numpy()]
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
        path = folder / f"{name}_roster_enrolments_{stamp}.csv"
        self._count(write_csv(self.rng, path, table, habits, BadRows(None, "ClientID", "StartDate")))

    def _write_visits(self, night: int, system: int, folder: Path, stamp: str) -> None:
        """The first night sends all; later ones a window that starts a week back, and so again what was sent."""
        name, today = SYSTEMS[system], self.days[night]
        habits = SYSTEM_HABITS[name]
        day = self.visits["day"].to_numpy().astype("datetime64[D]")
        client = self.visits["client"].to_numpy()
        sent = (self.roster["system"].to_numpy()[client] == system) & (self.roster["night"].to_numpy()[client] <= night)
        sent &= day <= today + np.timedelta64(DAYS_OF_VISITS_AFTER, "D")
        if night:
            sent &= day >= today - np.timedelta64(DAYS_OF_VISITS_SENT_AGAIN, "D")
        visits = self.visits[sent]
        done = (day < today)[sent]
        took_place = done & (visits["outcome"] == "Completed").to_numpy()
        order = visits["order"].to_numpy()
        number = np.where(order >= 0, self._order_ids(order), "") if len(self.orders) else ""
        table = pd.DataFrame(
            {
                "VisitID": visits["id"].to_numpy(),
                "ClientID": self.roster["client_id"].to_numpy()[visits["client"].to_numpy()],
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
        path = folder / f"{name}_roster_visits_{stamp}.csv"
        self._count(write_csv(self.rng, path, table, habits, BadRows("VisitID", "ClientID", "VisitDate")))

    # What is true

    def _person_ids(self, person: Rows) -> Texts:
        identifier: Texts = "P" + digits(person + 1, 7)
        return identifier

    def truth(self) -> pd.DataFrame:
        """One row a record that a feed holds: roster clients, then purchase order lines."""
        details = self.orders_details.iloc[self.orders["detail"].to_numpy()]
        every = np.arange(len(self.orders))
        order_ids = self._order_ids(every) + "/" + digits(self.orders["line"].to_numpy())
        authority = np.array([council.code for council in COUNCILS], dtype=object)
        person = np.concatenate([self.roster["person"].to_numpy(), details["person"].to_numpy()])
        people = self.population.people
        household = "H" + digits(people["household"].to_numpy()[person] + 1, 7)
        feeds = np.array(["roster_clients", "purchase_orders"], dtype=object)
        return pd.DataFrame(
            {
                "feed": np.repeat(feeds, [len(self.roster), len(details)]),
                "issuer": np.concatenate(
                    [
                        np.array(SYSTEMS, dtype=object)[self.roster["system"].to_numpy()],
                        authority[details["council"].to_numpy()],
                    ]
                ),
                "record_id": np.concatenate([self.roster["client_id"].to_numpy(), order_ids]),
                "person_id": self._person_ids(person),
                "household_id": np.where(people["alone"].to_numpy()[person], "", household),
                "kind": np.array(KINDS, dtype=object)[np.concatenate([self.roster["kind"], details["kind"]])],
            },
            columns=list(TRUTH),
            dtype=object,
        )

    def records(self) -> pd.DataFrame:
        """One row for each client record that the doors would make; a purchase order makes one where its reference is
        not exactly that of a roster client of the same council."""
        parts = list(self._record_parts())
        return pd.concat(parts, ignore_index=True)

    def _record_parts(self) -> Iterator[pd.DataFrame]:
        authority = np.array([council.code for council in COUNCILS], dtype=object)
        for system, name in enumerate(SYSTEMS):
            rows = np.flatnonzero(self.roster["system"] == system)
            table = self._client_table(rows, SYSTEM_HABITS[name])
            clients = self.roster.iloc[rows]
            table["record_id"] = name + ":" + clients["client_id"].to_numpy()
            table["AuthorityCode"] = authority[clients["council"].to_numpy()]
            table["person_id"] = self._person_ids(clients["person"].to_numpy())
            yield table[list(RECORDS)]

        details = self.orders_details
        known = pd.MultiIndex.from_frame(self.roster.loc[self.roster["reference"] != "", ["council", "reference"]])
        new = ~pd.MultiIndex.from_frame(details[["council", "reference"]]).isin(known)
        new &= ~(details.duplicated(["council", "reference", "person"]) & (details["reference"] != "")).to_numpy()
        first_line = np.searchsorted(self.orders["detail"].to_numpy(), np.arange(len(details)))
        identifier = self._order_ids(first_line) + "/" + digits(self.orders["line"].to_numpy()[first_line])
        for position, council in enumerate(COUNCILS):
            habits = COUNCIL_HABITS[council.code]
            rows = np.flatnonzero(new & (details["council"] == position).to_numpy())
            made = details.iloc[rows]
            columns = {
                "NHSNumber": "nhs_number", "Title": "title", "Forename": "forename", "Surname": "surname",
                "Address1": "address1", "Address2": "address2", "Town": "town", "Postcode": "postcode",
                "Phone": "phone", "SocialServicesRef": "reference",
            }  # fmt: skip
            table = pd.DataFrame({heading: made[name].to_numpy() for heading, name in columns.items()}, dtype=object)
            if habits.upper_case:
                for heading in ("Title", "Forename", "Surname", "Address1", "Address2", "Town"):
                    table[heading] = table[heading].astype("str").str.upper().astype(object)
            table = table.assign(
                record_id=f"{council.code}:" + identifier[rows],
                AuthorityCode=council.code,
                Gender=_genders(made["gender"].to_numpy(), habits),
                DateOfBirth=self._days(made["born"], habits),
                person_id=self._person_ids(made["person"].to_numpy()),
                KnownAs="", OtherNames="", Mobile="", Email="",
            )  # fmt: skip
            yield table[list(RECORDS)]


def _genders(genders: Texts, habits: Habits) -> Texts:
    written: Texts = np.select([genders == "F", genders == "M"], habits.genders, genders)
    return written.astype(object)


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


def _clock(minutes: NDArray[np.int64]) -> Texts:
    """Minutes after midnight as HH:MM."""
    written: Texts = digits(minutes // 60, 2) + ":" + digits(minutes % 60, 2)
    return written


def nights_ending(day: date, nights: int) -> list[date]:
    """The dates of `nights` nights of which the last is `day`."""
    return [day - timedelta(days=before) for before in reversed(range(nights))]
