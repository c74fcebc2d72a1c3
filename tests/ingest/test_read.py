"""Files as people send them: any encoding, delimiter and habit, read cell for cell, each row by its number."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from office import CLIENT_HEADINGS, ENROLMENT_HEADINGS, client, enrolment, table

from pipelines.ingest.fields import read_file
from pipelines.ingest.table import Contents
from pipelines.sections import IngestSettings
from pipelines.sources import load_sources, source_for

LIMITS = IngestSettings()
ENROLMENTS = table(
    ENROLMENT_HEADINGS,
    [enrolment("C1", "K-7", KeyWorker="Zoë O’Brien", Contribution="£12.50"), enrolment("C2", "K-8", KeyWorker="José")],
)


def read(folder: Path, content: str | bytes, name: str = "careplan_roster_enrolments_1.csv") -> Contents:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = source_for(name, load_sources(folder))
    assert source is not None
    return read_file(path, source, LIMITS)


def cells(contents: Contents, *fields: str) -> list[tuple[Any, ...]]:
    return list(zip(*(contents.rows.column(f).to_pylist() for f in fields), strict=True))


def workbook(sheets: dict[str, list[list[Any]]], merged: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if merged:
            sheet.merge_cells(merged)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_encoding_and_delimiter(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = ENROLMENTS.replace(",", delimiter)
    contents = read(tmp_path, text.encode(encoding))
    assert cells(contents, "row_number", "client_id", "key_worker", "contribution") == [
        (2, "C1", "Zoë O’Brien", "£12.50"),
        (3, "C2", "José", ""),
    ]
    assert contents.broken == ()


def test_one_western_letter_after_a_megabyte_of_plain_text(tmp_path: Path) -> None:
    plain = table(ENROLMENT_HEADINGS, [enrolment(f"C{n}", "K-7", KeyWorker="Ann Baker") for n in range(20_000)])
    contents = read(tmp_path, (plain + "C9,K-9,,,£5,Zoë,,\r\n").encode("cp1252"))
    assert cells(contents, "contribution", "key_worker")[-1] == ("£5", "Zoë")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_any_line_end_and_none_at_the_end(tmp_path: Path, line_end: str, last: bool) -> None:
    text = table(ENROLMENT_HEADINGS, [enrolment("C1", "K-7"), enrolment("C2", "K-8")], line_end=line_end)
    contents = read(tmp_path, text if last else text.removesuffix(line_end))
    assert cells(contents, "row_number", "client_id") == [(2, "C1"), (3, "C2")]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    contents = read(
        tmp_path,
        'Enrolments of\r\n"a title\nof two lines"\r\n\r\n'  # rows 1, 2 and 3
        "ClientID,ContractNumber,KeyWorker\r\n"  # row 4
        'C1,K-7,"Ann\nBaker"\r\n'
        "\r\n"
        ",,\r\n"
        "C2,K-8\r\n"  # row 8, too short
        ",\r\n"  # row 9, blank, and short
        'C3,K-9,"said ""no"", twice"\r\n'
        "C4,K-9,x,y\r\n",  # row 11, too long
    )
    assert cells(contents, "row_number", "client_id", "key_worker") == [
        (5, "C1", "Ann\nBaker"),
        (10, "C3", 'said "no", twice'),
    ]
    assert [(row.row_number, row.reason) for row in contents.broken] == [
        (8, "the row has 2 cells, the header 3"),
        (11, "the row has 4 cells, the header 3"),
    ]


def test_an_inch_mark_opens_no_quotation(tmp_path: Path) -> None:
    contents = read(tmp_path, 'ClientID,ContractNumber,KeyWorker\nC1,K-7,5" pipe\nC2,K-8,Bob\nC3,K-9,Eve')
    assert cells(contents, "client_id", "key_worker") == [("C1", '5" pipe'), ("C2", "Bob"), ("C3", "Eve")]


def test_two_stray_quotation_marks_do_not_swallow_the_rows_between_unseen(tmp_path: Path) -> None:
    contents = read(tmp_path, 'ClientID,ContractNumber,KeyWorker\nC1,K-7,"Ann\nC2,K-8,Bob\nC3,K-9,Eve"\nC4,K-9,Flo\n')
    assert cells(contents, "row_number", "client_id") == [(2, "C1"), (3, "C2"), (4, "C3"), (5, "C4")]
    assert cells(contents, "key_worker")[:2] == [("Ann",), ("Bob",)]
    assert "A quotation mark that is not closed stands in the file" in contents.notes[0]


def test_headings_in_any_case_and_spacing_and_twice(tmp_path: Path) -> None:
    contents = read(tmp_path, "client id,CONTRACT_NUMBER,Key Worker,KeyWorker,Notes\nC1,K-7,,Ann,x\nC2,K-8,Bob,Eve,y\n")
    assert cells(contents, "client_id", "contract_number", "key_worker") == [("C1", "K-7", "Ann"), ("C2", "K-8", "Bob")]
    assert contents.unmapped == ("Notes",)


def test_a_workbook_as_an_office_saves_it(tmp_path: Path) -> None:
    first, second = [""] * len(CLIENT_HEADINGS), [""] * len(CLIENT_HEADINGS)
    first[:2], first[9] = ["C1", 12345], date(1941, 3, 12)  # type: ignore[call-overload]
    second[:2], second[9] = ["C2", "00777/A"], datetime(1950, 1, 2)  # type: ignore[call-overload]
    sheets = {
        "Notes": [["Status", "of this export"], ["sent by", "the office"]],
        "Clients": [["All our clients"], [], [*CLIENT_HEADINGS, None, None], first, [], second],
    }
    contents = read(tmp_path, workbook(sheets, merged="A1:D1"), "careplan_roster_clients_1.xlsx")
    assert cells(contents, "row_number", "client_id", "social_services_ref", "date_of_birth") == [
        (4, "C1", "12345", "1941-03-12"),
        (6, "C2", "00777/A", "1950-01-02"),
    ]
    assert set(contents.unmapped) == {"KeySafe", "AccessDetails"}


def test_a_workbook_row_with_a_cell_too_many_is_set_aside(tmp_path: Path) -> None:
    rows = [["ClientID", "Surname"], ["C1", "Archer"], ["C2", "Baker", None, "moved, one to the right"], ["C3", None]]
    contents = read(tmp_path, workbook({"Sheet1": rows}), "careplan_roster_clients_1.xlsx")
    assert cells(contents, "row_number", "client_id", "surname") == [(2, "C1", "Archer"), (4, "C3", "")]
    assert [(r.row_number, r.reason, r.text) for r in contents.broken] == [
        (3, "the row has 4 cells, the header 2", 'C2,Baker,,"moved, one to the right"')
    ]


def test_a_clients_file_reads_the_same_as_csv_and_as_workbook(tmp_path: Path) -> None:
    rows = [client("C1", Phone="01206 123456"), client("C2", Forename="Zoë", DateOfBirth="1950-01-02")]
    sheet: list[list[Any]] = [list(CLIENT_HEADINGS), *([row.get(h) for h in CLIENT_HEADINGS] for row in rows)]
    as_csv = read(tmp_path, table(CLIENT_HEADINGS, rows), "careplan_roster_clients_1.csv")
    as_workbook = read(tmp_path, workbook({"Sheet1": sheet}), "careplan_roster_clients_1.xlsx")
    assert as_csv.rows.to_pylist() == as_workbook.rows.to_pylist()
