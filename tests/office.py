"""A care provider's office in a temporary folder: put files into its inbox, run its night, look at its tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.ingest.discover import discover
from pipelines.ingest.land import land_file
from pipelines.ingest.landing import Landing
from pipelines.settings import Settings, load_settings
from pipelines.sources import load_sources
from pipelines.stage.register import Staging, stage_files
from pipelines.warehouse import NOT_STATE, open_warehouse

NIGHT = date(2026, 11, 20)
Row = Mapping[str, object]

_HEADINGS = {
    source.feed: [*source.columns, *source.never_store] for source in load_sources(Path("no mappings of our own"))
}
CLIENT_HEADINGS = _HEADINGS["roster_clients"]
ORDER_HEADINGS = _HEADINGS["purchase_orders"]
VISIT_HEADINGS = _HEADINGS["roster_visits"]
ENROLMENT_HEADINGS = _HEADINGS["roster_enrolments"]


def client(client_id: str, **cells: object) -> Row:
    """A rostering client: Ann Archer of Colchester, but for what is said otherwise."""
    person = {"Forename": "Ann", "Surname": "Archer", "Gender": "F", "DateOfBirth": "12/03/1941", "Status": "Active"}
    return {"ClientID": client_id, **person, "Postcode": "CO4 3SQ", **cells}


def order(number: str, **cells: object) -> Row:
    """A purchase order line for Ann Archer, but for what is said otherwise."""
    person = {"Forename": "Ann", "Surname": "Archer", "Gender": "F", "DateOfBirth": "12/03/1941", "Status": "Open"}
    return {"PurchaseOrderNumber": number, "LineNumber": "1", "StartDate": "01/11/2026", **person, **cells}


def visit(visit_id: str, client_id: str, **cells: object) -> Row:
    """A half-hour visit on the night's day."""
    day = {"VisitDate": "20/11/2026", "StartTime": "08:00", "PlannedMinutes": "30", "Status": "Completed"}
    return {"VisitID": visit_id, "ClientID": client_id, **day, **cells}


def enrolment(client_id: str, contract: str, **cells: object) -> Row:
    """A contract enrolment."""
    return {"ClientID": client_id, "ContractNumber": contract, "StartDate": "01/11/2026", **cells}


def table(headings: Iterable[str], rows: Iterable[Row], delimiter: str = ",", line_end: str = "\r\n") -> str:
    """Rows as CSV text; a cell that a row does not name is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(headings), restval="", delimiter=delimiter, lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


class Office:
    """One provider's home and what its staff do with it."""

    def __init__(self, home: Path, day: date = NIGHT) -> None:
        self.settings: Settings = load_settings(home)
        self.day = day

    def deliver(self, file_name: str, content: str | bytes) -> Path:
        """Put a file into the inbox; text is written as UTF-8."""
        path = self.settings.inbox / file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def land(self, file_name: str, content: str | bytes | None = None) -> Landing:
        """Deliver one file and land it."""
        path = self.settings.inbox / file_name if content is None else self.deliver(file_name, content)
        return land_file(self.settings, path, self.day)

    def clients(self, *rows: Row, system: str = "careplan", on: str = "20261120") -> None:
        """A rostering system's client export comes in."""
        self.deliver(f"{system}_roster_clients_{on}.csv", table(CLIENT_HEADINGS, rows))

    def orders(self, *rows: Row, council: str = "kent", on: str = "20261120") -> None:
        """A council's purchase orders come in."""
        self.deliver(f"{council}_purchase_orders_{on}.csv", table(ORDER_HEADINGS, rows))

    def visits(self, *rows: Row, system: str = "careplan", on: str = "20261120") -> None:
        """A rostering system's visits come in."""
        self.deliver(f"{system}_roster_visits_{on}.csv", table(VISIT_HEADINGS, rows))

    def enrolments(self, *rows: Row, system: str = "careplan", on: str = "20261120") -> None:
        """A rostering system's contract enrolments come in."""
        self.deliver(f"{system}_roster_enrolments_{on}.csv", table(ENROLMENT_HEADINGS, rows))

    def land_all(self) -> list[Landing]:
        """Land everything that lies in the inbox."""
        return [land_file(self.settings, d.path, self.day) for d in discover(self.settings.inbox, self.day)]

    def night(self, day: date | None = None) -> Staging:
        """Land the inbox and bring the register up to date."""
        self.day = day or self.day
        self.land_all()
        return stage_files(self.settings, self.day)

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        with open_warehouse(self.settings) as warehouse:
            return warehouse.rows(sql, parameters)

    def one(self, sql: str, **parameters: Any) -> Any:
        """Ask the warehouse for one value."""
        return self.rows(sql, **parameters)[0][0]

    def record_of(self, record_id: str) -> str:
        """The readable id of the client record that a rostering client or an order line came in for."""
        (ref,) = self.rows(
            "select c.client_ref from staged.source_records as s"
            " join staged.client_ids as c on c.client_id = s.origin_client_id where s.record_id = $id",
            id=record_id,
        )
        return str(ref[0])

    def linked(self) -> dict[str, tuple[str, str]]:
        """Each source row with its client record and how it was linked to it."""
        return {
            record_id: (client_ref, how)
            for record_id, client_ref, how in self.rows(
                "select s.record_id, c.client_ref, s.how_linked from staged.source_records as s"
                " join staged.client_ids as c on c.client_id = s.origin_client_id"
            )
        }

    def state(self, *schemas: str) -> dict[str, list[str]]:
        """Every kept row as text, clock times and the lines of refused files left out: equal states are equal."""
        with open_warehouse(self.settings) as warehouse:
            return {
                name: sorted(map(repr, warehouse.rows(f"select {_columns(warehouse, name)} from {name} {_kept(name)}")))
                for name in warehouse.tables(*schemas)
            }

    def everything_on_disk(self) -> bytes:
        """Every byte kept in the home but the inbox; workbooks also unpacked."""
        import zipfile

        found = []
        for path in sorted(p for p in self.settings.home.rglob("*") if p.is_file()):
            if self.settings.inbox in path.parents:
                continue
            found.append(path.read_bytes())
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    found += [archive.read(member) for member in archive.namelist()]
        return b"\n".join(found)


def _columns(warehouse: Any, name: str) -> str:
    return ", ".join(f'"{c}"' for c, *_ in warehouse.rows(f"describe {name}") if not c.endswith(NOT_STATE))


def _kept(name: str) -> str:
    return "where status = 'loaded'" if name == "raw.files" else ""
