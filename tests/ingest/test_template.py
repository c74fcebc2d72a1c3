"""The empty workbook for senders: what is filled in arrives, and nothing else of it is read."""

from __future__ import annotations

import json
from datetime import date, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result
from office import Office
from openpyxl.utils import get_column_letter

from pipelines.cli import main
from pipelines.feeds import FEEDS
from pipelines.sources import load_sources
from pipelines.sources.template_notes import note_of

FILLED_IN: dict[str, list[dict[str, Any]]] = {
    "roster_clients": [
        {"ClientID": "0017", "Forename": "Margaret", "Surname": "O'Sullivan", "DateOfBirth": date(1938, 4, 3),
         "Gender": "Female", "Postcode": "ME14 1AB", "Phone": "01622 555123", "Status": "Active",
         "SocialServicesRef": "00345678"},
        {"ClientID": "0018", "Forename": "Arthur", "Surname": "Bell", "DateOfBirth": date(1941, 12, 25)},
    ],
    "purchase_orders": [
        {"FileReference": "KENT-47", "PurchaseOrderNumber": "004500011", "LineNumber": "1", "Forename": "Margaret",
         "Surname": "O'Sullivan", "DateOfBirth": date(1938, 4, 3), "StartDate": date(2026, 11, 2), "WeeklyUnits": 7.5,
         "UnitOfMeasure": "Hours", "Rate": 21.4, "Carers": 1, "Status": "Active", "SocialServicesRef": "00345678"},
    ],
    "roster_visits": [
        {"VisitID": "V1", "ClientID": "0017", "VisitDate": date(2026, 11, 16), "StartTime": time(8, 30),
         "PlannedMinutes": 30, "ActualStart": time(8, 34), "ActualMinutes": 28, "Carers": 1, "Status": "Completed"},
        {"VisitID": "V2", "ClientID": "0017", "VisitDate": date(2026, 11, 17), "StartTime": time(20, 0)},
    ],
    "roster_enrolments": [
        {"ClientID": "0017", "ContractNumber": "C-1", "FundingType": "Council", "Contribution": 45,
         "StartDate": date(2026, 11, 2)},
    ],
}  # fmt: skip


def oneclient(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def fill_in(path: Path, rows: list[dict[str, Any]]) -> None:
    book = openpyxl.load_workbook(path)
    page = book.worksheets[0]
    places = {cell.value: place for place, cell in enumerate(page[1], start=1)}
    for number, row in enumerate(rows, start=2):
        for heading, value in row.items():
            page.cell(number, places[heading]).value = value
    book.save(path)


@pytest.mark.parametrize("feed", FEEDS)
def test_every_row_that_is_filled_in_arrives(tmp_path: Path, feed: str) -> None:
    office = Office(tmp_path / "home")
    file = office.settings.inbox / f"kent_{feed}_20261120.xlsx"
    assert oneclient("template", feed, "--out", file).exit_code == 0
    fill_in(file, FILLED_IN[feed])
    (landing,) = office.land_all()
    assert (landing.status, landing.rows_loaded, landing.rows_rejected) == ("loaded", len(FILLED_IN[feed]), 0)
    assert office.rows("select * from raw.unread_values") == []


def test_zeros_dates_and_names_are_as_they_were_written(tmp_path: Path) -> None:
    office = Office(tmp_path / "home")
    file = office.settings.inbox / "careplan_roster_clients_20261120.xlsx"
    oneclient("template", "roster_clients", "--out", file)
    fill_in(file, FILLED_IN["roster_clients"])
    office.night()
    assert office.rows("select client_ref, surname, born_on::varchar from staged.clients order by 1") == [
        ("careplan/0017", "O'Sullivan", "1938-04-03"),
        ("careplan/0018", "Bell", "1941-12-25"),
    ]


def test_an_empty_template_holds_no_row(tmp_path: Path) -> None:
    """Neither its notes nor its examples are read as data."""
    office = Office(tmp_path / "home")
    file = office.settings.inbox / "careplan_roster_visits_20261120.xlsx"
    oneclient("template", "roster_visits", "--out", file)
    (landing,) = office.land_all()
    assert landing.rows_loaded == 0


@pytest.mark.parametrize("feed", FEEDS)
def test_the_headings_are_those_of_the_built_in_mapping(tmp_path: Path, feed: str) -> None:
    said = json.loads(oneclient("template", feed, "--out", tmp_path / "a.xlsx", "--json").stdout)
    source = next(one for one in load_sources(tmp_path) if one.feed == feed)
    assert sorted(said["headings"]) == sorted(source.headings)
    assert sorted(said["required"]) == sorted(source.required_headings)
    notes = openpyxl.load_workbook(tmp_path / "a.xlsx")["Notes"]
    told = {row[0].value for row in notes.iter_rows()}
    assert {f"Column {heading}" for heading in source.headings} <= told


@pytest.mark.parametrize("feed", FEEDS)
def test_each_field_has_a_note(feed: str) -> None:
    assert all(note_of(feed, name).what for name in FEEDS[feed].field_names)


def test_ids_are_text_and_dates_are_dates(tmp_path: Path) -> None:
    oneclient("template", "purchase_orders", "--out", tmp_path / "a.xlsx")
    page = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    forms = {
        cell.value: page.column_dimensions[get_column_letter(n)].number_format for n, cell in enumerate(page[1], 1)
    }
    assert (forms["PurchaseOrderNumber"], forms["SocialServicesRef"], forms["StartDate"]) == ("@", "@", "yyyy-mm-dd")
    lists = [rule.formula1 for rule in page.data_validations.dataValidation if rule.type == "list"]
    assert '"Hours,Visits,Days,Nights,Weeks"' in lists


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "a.xlsx"
    out.write_bytes(b"mine")
    refused = oneclient("template", "roster_visits", "--out", out)
    assert (refused.exit_code, "[U3]" in refused.stderr, out.read_bytes()) == (2, True, b"mine")
    assert oneclient("template", "roster_visits", "--out", out, "--force").exit_code == 0


@pytest.mark.parametrize("out", ["a.csv", "no folder/a.xlsx"])
def test_it_has_to_be_a_workbook_in_a_folder(tmp_path: Path, out: str) -> None:
    assert oneclient("template", "roster_visits", "--out", tmp_path / out).exit_code == 2
