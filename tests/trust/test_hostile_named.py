"""Files, names, mappings and settings made to hurt, each by name."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from office import CLIENT_HEADINGS, NIGHT, VISIT_HEADINGS, Office, client, table, visit

from pipelines.cli import main
from pipelines.ingest.fields import read_file
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.table import Contents
from pipelines.match.labelled import load_labelled
from pipelines.nightly import find_deliveries, take_decisions
from pipelines.settings import IngestSettings, SettingsError, load_settings
from pipelines.sources import load_sources, source_for
from pipelines.warehouse import scratch_warehouse
from tests.trust import hostile
from tests.trust.hostile import BUILT_IN, CLIENT_BOOK, FULL, ROOT, SHEET, VISITS, everything_in

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAPPINGS = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
MAPPING = re.search(r"```yaml\n(.*?)```", MAPPINGS, re.DOTALL)[1]  # type: ignore[index]
SETTINGS = re.sub(r"^# (?=\w+ =)", "", re.search(r"```toml\n(.*?)```", README, re.DOTALL)[1], flags=re.MULTILINE)  # type: ignore[index]


ROW = b"</sheetData>"
SHARED = "xl/sharedStrings.xml"


def below(rows: bytes) -> hostile.Damage:
    """Rows put below those of a sheet."""
    return lambda sheet: sheet.replace(ROW, rows + ROW)


def declaring(document: bytes, entity: bytes) -> hostile.Damage:
    """A document type put before a sheet, and a cell that shows one of its entities."""
    cell = b'<row><c t="inlineStr"><is><t>' + entity + b"</t></is></c></row>"
    return lambda sheet: document + below(cell)(sheet.partition(b"?>")[2])


CELL = b"<c><v>1</v></c>"
LAUGHS = b"".join(b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
BOMBS: dict[str, hostile.Damage] = {
    "far cell, spaces in its place": below(b'<row r = "9"><c r = "XFD1048576"><v>1</v></c></row>'),
    "a full row, and a cell a million rows below, no place said": below(
        b'<row r="9">' + CELL * 16_384 + b'</row><row r="1048576">' + CELL + b"</row>"
    ),
    "a cell below every sheet": below(b'<row r="99999999999999999999">' + CELL + b"</row>"),
    "a cell right of every sheet": below(b'<row r="9"><c r="ZZZZZZZ9"><v>1</v></c></row>'),
    "a place in small letters": below(b'<row r="9"><c r="xfd1048576"><v>1</v></c></row>'),
    "a prefix on every name": below(b'<x:row r="9"><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>'),
    "billion laughs": declaring(b"<!DOCTYPE w [<!ENTITY a 'ha'>" + LAUGHS + b"]>", b"&j;"),
    "another file as an entity": declaring(b"<!DOCTYPE w [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>", b"&a;"),
    "elements without end": below(b"<a>" * 200_000),
    "a sheet that is no XML": lambda sheet: b"what follows is a sheet" + sheet,
    "an encoding that there is not": lambda sheet: sheet.replace(b"UTF-8", b"UTF-1"),
}


def bounded(code: str, argument: object, gigabytes: int = 4) -> tuple[str, int]:
    """What a script prints in a process of its own that may not take more memory, and its peak in megabytes."""
    script = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({gigabytes} << 30, {gigabytes} << 30))
from pathlib import Path
from office import Office
from pipelines.ingest.fields import read_file
from pipelines.ingest.refusal import FileRefusedError
from pipelines.sample import make_sample
from pipelines.settings import IngestSettings
from pipelines.sources import load_sources, source_for
given = Path(sys.argv[1])
{code}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(argument)], capture_output=True, text=True, cwd=ROOT, check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    *said, peak = done.stdout.splitlines()
    return "\n".join(said), int(peak)


class TestWorkbooksMadeToHurt:
    def test_what_would_fill_the_memory_or_end_the_process_is_refused(self, tmp_path: Path) -> None:
        """The reader of workbooks ends its process where it cannot have the memory, so none of these may reach it."""
        for number, damage in enumerate(BOMBS.values()):
            folder = tmp_path / f"{number:02}"
            folder.mkdir()
            (folder / "careplan_roster_clients_1.xlsx").write_bytes(hostile.edited(CLIENT_BOOK, SHEET, damage))
        said, _ = bounded(
            "source = source_for('careplan_roster_clients_1.xlsx', load_sources(given))\n"
            "for path in sorted(given.rglob('*.xlsx')):\n"
            "    try: read_file(path, source, IngestSettings()); print('read')\n"
            "    except FileRefusedError as refusal: print('refused')",
            tmp_path,
        )
        assert dict(zip(BOMBS, said.split(), strict=True)) == dict.fromkeys(BOMBS, "refused")

    def test_a_long_text_that_ten_thousand_cells_share_is_counted_in_each(self, tmp_path: Path) -> None:
        parts = hostile.parts_of(CLIENT_BOOK)
        last = parts[SHARED].count(b"<si>")
        text, rows = b"<si><t>" + b"x" * 1_000_000 + b"</t></si></sst>", range(9, 10_009)
        cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>%d</v></c></row>' % (n, n, last) for n in rows)
        parts |= {SHARED: parts[SHARED].replace(b"</sst>", text), SHEET: parts[SHEET].replace(ROW, cells + ROW)}
        with pytest.raises(FileRefusedError, match="unpacks to more than"):
            self.read(tmp_path, hostile.as_book(list(parts.items())))

    def test_a_long_note_in_one_cell_beside_many_short_ones_is_read(self, tmp_path: Path) -> None:
        rows = [["C1", "x" * 32_000], *([f"C{n}", "same"] for n in range(2, 4_000))]
        assert self.read(tmp_path, hostile.workbook([["ClientID", "Notes"], *rows])).rows.num_rows == 3_999

    def test_a_million_empty_rows_below_the_table_are_no_rows(self, tmp_path: Path) -> None:
        empty = b"".join(b'<row r="%d"/>' % n for n in range(10, 1_048_577))
        book = hostile.edited(CLIENT_BOOK, SHEET, lambda sheet: sheet.replace(ROW, empty + ROW))
        assert self.read(tmp_path, book).rows.num_rows == 4

    @pytest.mark.parametrize("name", ["x" * 5_000, "a[b]:*?", "'", "", "History", "../../x", "Zo\u202eë"])
    def test_a_sheet_may_have_any_name(self, office: Office, name: str) -> None:
        named = f'name="{name}"'.encode()
        book = hostile.edited(CLIENT_BOOK, "xl/workbook.xml", lambda part: part.replace(b'name="Clients"', named))
        landing = office.land("careplan_roster_clients_1.xlsx", book)
        assert (landing.status, landing.rows_loaded) == ("loaded", 4)

    def test_a_part_that_wants_to_lie_elsewhere_goes_nowhere(self, tmp_path: Path) -> None:
        for name in ("../../../oneclient-was-here", f"{tmp_path}/oneclient-was-here", "..\\oneclient-was-here"):
            book = hostile.as_book([*hostile.parts_of(CLIENT_BOOK).items(), (name, b"<x/>")])
            assert self.read(tmp_path, book).rows.num_rows == 4
        assert [path.name for path in tmp_path.rglob("*")] == ["careplan_roster_clients_1.xlsx"]

    @staticmethod
    def read(folder: Path, book: bytes) -> Contents:
        path = folder / "careplan_roster_clients_1.xlsx"
        path.write_bytes(book)
        source = source_for(path.name, BUILT_IN)
        assert source is not None
        return read_file(path, source, IngestSettings())


class TestTextsMadeToHurt:
    @pytest.mark.parametrize("heading", ["KeySafe", "VisitID"] if FULL else ["KeySafe"])
    def test_a_line_without_end_is_refused_in_bounded_memory(self, tmp_path: Path, heading: str) -> None:
        """1 GB at full size; also one that mentions what must never be stored, and so has to be searched for it."""
        office = Office(tmp_path / "home")
        megabytes = 1_024 if FULL else 32
        with (office.settings.inbox / "careplan_roster_visits_1.csv").open("wb") as file:
            file.write(VISITS.replace("Status", f"Status,{heading}").encode())
            for _ in range(megabytes):
                file.write(b"x," * (1 << 19))
        said, peak = bounded(
            "office = Office(given)\n"
            "office.land('careplan_roster_clients_0.csv', 'ClientID\\nC1\\n')\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
            "print(*(landing.status for landing in office.land_all()))",
            office.settings.home,
            gigabytes=64,
        )
        at_rest, status = said.splitlines()
        assert status == "quarantined"
        assert peak - int(at_rest) < 200 + megabytes

    def test_sixteen_thousand_columns_are_read(self, tmp_path: Path) -> None:
        office = Office(tmp_path / "home")
        more = [f"X{n}" for n in range(16_384 - len(VISIT_HEADINGS))]
        landing = office.land(
            "careplan_roster_visits_1.csv", table([*VISIT_HEADINGS, *more], [visit("V1", "C1", X7="x")])
        )
        assert (landing.status, landing.rows_loaded) == ("loaded", 1)

    def test_binary_zeros_far_down_the_file_lose_no_row(self, tmp_path: Path) -> None:
        office = Office(tmp_path / "home")
        rows = [visit(f"V{n}", "C1") for n in range(9_000)]
        data = table(VISIT_HEADINGS, [*rows, visit("V\0", "C\0", Status="\0")])
        landing = office.land("careplan_roster_visits_1.csv", data)
        assert landing.rows_read == 9_001 or landing.status == "quarantined"
        assert office.one("select count(*) from raw.roster_visits") == landing.rows_loaded

    @pytest.mark.parametrize("cell", ["1e999", "-1e999", "NaN", "inf", "9" * 400, "12,5O", "1_000", "٣", "£-", "0x10"])
    def test_a_number_that_is_none_is_told_and_not_guessed(self, office: Office, cell: str) -> None:
        office.land("kent_purchase_orders_1.csv", table(["PurchaseOrderNumber", "StartDate", "Rate"], [
            {"PurchaseOrderNumber": "PO1", "StartDate": "20/11/2026", "Rate": cell}
        ]))  # fmt: skip
        assert office.rows("select column_name, value_as_sent from raw.unread_values") == [("rate", cell)]

    @pytest.mark.parametrize(
        "cell", ["31/02/0000", "00/00/0000", "31/02/2026", "99999-99-99", "0001-01-01", "20/11/202６"]
    )
    def test_a_day_that_is_none_rejects_its_visit(self, office: Office, cell: str) -> None:
        good = [visit(f"V{n}", "C1") for n in range(3)]
        landing = office.land(
            "careplan_roster_visits_1.csv", table(VISIT_HEADINGS, [*good, visit("V9", "C1", VisitDate=cell)])
        )
        assert (landing.rows_loaded, landing.rows_rejected) == (3, 1)


class TestTheInbox:
    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        """Something that is not oneclient's, in which nothing may change."""
        (tmp_path / "outside" / "2026-11-19").mkdir(parents=True)
        for name in ("careplan_roster_visits_1.csv", "2026-11-19/careplan_roster_visits_2.csv", "x_decisions.csv"):
            (tmp_path / "outside" / name).write_text(VISITS)
        return tmp_path / "outside"

    @pytest.mark.parametrize(
        "what", ["file", "folder", "loop", "nothing", "pipe", "socket", "device", "decisions", "own"]
    )
    def test_what_is_no_file_is_told_and_never_opened(
        self, office: Office, outside: Path, what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inbox = office.settings.inbox
        name = {"folder": "2026-11-19", "decisions": "my_decisions.csv"}.get(what, "careplan_roster_visits_1.csv")
        if what == "pipe":
            os.mkfifo(inbox / name)
        elif what == "socket":
            monkeypatch.chdir(inbox)
            socket.socket(socket.AF_UNIX).bind(name)
        else:
            target_of = {
                "file": outside / "careplan_roster_visits_1.csv", "folder": outside / "2026-11-19",
                "loop": inbox / name, "nothing": outside / "not there", "device": Path("/dev/zero"),
                "decisions": outside / "x_decisions.csv", "own": office.settings.home / "settings.toml",
            }  # fmt: skip
            (inbox / name).symlink_to(target_of[what])
        os.mkfifo(inbox / "pipe_decisions.csv")
        office.deliver("zz_roster_visits_1.csv", VISITS)
        before = everything_in(outside, but=Path())
        landings = office.land_all()
        assert sorted(landing.status for landing in landings) == ["loaded", "waiting", "waiting"]
        assert {landing.reason for landing in landings if landing.status == "waiting"} == {
            "It is a link, a pipe or a device, so it was not opened. Put the file itself into the inbox instead."
        }
        assert len(find_deliveries(inbox, NIGHT)) == 2
        assert take_decisions(office.settings, inbox, NIGHT).files == 0
        assert everything_in(outside, but=Path()) == before
        assert list(office.settings.quarantine.iterdir()) == []

    def test_a_folder_named_like_a_feed_is_left_alone(self, office: Office) -> None:
        office.deliver("careplan_roster_visits_1.csv/careplan_roster_visits_1.csv", VISITS)
        assert office.land_all() == []

    def test_the_other_name_of_a_file_is_left_to_its_owner(self, office: Office, outside: Path) -> None:
        theirs = outside / "careplan_roster_visits_1.csv"
        os.link(theirs, office.settings.inbox / theirs.name)
        (landing,) = office.land_all()
        assert landing.status == "loaded"
        assert theirs.read_text() == VISITS.replace("\r\n", "\n")

    @pytest.mark.parametrize(
        "name",
        [
            b"a\nb", b"a'\"; drop table raw.files; --", b"--help", b"a" * 235, "\u202e\u200b".encode(), b"$(id)`id`",
            b"{{7*7}}<b>", b"*?[a]", b"x\\..\\", b" ",
        ],
    )  # fmt: skip
    def test_a_name_is_only_a_name(self, office: Office, name: bytes) -> None:
        self.deliver(office, name + b"_roster_visits_1.csv")
        (landing,) = office.land_all()
        assert (landing.status, landing.rows_loaded) == ("loaded", 4)
        assert landing.issuer
        assert landing.issuer.isprintable()
        (kept,) = [path for path in office.settings.archive.rglob("*") if path.is_file()]
        assert re.fullmatch(r"roster_visits-[0-9a-f]{16}\.csv", kept.name)

    @pytest.mark.parametrize(
        "name", [b"caf\xe9_roster_visits_1.csv", b"\xff\xfe.csv", b"a." + b"b" * 253, b"rota.Peggy"]
    )
    def test_a_name_that_cannot_be_used_does_not_stop_the_night(self, office: Office, name: bytes) -> None:
        self.deliver(office, name)
        office.deliver("zz_roster_enrolments_1.csv", "ClientID,ContractNumber\nC1,K-7\n")
        landings = office.land_all()
        assert sorted(landing.status for landing in landings) == ["loaded", "quarantined"]
        kept = [path.name for path in office.settings.quarantine.iterdir()]
        assert all(re.fullmatch(r"\w+-[0-9a-f]{16}(\.reason\.json|\.csv|)", each) for each in kept)

    @staticmethod
    def deliver(office: Office, name: bytes) -> None:
        Path(os.fsdecode(os.path.join(os.fsencode(office.settings.inbox), name))).write_text(VISITS)  # noqa: PTH118


class TestMappingsMadeToHurt:
    @pytest.mark.parametrize(
        ("changed", "why"),
        [
            ({"name": "../../../x"}, "name is another text; it has to be letters, digits"),
            ({"encoding": "base64"}, "encoding 'base64' is not known"),
            ({"delimiter": "a"}, "delimiter must be one character"),
            ({"date_formats": ["%-Y"]}, "date_formats cannot be used"),
            ({"issuer": {"fixed": "a\nb"}}, "a line end or a sign that cannot be seen"),
            ({"never_store": ["密码"]}, "1 headings have no letter A to Z"),
        ],
    )
    def test_a_value_that_would_hurt_later_is_refused(self, tmp_path: Path, changed: dict[str, Any], why: str) -> None:
        (tmp_path / "acme.yaml").write_text(yaml.safe_dump({**yaml.safe_load(MAPPING), **changed}))
        with pytest.raises(SettingsError, match=re.escape(why)):
            load_sources(tmp_path)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            (MAPPING + "feed: roster_visits\n", "'feed' stands twice"),
            (MAPPING + "  Town: town\n", "'Town' stands twice"),
            ("a: &a [x]\nb: [*a, *a]\n", "an alias stands here"),
            ("a: &a {k: v}\nb: {<<: [*a, *a]}\n", "an alias stands here"),
            ("!!python/object/apply:os.system [id]", "could not determine a constructor"),
            ("[" * 5_000, "nested far too deep"),
            ("feed: 2001-99-99", "month must be in"),
            ("feed: " + "9" * 5_000, "integer string conversion"),
            ("# " + "x" * (1 << 20), "larger than 1 MB"),
        ],
    )
    def test_yaml_that_multiplies_repeats_or_runs_code_is_refused(self, tmp_path: Path, text: str, why: str) -> None:
        (tmp_path / "acme.yaml").write_text(text)
        with pytest.raises(SettingsError, match=re.escape(why)):
            load_sources(tmp_path)

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "acme.yaml")
        with pytest.raises(SettingsError, match="is not a file"):
            load_sources(tmp_path)

    def test_a_heading_cannot_add_a_line_to_the_suggested_mapping(self, tmp_path: Path) -> None:
        path = tmp_path / "acme.csv"
        path.write_text('ClientID,"Odd\nnever_store: []",Surname\n1,?!,Archer\n')
        done = CliRunner().invoke(main, ["map", str(path), "--home", str(tmp_path / "home")])
        assert "never_store" not in yaml.safe_load(done.stdout)
        assert [line for line in done.stdout.splitlines() if "Odd" in line and "Odd never_store: []" not in line] == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('timezone = "../../etc/passwd"', "no such time zone"),
        ('phone_region = "UK"', "two letters in capitals"),
        ('provider = "a\\u202eb"', "a sign that cannot be seen"),
        ('home = "/etc"', "home has no place in it"),
        ('[match]\nmodel = "../../x"', "match.model"),
        ("[match]\nseed = 99999999999999999999", "match.seed"),
        ("[match]\nlikely = 0.9\nnear_certain = 0.8", "likely promises more than near_certain"),
        ('[warehouse]\nmemory_limit = "lots"', "warehouse.memory_limit"),
        ("[warehouse]\nthreads = 1_000_000", "warehouse.threads"),
        ("[warehouse]\nlock_wait_seconds = inf", "warehouse.lock_wait_seconds"),
        ("provider = " + "[" * 5_000, "nested far too deep"),
        ("[match]\nseed = " + "9" * 5_000, "integer string conversion"),
    ],
)
def test_a_setting_that_would_hurt_later_is_refused(tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "settings.toml").write_text(line + "\n")
    with pytest.raises(SettingsError, match=re.escape(why)):
        load_settings(tmp_path)


@pytest.mark.parametrize("name", ["x[1].csv", "x*.csv", "x?.csv"])
def test_a_labelled_file_is_that_file_and_no_pattern(tmp_path: Path, name: str) -> None:
    (tmp_path / "x1.csv").write_text("nobody,here\n1,2\n")
    people = [{**client(f"C{n}"), "person": n} for n in range(3)]
    (tmp_path / name).write_text(table(["person", *CLIENT_HEADINGS], people))
    home = load_settings(tmp_path / "home")
    with scratch_warehouse(home) as scratch:
        assert len(load_labelled(scratch, home, tmp_path / name, None, ["person"]).withheld) == 3
