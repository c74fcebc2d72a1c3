"""A file that cannot be trusted goes to quarantine with its reason beside it, and no other file waits for it."""

from __future__ import annotations

import io
import json
import struct
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import CLIENT_HEADINGS, ORDER_HEADINGS, VISIT_HEADINGS, Office, client, order, table, visit

from pipelines import nightly
from pipelines.ingest import land
from pipelines.ingest.fields import read_file
from pipelines.ingest.landing import Landing
from pipelines.ingest.refusal import FileRefusedError
from pipelines.settings import IngestSettings
from pipelines.sources import load_sources, source_for
from pipelines.warehouse import Warehouse

VISITS = table(VISIT_HEADINGS, [visit(f"V{n}", "C1") for n in range(1, 4)])
CLIENTS = table(CLIENT_HEADINGS, [client("C1"), client("C2", Forename="Bob")])


def workbook(rows: list[list[Any]], far_cell: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if far_cell:
        book.active[far_cell] = "x"
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def zeros_zipped(gigabytes: int, *, owned_up_to: int) -> bytes:
    """A workbook of one sheet that unpacks to zeros, made of one compressed block said over and over.

    ``owned_up_to`` is the size that it says it has.
    """
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = deflate.compress(bytes(1 << 24)) + deflate.flush(zlib.Z_FULL_FLUSH)
    body = block * (gigabytes << 6) + deflate.flush()
    name = b"xl/worksheets/sheet1.xml"
    fields = (0, 8, 0, 0x21, zlib.crc32(bytes(owned_up_to % 10_000)), len(body), owned_up_to)
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, *fields, len(name), 0) + name
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, *fields, len(name), 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(local) + len(body), 0)
    return local + body + entry + end


BAD_FILES: dict[str, tuple[str, str | bytes, str]] = {
    "empty": ("careplan_roster_visits_1.csv", "", "The file is empty"),
    "header only": ("careplan_roster_visits_1.csv", table(VISIT_HEADINGS, []), "at least one row"),
    "cut within a letter": ("careplan_roster_visits_1.csv", (VISITS + "V9,é").encode()[:-1], "ends within a letter"),
    "PDF named CSV": ("careplan_roster_visits_1.csv", b"%PDF-1.7\n%\xe2\xe3", "not text as its name says"),
    "workbook named CSV": ("careplan_roster_clients_1.csv", workbook([CLIENT_HEADINGS]), "not text as its name says"),
    "binary zeros": ("careplan_roster_visits_1.csv", VISITS.encode() + b"\0\0\0", "binary zeros"),
    "CSV named workbook": ("careplan_roster_clients_1.xlsx", CLIENTS, "not a whole workbook"),
    "half a workbook": (
        "careplan_roster_clients_1.xlsx",
        workbook([CLIENT_HEADINGS, ["C1"]])[:-200],
        "not a whole workbook",
    ),
    "zip bomb": ("careplan_roster_clients_1.xlsx", zeros_zipped(10, owned_up_to=0xFFFFFFFF), "unpacks to more than"),
    "two cells a million rows apart": (
        "careplan_roster_clients_1.xlsx",
        workbook([CLIENT_HEADINGS, ["C1"]], far_cell="A1048576"),
        "nearly all empty",
    ),
    "no such headings": ("careplan_roster_visits_1.csv", "Name,Town\nAnn,York\n", "holds the headings"),
    "another feed's headings": ("careplan_roster_visits_1.csv", CLIENTS, "not the roster_visits file"),
    "no mapping": ("rota_november.csv", VISITS, "No source mapping fits"),
    "most rows unreadable": (
        "careplan_roster_visits_1.csv",
        table(VISIT_HEADINGS, [visit(f"V{n}", "C1", VisitDate="?") for n in range(5)]),
        "at least half of the rows can be read",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_quarantined_with_its_reason_and_the_good_one_lands(office: Office, case: str) -> None:
    name, content, reason = BAD_FILES[case]
    office.deliver(name, content)
    office.deliver("zz_roster_enrolments_1.csv", "ClientID,ContractNumber\nC1,K-7\n")
    began = time.monotonic()
    bad, good = office.land_all()
    assert time.monotonic() - began < 20
    assert (bad.status, bad.rows_loaded) == ("quarantined", 0)
    assert reason in (bad.reason or "")
    assert (good.status, good.rows_loaded) == ("loaded", 1)
    (note,) = office.settings.quarantine.glob("*.reason.json")
    assert reason in json.loads(note.read_text())["reason"]
    kept = [p.read_bytes() for p in office.settings.quarantine.iterdir() if p != note]
    if bad.left_in_inbox:
        assert kept == []
        assert (office.settings.inbox / name).exists()
    else:
        if "AccessDetails" not in str(content):
            assert kept == [content.encode() if isinstance(content, str) else content]
        assert list(office.settings.inbox.iterdir()) == []
    assert office.rows("select status, rows_loaded from raw.files where feed <> 'roster_enrolments'") == [
        ("quarantined", 0)
    ]
    assert office.rows("select count(*) from raw.roster_visits") == [(0,)]


def test_the_same_file_reference_with_other_content_is_not_loaded_again(office: Office) -> None:
    first = [order("PO1", FileReference="KENT-1")]
    office.land("kent_purchase_orders_1.csv", table(ORDER_HEADINGS, first))
    other = [order("PO2", FileReference="KENT-1")]
    again = office.land("kent_purchase_orders_2.csv", table(ORDER_HEADINGS, other))
    assert again.status == "quarantined"
    assert "Its FileReference was loaded before" in (again.reason or "")
    assert office.rows("select purchase_order_number from raw.purchase_orders") == [("PO1",)]


def test_the_same_file_reference_of_another_council_is_another_file(office: Office) -> None:
    office.land("kent_purchase_orders_1.csv", table(ORDER_HEADINGS, [order("PO1", FileReference="1")]))
    landing = office.land("essex_purchase_orders_1.csv", table(ORDER_HEADINGS, [order("PO2", FileReference="1")]))
    assert landing.status == "loaded"


def test_a_file_that_grows_while_it_is_read_waits(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    path = office.deliver("careplan_roster_visits_1.csv", VISITS)

    def read_while_it_grows(*arguments: Any) -> Any:
        contents = read_file(*arguments)
        with path.open("a") as file:
            file.write("V9,C1,,20/11/2026,08:00,30,,,,Completed\r\n")
        return contents

    with monkeypatch.context() as patched:
        patched.setattr(land, "read_file", read_while_it_grows)
        assert office.land(path.name).status == "waiting"
    assert path.exists()
    landing = office.land(path.name)
    assert (landing.status, landing.rows_loaded) == ("loaded", 4)


CORRECTED = table(VISIT_HEADINGS, [visit("V1", "C1", Status="Cancelled")]).encode()


@pytest.mark.parametrize("moment", ["while it is read", "while it is archived", "once its rows are kept"])
@pytest.mark.parametrize("how", ["another file is moved there", "it is written over"])
def test_a_file_that_is_replaced_while_it_is_landed_is_not_lost(
    office: Office, monkeypatch: pytest.MonkeyPatch, moment: str, how: str
) -> None:
    path = office.deliver("careplan_roster_visits_1.csv", VISITS)

    def replace() -> None:
        if how == "it is written over":
            path.write_bytes(CORRECTED)
        else:
            other = path.with_name("corrected.part")
            other.write_bytes(CORRECTED)
            other.replace(path)

    where, name = {
        "while it is read": (land, "read_file"),
        "while it is archived": (land, "keep_copy"),
        "once its rows are kept": (Warehouse, "checkpoint"),
    }[moment]
    with monkeypatch.context() as patched:
        really = getattr(where, name)
        done: list[bool] = []

        def at_that_moment(*arguments: Any, **options: Any) -> Any:
            found = really(*arguments, **options)
            if not done:
                done.append(True)
                replace()
            return found

        patched.setattr(where, name, at_that_moment)
        landing = office.land(path.name)
    assert landing.status == ("loaded" if moment == "once its rows are kept" else "waiting")
    assert path.read_bytes() == CORRECTED
    assert office.land(path.name).status == "loaded"
    assert not path.exists()
    assert ("V1", "Cancelled") in office.rows("select visit_id, status from raw.roster_visits")
    archived = [file.read_bytes() for file in office.settings.archive.rglob("*.csv")]
    loaded = office.one("select count(*) from raw.files where status = 'loaded'")
    assert CORRECTED in archived and len(archived) == loaded


def test_a_file_that_is_gone_waits(office: Office) -> None:
    landing = office.land("careplan_roster_visits_1.csv")
    assert landing.status == "waiting"
    assert "careplan_roster_visits_1" not in (landing.reason or "")


def test_a_refused_file_that_is_mended_by_renaming_is_loaded(office: Office) -> None:
    assert office.land("rota.csv", VISITS).status == "quarantined"
    assert office.land("careplan_roster_visits_1.csv", VISITS).status == "loaded"
    assert office.rows("select file_name, status from raw.files order by landed_at") == [
        ("rota.csv", "quarantined"),
        ("careplan_roster_visits_1.csv", "loaded"),
    ]


WHOLE = [
    ("V1", "C1", "PO1", "20/11/2026", "08:00", "30", "", "", "1", "Completed"),
    ("V2", "C2", "PO1", "20/11/2026", "09:00", "45", "", "", "1", "Missed"),
    ("V3", "Zoë", "PO,1", "20/11/2026", "10:00", "30", "", "", "1", "Completed"),
    ("V4", "C4", "line\nend", "20/11/2026", "11:00", "30", "", "", "2", "Missed"),
    ("V5", "C5", "", "20/11/2026", "12:00", "30", "", "", "2", "Completed"),
]
TEXTS = {
    "CRLF": table(VISIT_HEADINGS, [dict(zip(VISIT_HEADINGS, row, strict=True)) for row in WHOLE]),
    "LF": table(VISIT_HEADINGS, [dict(zip(VISIT_HEADINGS, row, strict=True)) for row in WHOLE], line_end="\n"),
}


@pytest.mark.parametrize("line_end", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-8-sig"])
def test_a_file_cut_anywhere_is_refused_or_gives_its_first_rows(tmp_path: Path, line_end: str, encoding: str) -> None:
    """A last row without all its cells is rejected, and the file is reported as perhaps cut off."""
    whole = TEXTS[line_end].encode(encoding)
    path = tmp_path / "careplan_roster_visits_1.csv"
    source = source_for(path.name, load_sources(tmp_path))
    assert source is not None
    refused = 0
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        try:
            contents = read_file(path, source, IngestSettings())
        except FileRefusedError:
            refused += 1
            continue
        rows = [tuple(row.values())[1:] for row in contents.rows.to_pylist()]
        assert len(contents.broken) <= 2  # the row that was cut, of one line or two
        assert not contents.broken or any("perhaps cut off" in note for note in contents.notes)
        assert rows[:-1] == WHOLE[: max(len(rows) - 1, 0)]
        if rows:
            assert rows[-1][:-1] == WHOLE[len(rows) - 1][:-1]
            assert WHOLE[len(rows) - 1][-1].startswith(rows[-1][-1])
    assert refused


@pytest.mark.parametrize(
    ("content", "loaded", "rejected"),
    [(VISITS[:-30], 2, 1), (VISITS[:-5], 3, 0), (VISITS + 'V9,C1,,"20/11', 3, 1)],
    ids=["within a row", "within the last cell", "within a quotation"],
)
def test_a_file_that_is_perhaps_cut_off_gives_its_whole_rows_and_says_so(
    office: Office, content: str, loaded: int, rejected: int
) -> None:
    path = office.deliver("careplan_roster_visits_1.csv", content)
    source = source_for(path.name, load_sources(office.settings.sources))
    assert source is not None
    assert "perhaps cut off" in " ".join(read_file(path, source, IngestSettings()).notes)
    (landing,) = office.land_all()
    assert (landing.status, landing.rows_loaded, landing.rows_rejected) == ("loaded", loaded, rejected)


@given(kept=st.integers(min_value=0))
def test_a_workbook_cut_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, kept: int) -> None:
    whole = workbook([CLIENT_HEADINGS, ["C1"], ["C2"]])
    path = tmp_path_factory.mktemp("cut") / "careplan_roster_clients_1.xlsx"
    path.write_bytes(whole[: kept % len(whole)])
    source = source_for(path.name, load_sources(path.parent))
    assert source is not None
    with pytest.raises(FileRefusedError):
        read_file(path, source, IngestSettings())


def test_what_a_landing_tells_names_no_file_and_no_cell(office: Office) -> None:
    landing: Landing = office.land("kent_purchase_orders_archer.csv", table(ORDER_HEADINGS, [order("PO1")]))
    told = json.dumps(landing.as_dict()).lower()
    assert "archer" not in told
    assert "po1" not in told


def test_a_bomb_that_lies_about_its_size_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "careplan_roster_clients_1.xlsx"
    path.write_bytes(zeros_zipped(1, owned_up_to=1_000))
    source = source_for(path.name, load_sources(tmp_path))
    assert source is not None
    with pytest.raises(FileRefusedError, match="unpacks to more than 100 MB"):
        read_file(path, source, IngestSettings(max_unpacked_megabytes=100))


def test_a_bomb_of_ten_gigabytes_is_small_on_disk() -> None:
    bomb = zeros_zipped(10, owned_up_to=0xFFFFFFFF)
    assert len(bomb) < 12_000_000
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive, archive.open(archive.namelist()[0]) as sheet:
        assert sheet.read(1 << 20) == bytes(1 << 20)


def test_an_error_that_nobody_foresaw_stops_no_other_file(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        office.deliver(f"careplan_roster_visits_{number}.csv", table(VISIT_HEADINGS, [visit(f"V{number}", "C1")]))

    def fails_for_the_second(path: Path, *arguments: Any) -> Any:
        if path.name == "careplan_roster_visits_2.csv":
            raise ZeroDivisionError
        return read_file(path, *arguments)

    monkeypatch.setattr(land, "read_file", fails_for_the_second)
    deliveries = nightly.find_deliveries(office.settings.inbox, office.day)
    with pytest.raises(ZeroDivisionError):
        nightly.land(office.settings, office.settings.inbox, office.day, *deliveries)
    assert office.rows("select visit_id from raw.roster_visits order by 1") == [("V1",), ("V3",)]
    assert [path.name for path in office.settings.inbox.iterdir()] == ["careplan_roster_visits_2.csv"]
