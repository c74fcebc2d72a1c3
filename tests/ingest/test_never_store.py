"""What opens a client's door is never kept: not in the warehouse, not in the archive, not in quarantine."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import CLIENT_HEADINGS, ORDER_HEADINGS, Office, client, order, table

SECRETS = {"KeySafe": "SECRET-1234", "AccessDetails": "SECRET round the back"}
GOOD = [client(f"C{n}", **SECRETS) for n in range(1, 5)]
EXPORT = table(CLIENT_HEADINGS, GOOD)
LINE = EXPORT.splitlines()[1]

EXPORTS: dict[str, str | bytes] = {
    "good": EXPORT,
    "semicolons in cp1252": table(CLIENT_HEADINGS, GOOD, delimiter=";").replace("Ann", "Zoë").encode("cp1252"),
    "UTF-16": EXPORT.encode("utf-16"),
    "a row too long": EXPORT + LINE.replace("Ann", "Ann,Mary") + "\r\n",
    "a row much too long": EXPORT + LINE.replace("Ann", "Ann,Mary,Jane,Sue") + ",,,\r\n",
    "a row too short": EXPORT + LINE.replace("Ann,", "") + "\r\n",
    "a row cut in two": EXPORT + LINE.replace("Archer", "Arc\r\nher") + "\r\n",
    "quoted cells of several lines": EXPORT
    + LINE.replace("SECRET round", '"SECRET, round\nSECRET').replace("back", 'back"'),
    "a quotation never closed": EXPORT + LINE.replace("Ann", '"Ann') + "\r\n" + LINE,
    "stray quotation marks": EXPORT
    + LINE.replace("Archer", '"Archer') + "\r\n" + LINE + "\r\n" + LINE.replace("Ann", '"Ann') + "\r\n",
    "cut off in a secret": EXPORT[:-12],
    "under a title of forty lines": "Report\r\n" * 40 + EXPORT,
    "headings in other letters": EXPORT.replace("KeySafe", "key safe").replace("AccessDetails", "ACCESS-DETAILS"),
    "headings twice": table([*CLIENT_HEADINGS, "Key Safe"], [{**row, "Key Safe": "SECRET-9"} for row in GOOD]),
    "two tables, one below the other": EXPORT + "\r\n" + EXPORT,
    "more columns after the secrets": table([*CLIENT_HEADINGS, "Notes"], [{**row, "Notes": "n"} for row in GOOD]),
    "an unknown delimiter": EXPORT.replace(",", "^"),
}  # fmt: skip
NAMES = ["careplan_roster_clients_1.csv", "careplan_roster_visits_1.csv"]


def workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for row in book.active.iter_rows(min_row=2):
        for cell in row:
            if "SECRET" in str(cell.value):
                cell.comment = openpyxl.comments.Comment("SECRET in a comment", "office")
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def no_secret_in(office: Office) -> None:
    kept = office.everything_on_disk()
    assert b"SECRET" not in kept
    assert "SECRET".encode("utf-16-le") not in kept


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", EXPORTS)
def test_no_secret_of_a_text_file_is_kept(office: Office, case: str, name: str) -> None:
    office.land(name, EXPORTS[case])
    no_secret_in(office)


@pytest.mark.parametrize("name", ["careplan_roster_clients_1.xlsx", "clients.xlsx", "clients.csv"])
@pytest.mark.parametrize("case", ["good", "shifted", "secrets on two sheets' worth of rows"])
def test_no_secret_of_a_workbook_is_kept(office: Office, case: str, name: str) -> None:
    rows: list[list[Any]] = [[row.get(h) for h in CLIENT_HEADINGS] for row in GOOD]
    if case == "shifted":
        rows[1].insert(4, "Mary")
    if case.startswith("secrets on"):
        rows += [["Old clients"], list(CLIENT_HEADINGS), *rows]
    office.land(name, workbook([["Clients", "of the day"], list(CLIENT_HEADINGS), *rows]))
    no_secret_in(office)


def test_the_archive_holds_every_other_cell(office: Office) -> None:
    landing = office.land("careplan_roster_clients_1.csv", EXPORT)
    (kept,) = office.settings.archive.rglob("*.csv")
    rows = list(csv.reader(io.StringIO(kept.read_bytes().decode(), newline="")))
    assert rows == [
        CLIENT_HEADINGS,
        *([str(row.get(h, "")) if h not in SECRETS else "" for h in CLIENT_HEADINGS] for row in GOOD),
    ]
    assert kept.read_bytes().endswith(b"\r\n")
    assert landing.rows_loaded == 4


def test_the_archived_workbook_holds_every_other_cell_and_reads_the_same(office: Office) -> None:
    rows: list[list[Any]] = [[row.get(h) for h in CLIENT_HEADINGS] for row in GOOD]
    rows[0][1], rows[1][1] = 12345, "=SUM(1)"
    office.land("careplan_roster_clients_1.xlsx", workbook([list(CLIENT_HEADINGS), *rows]))
    (kept,) = office.settings.archive.rglob("*.xlsx")
    sheet = openpyxl.load_workbook(kept).active
    assert [cell.value for cell in sheet[2]][:-2] == rows[0][:-2]
    assert all(cell.value is None for row in sheet.iter_rows(min_row=2) for cell in row[-2:])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_file_without_such_a_heading_is_kept_byte_for_byte(office: Office, encoding: str) -> None:
    content = table(ORDER_HEADINGS, [order("PO1", Town="Key Safe, no access details", Surname="Zoë")]).encode(encoding)
    office.land("kent_purchase_orders_1.csv", content)
    (kept,) = office.settings.archive.rglob("*.csv")
    assert kept.read_bytes() == content


def test_a_row_that_is_rejected_is_kept_without_its_secrets(office: Office) -> None:
    office.land("careplan_roster_clients_1.csv", EXPORTS["a row too long"])
    assert office.rows("select row_number, reason, row_as_sent from raw.rejected_rows") == [
        (6, "the row has 26 cells, the header 25", "C1,,,,Ann,Mary,,,Archer,F,12/03/1941,,,,,CO4 3SQ,,,,,,,,,,")
    ]


DAMAGES = st.lists(
    st.tuples(
        st.integers(min_value=len(CLIENT_HEADINGS) * 8),
        st.sampled_from(['"', "\n", "\r\n", ",", ";", "é", '""', "\t", " "]),
    ),
    min_size=1,
    max_size=2,
)


@given(damages=DAMAGES, cut=st.integers(min_value=0, max_value=400))
def test_no_damage_lets_a_secret_through(tmp_path_factory: pytest.TempPathFactory, damages: Any, cut: int) -> None:
    """Two accidents, wherever they happen: marks, line ends, delimiters, a cut.

    (Three at chosen places can make a whole row of other rows' pieces, which no reader can tell from a real one.)
    """
    head, body = EXPORT.split("\r\n", 1)
    for place, mark in damages:
        at = place % len(body)
        if "SECRET" in body[max(0, at - 7) : at + 7]:
            continue
        body = body[:at] + mark + body[at:]
    text = head + "\r\n" + body
    office = Office(tmp_path_factory.mktemp("damaged") / "home")
    office.land("careplan_roster_clients_1.csv", text[: len(text) - cut] if cut < 200 else text)
    no_secret_in(office)
