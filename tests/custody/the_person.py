"""A provider's home in which everything about one person is written in words and numbers that nobody else has."""

from __future__ import annotations

import csv
import io
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import xlsxwriter
from office import CLIENT_HEADINGS, Office, client, enrolment, order, table, visit

from pipelines.merge.carry_out import apply_merges
from pipelines.merge.plan import plan_merges
from pipelines.merge.publish import publish_merges, publish_plan
from pipelines.merge.selection import Selection, candidate_id
from pipelines.nightly import run_night, take_decisions
from pipelines.review.commands import decide_one
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse

FIRST, LAST, NEXT = date(2026, 10, 20), date(2026, 11, 20), date(2026, 11, 21)
ZORA, ZORA_ORDERS = "careplan/A1", "KENT/reference/K77"
BEA, BEA_TOO = "careplan/B1", "rosterly/B2"

PERSON = {
    "Title": "Zlady", "Forename": "Zorabelle", "Surname": "Zquillfeather", "Gender": "F", "DateOfBirth": "17/02/1931",
    "NHSNumber": "401 023 2137", "Address1": "7 Zebrawood Row", "Address2": "Zedflat", "Town": "Zedtown",
    "Postcode": "ZE7 9QZ", "Phone": "01632 960417",
}  # fmt: skip
ON_THE_ROSTER = PERSON | {
    "SocialServicesRef": "Q771077", "KnownAs": "Zozette", "OtherNames": "Zmaidenia", "County": "Zedshire",
    "Mobile": "07700 900417", "Email": "zora@zmail.example", "Branch": "Zbranch", "Area": "Zarea",
}  # fmt: skip
ORDERED = {**PERSON, "SocialServicesRef": "Q771077", "StartDate": "01/09/2026", "EndDate": "31/10/2026", "Rate": "20",
           "WeeklyUnits": "7", "ContractNumber": "HC-24"}  # fmt: skip
GONE = {"EndDate": "01/11/2026", "Status": "Left"}

STRANGE = [heading for heading in CLIENT_HEADINGS if heading not in {"KeySafe", "AccessDetails"}]  # quarantine keeps it

# What must be nowhere, as letters and digits alone: so they are found however a name, number or date is written.
MARKS = (
    "zlady", "zorabelle", "zquillfeather", "zfirstwed", "zozette", "zmaidenia", "zebrawood", "zedflat", "zedtown",
    "zedshire", "ze79qz", "1632960417", "7700900417", "zorazmail", "zbranch", "zarea", "q771077", "rq4417",
    "4010232137", "17021931", "19310217", "39391931", "zkeyworker", "zcareband",
)  # fmt: skip
_NO_LETTERS = bytes(byte for byte in range(256) if not (byte < 128 and chr(byte).isalnum()))


def home_of_zora(home: Path) -> Office:
    """Two nights; Zora's two records were merged, her care has ended. What was delivered lies in ``sent`` beside it."""
    office = Sent(home, FIRST)
    settings = office.settings
    others = [client(f"N{n}", Forename=f, Surname=s, DateOfBirth=f"0{n}/05/194{n}", Postcode=f"CO{n} 1AB")
              for n, (f, s) in enumerate([("Ida", "Ivory"), ("Joan", "Jolly"), ("Kate", "Kemp")], 1)]  # fmt: skip
    bea = {"Forename": "Bea", "Surname": "Bell", "DateOfBirth": "05/06/1937", "NHSNumber": "943 476 5919"}
    office.clients(
        client("A1", **ON_THE_ROSTER | {"Surname": "Zfirstwed"}), client("B1", **bea), *others, on="20261020"
    )
    workbook(office, "rosterly_roster_clients_20261020.xlsx", client("RQ4417", **ON_THE_ROSTER), client("B2", **bea))
    office.orders(
        order("PO9", **ORDERED),
        order("PO8", **ORDERED | {"DateOfBirth": "39/39/1931"}),
        order("PO7", **ORDERED | {"SocialServicesRef": "K77", "EndDate": "30/09/2026"}),
        order("", **ORDERED),
        order("PO1", SocialServicesRef="111", ContractNumber="HC-24", **bea),
        on="20261020",
    )
    office.enrolments(
        enrolment("A1", "HC-24", KeyWorker="Zkeyworker", CareBand="Zcareband"), enrolment("B1", "HC-24"), on="20261020"
    )
    office.visits(
        visit("Z-SEP", "A1", VisitDate="15/09/2026"), visit("B-SEP", "B1", VisitDate="15/09/2026"), on="20261020"
    )
    office.visits(visit("Z-OCT", "RQ4417", VisitDate="10/10/2026"), system="rosterly", on="20261020")
    office.deliver("strange people.csv", table(STRANGE, [client("A1", **ON_THE_ROSTER), *others]))
    office.night()
    office.clients(client("A1", **ON_THE_ROSTER | GONE), client("B1", **bea), *others, on="20261120")
    workbook(
        office, "rosterly_roster_clients_20261120.xlsx", client("RQ4417", **ON_THE_ROSTER | GONE), client("B2", **bea)
    )
    run_night(settings, settings.inbox, LAST)
    decide_one(
        settings, candidate_id(ZORA, ZORA_ORDERS), verdict="same", who="Jo", reason="rang the council",
        cells={"aliases": "keep", "survivor": ZORA},
    )  # fmt: skip
    publish_plan(settings, plan_merges(settings, Selection()))
    apply_merges(settings, Selection(without_decisions_of="Sam"), who="Sam")
    publish_merges(settings)
    office.deliver("my decisions.xlsx", (settings.reports / LAST.isoformat() / "candidates.xlsx").read_bytes())
    take_decisions(settings, settings.inbox, LAST)
    return office


class Sent(Office):
    """An office that keeps what it was sent, as a sender would who sends it again."""

    def deliver(self, file_name: str, content: str | bytes) -> Path:
        """As every office, and once more beside the home."""
        path = super().deliver(file_name, content)
        sent = self.settings.home.parent / "sent"
        sent.mkdir(exist_ok=True)
        shutil.copy(path, sent)
        return path


def workbook(office: Office, name: str, *rows: object) -> None:
    """The clients of a rostering system come in as a workbook."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        sheet = book.add_worksheet("Clients")
        for n, cells in enumerate(csv.reader(io.StringIO(table(CLIENT_HEADINGS, rows)))):  # type: ignore[arg-type]
            sheet.write_row(n, 0, cells)
    office.deliver(name, made.getvalue())


def traces(settings: Settings, marks: tuple[str, ...] = MARKS) -> dict[str, set[str]]:
    """In which files of the home each mark stands: in their bytes, and in what they hold once they are read."""
    found: dict[str, set[str]] = {}
    for path, said in everything(settings):
        squeezed = said.lower().translate(None, _NO_LETTERS)
        for mark in marks:
            if mark.encode() in squeezed:
                found.setdefault(mark, set()).add(path.relative_to(settings.home).parts[0])
    return found


def everything(settings: Settings) -> Iterator[tuple[Path, bytes]]:
    """Every file of the home: its bytes, the members of zips, the rows of Parquet files and of both databases."""
    for path in sorted(p for p in settings.home.rglob("*") if p.is_file() and settings.inbox not in p.parents):
        yield path, path.read_bytes()
        yield path, path.name.encode()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    yield path, archive.read(member)
        if path.suffix == ".parquet":
            yield path, repr(pq.read_table(path).to_pylist()).encode()
        if path.suffix == ".sqlite":
            with sqlite3.connect(path) as connection:
                for (name,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
                    yield path, repr(connection.execute(f'select * from "{name}"').fetchall()).encode()
    with open_warehouse(settings) as warehouse:
        for name in warehouse.tables():
            for (row,) in warehouse.rows(f"select to_json(t)::varchar from {name} as t"):
                yield settings.database, row.encode()
