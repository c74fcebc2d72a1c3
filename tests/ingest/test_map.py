"""`oneclient map`: the layouts that councils and offices really send, found, tried, written, and landed by a night."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import yaml
from click.testing import CliRunner, Result
from office import Office

from pipelines.cli import main
from pipelines.feeds import FEEDS
from pipelines.ingest.unknown import MOST_ROWS
from pipelines.sources.dates import written_dates
from pipelines.sources.wanted import WANTED

KENT = """\
Kent - Adult Social Care;;;;;;;;;;
Weekly orders as at 20/11/2026;;;;;;;;;;

PO No.;Mosaic ID;NHS No;Client First Name;Client Surname;Born;Post Code;Service From;Hrs p/w;Unit Cost;NOK Telephone
4500011;SS-345678;943 476 5919;Zoë;O'Sullivan;03/04/1938;ME14 1AB;01/11/2026;7.5;£21.40;01622 555123
4500012;345679;401 023 2137;Arthur;Bell;25/12/1941;ME14 2BB;02/11/2026;3;£21.40;01622 555124
4500013;345680;;Joan;Smith;11/01/1930;ME14 3CC;to be agreed;3.5;£21.40;
"""
AMERICAN = (
    "Ref\tGiven\tFamily\tWhen born\tTel\tHome\n"
    "R1\tMargaret\tArcher\t04/23/1938\t01206 555123\tCO4 3SQ\n"
    "R2\tArthur\tBell\t12/25/1941\t01206 555124\tCO4 3SR\n"
    "R3\tJoan\tSmith\t01/11/1930\t07700 900123\tCO4 3SS\n"
)


def oneclient(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "home")


def mapped(office: Office, name: str, content: str | bytes, *more: str) -> dict[str, Any]:
    file = office.deliver(name, content)
    said: dict[str, Any] = json.loads(oneclient("map", file, "--home", office.settings.home, "--json", *more).stdout)
    return said


def fields(said: dict[str, Any]) -> dict[str, str]:
    return {one["heading"]: one["field"] for one in said["columns"] if one["field"]}


def splits(said: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """What is taken apart: heading → the kind of split, and all of the feed's fields that it carries."""
    return {one["heading"]: (one["split"], one["fields"]) for one in said["columns"] if one["split"]}


class TestAMessyOrderFile:
    """Title lines, cp1252, semicolons, headings of its own, a reject, and next of kin who are not the client."""

    def test_is_mapped_written_and_landed(self, office: Office) -> None:
        said = mapped(office, "kent_weekly_20261120.csv", KENT.encode("cp1252"), "--issuer", "KENT", "--write", "kent")
        assert said["feed"] == "purchase_orders"
        assert said["written"] == str(office.settings.sources / "kent.yaml")
        assert (said["trial"]["rows_loaded"], said["trial"]["rejected"]) == (2, {
            "start_date: not a date in any format of this source": 1
        })  # fmt: skip
        (landing,) = office.land_all()
        assert (landing.status, landing.rows_loaded, landing.rows_rejected) == ("loaded", 2, 1)
        office.night()
        assert office.rows(
            "select forename, surname, born_on::varchar, postcode, nhs_number, reference_core from staged.clients"
            " order by 1"
        ) == [
            ("Arthur", "Bell", "1941-12-25", "ME14 2BB", "4010232137", "345679"),
            ("Zoë", "O'Sullivan", "1938-04-03", "ME14 1AB", "9434765919", "345678"),
        ]
        assert office.rows("select start_on::varchar, weekly_units, rate from staged.purchase_orders order by 1") == [
            ("2026-11-01", Decimal("7.5"), Decimal("21.4")),
            ("2026-11-02", Decimal("3"), Decimal("21.4")),
        ]

    def test_next_of_kin_are_left_out_and_said(self, office: Office) -> None:
        said = mapped(office, "kent_weekly_20261120.csv", KENT.encode("cp1252"))
        assert "NOK Telephone" in said["unmapped"]
        assert any("somebody else's" in note for note in said["notes"])

    def test_each_column_says_how_sure_it_is_and_why(self, office: Office) -> None:
        said = {one["heading"]: one for one in mapped(office, "kent.csv", KENT.encode("cp1252"))["columns"]}
        assert said["NHS No"]["confidence"] > said["Client Surname"]["confidence"] > 0.7
        assert said["NHS No"]["because"] == "by its heading, and 100% of its values fit"


class TestHeadingsThatSayLittle:
    """Tabs, months first, and columns that only their values tell."""

    def test_are_found_by_their_values(self, office: Office) -> None:
        said = mapped(office, "acme_people.csv", AMERICAN, "--issuer", "acme", "--write", "acme")
        assert fields(said) == {
            "Ref": "client_id", "Given": "forename", "Family": "surname", "When born": "date_of_birth", "Tel": "phone",
            "Home": "postcode",
        }  # fmt: skip
        assert any("MONTHS COME FIRST" in note for note in said["notes"])
        office.night()
        assert office.rows(
            "select client_ref, surname, born_on::varchar, phone_e164 from staged.clients order by 1"
        ) == [
            ("acme/R1", "Archer", "1938-04-23", "+441206555123"),
            ("acme/R2", "Bell", "1941-12-25", "+441206555124"),
            ("acme/R3", "Smith", "1930-01-11", "+447700900123"),
        ]

    def test_a_heading_that_its_values_belie_is_not_believed(self, office: Office) -> None:
        rows = "\n".join(f"{n},Ann,Archer,943 476 5919,01206 55512{n},CO4 3SQ" for n in range(5))
        said = mapped(office, "a.csv", f"Client ID,Forename,Surname,Phone,NHS Number,Postcode\n{rows}\n")
        assert fields(said)["Phone"] == "nhs_number"
        assert fields(said)["NHS Number"] == "phone"

    def test_a_whole_name_is_taken_apart(self, office: Office) -> None:
        said = mapped(office, "a.csv", 'Client ID,Name,DOB\n1,"Archer, Ann",12/03/1941\n', "--rows", "1", "--show")
        assert splits(said) == {"Name": ("full_name", ["title", "forename", "surname", "known_as", "other_names"])}
        assert said["trial"]["before"] == [{"Client ID": "1", "Name": "Archer, Ann", "DOB": "12/03/1941"}]
        assert said["trial"]["rows"][0]["surname"] == "Archer"

    def test_names_that_cannot_be_taken_apart_are_left_out_and_said(self, office: Office) -> None:
        rows = "".join(f"{n},Mr & Mrs {name},12/03/1941\n" for n, name in enumerate(("Archer", "Bell", "Smith")))
        said = mapped(office, "a.csv", f"Client ID,Name,DOB\n{rows}")
        assert "Name" in said["unmapped"]
        assert any("cannot be taken apart safely" in note for note in said["notes"])


MESSY = """\
Order No,Team Colour,Property/Street,Care Type,From,Pattern
1,Red,1 Mill Lane,Home care,01/11/2026,7
2,Green,2 Mill Lane,Home care,13/11/2026,3
3,Red,3 Mill Lane,Home care,20/11/2026,3
"""


class TestWhatNoColumnIs:
    """A feed of people that says too little of them to be matched."""

    def test_is_the_first_to_look_at_with_what_follows(self, office: Office) -> None:
        said = mapped(office, "essex.csv", MESSY, "--feed", "purchase_orders")
        assert said["missing"] == []
        assert said["without"] == [
            "surname", "forename", "date_of_birth", "social_services_ref", "rate", "weekly_units"
        ]  # fmt: skip
        assert said["notes"][0] == "no column is the surname: orders would be registered without a surname"
        assert all(note.startswith("no column is the ") for note in said["notes"][:6])

    def test_stands_in_the_mapping_and_on_the_screen(self, office: Office) -> None:
        file = office.deliver("essex.csv", MESSY)
        ran = oneclient("map", file, "--feed", "purchase_orders", "--home", office.settings.home, "--rows", "1")
        assert "# no column is the surname: orders would be registered without a surname\n" in ran.stdout
        told = [line for line in ran.stderr.splitlines() if line.startswith("Look at:")]
        assert told[0] == "Look at: no column is the surname: orders would be registered without a surname"

    def test_one_of_address_and_postcode_is_enough(self, office: Office) -> None:
        without = mapped(office, "kent.csv", KENT.encode("cp1252"))["without"]
        assert without == []

    def test_visits_are_not_asked_for_people(self, office: Office) -> None:
        said = mapped(office, "a.csv", "Booking ID,Client No,Date\n1,7,20/11/2026\n2,7,21/11/2026\n")
        assert (said["feed"], said["without"]) == ("roster_visits", [])

    @pytest.mark.parametrize("feed", WANTED)
    def test_what_is_wanted_are_fields_that_the_feed_has_and_rows_may_lack(self, feed: str) -> None:
        optional = {field.name for field in FEEDS[feed].fields if not field.required}
        assert {name for one in WANTED[feed] for name in one.fields} <= optional


PAYMENTS = """\
Supplier,Cost Centre,Client Name,Period From,Period To,Quantity,Net,VAT,Gross,Paid On,Invoice,Batch,Approver,Contract
Acme,C1,"Archer, Ann",01/11/2026,28/11/2026,28,100,0,100,30/11/2026,I1,B1,Jo,K1
Acme,C1,"Bell, Arthur",01/11/2026,28/11/2026,14,50,0,50,30/11/2026,I2,B1,Jo,K1
Acme,C1,"Smith, Joan",01/11/2026,28/11/2026,14,50,0,50,30/11/2026,I3,B1,Jo,K1
"""
COMMISSIONED = """\
Mosaic ID,Client Name,Service,Svc Start,Commissioned Hours,Unit Cost,Provider
100234,"Archer, Ann",Home care,01/11/2026,7,21.40,Acme
100235,"Bell, Arthur",Home care,02/11/2026,3.5,21.40,Acme
100236,"Smith, Joan",Home care,03/11/2026,14,21.40,Acme
"""


class TestWhatItIsNotSureOf:
    """A file that may be one feed or another, or lacks what its feed needs: nothing is written, exit code 1."""

    @pytest.mark.parametrize("content", [PAYMENTS, COMMISSIONED])
    def test_is_not_written_and_names_the_next_best(self, office: Office, content: str) -> None:
        file = office.deliver("export.csv", content)
        asked = ("--issuer", "KENT", "--write", "kent", "--home", office.settings.home)
        ended = oneclient("map", file, *asked)
        assert ended.exit_code == 1
        assert list(office.settings.sources.iterdir()) == []
        assert "Unsure: it fits " in ended.stdout
        assert "Next best: " in ended.stdout
        assert "Not written. If you know what it is, say so: --feed " in ended.stdout

    def test_payments_are_never_taken_for_enrolments(self, office: Office) -> None:
        said = mapped(office, "export.csv", PAYMENTS)
        assert said["sure"] is False
        assert said["best"]["lacks"] == ["purchase_order_number"]

    def test_a_councils_id_is_no_visit_id(self, office: Office) -> None:
        said = mapped(office, "export.csv", COMMISSIONED, "--feed", "roster_visits")
        assert (said["sure"], said["missing"]) == (False, ["visit_id", "client_id"])

    def test_feed_is_enough_to_go_on(self, office: Office) -> None:
        orders = "Mosaic ID,Client Name,Svc Start,Package\n" + "".join(
            f'10{n},"{name}",0{n}/11/2026,P{n}\n' for n, name in enumerate(("Archer, Ann", "Bell, Jo", "Smith, Jim"), 1)
        )
        file = office.deliver("export.csv", orders)
        asked = ("--issuer", "KENT", "--write", "kent", "--feed", "purchase_orders", "--home", office.settings.home)
        ended = oneclient("map", file, *asked)
        assert (ended.exit_code, "Written: " in ended.stdout) == (0, True)

    def test_without_a_column_that_can_be_it_feed_does_not_help(self, office: Office) -> None:
        file = office.deliver("export.csv", PAYMENTS)
        asked = ("--issuer", "KENT", "--write", "kent", "--feed", "roster_visits", "--home", office.settings.home)
        ended = oneclient("map", file, *asked)
        assert ended.exit_code == 1
        assert "Not written. No column can be visit_id" in ended.stdout
        assert "say so: --feed" not in ended.stdout


class TestWhatTheValuesShow:
    """Transformations that are proposed by looking at the cells."""

    def test_status_words_and_a_footer(self, office: Office) -> None:
        rows = "".join(f"{n},Ann,Archer{n},12/03/1941,{'Left' if n > 3 else 'Live'}\n" for n in range(1, 6))
        said = mapped(office, "a.csv", f"Client ID,Forename,Surname,DOB,Status\n{rows}Prepared by Jo Bell,,,,\n")
        mapping = yaml.safe_load(said["mapping"])
        assert mapping["values"] == {"status": {"Live": "Active", "Left": "Ended"}}
        assert mapping["footer"] == ["Prepared by*"]

    def test_a_word_that_oneclient_does_not_know(self, office: Office) -> None:
        rows = "".join(f"{n},Ann,Archer{n},{'Code 7' if n > 3 else 'Active'}\n" for n in range(1, 6))
        said = mapped(office, "a.csv", f"Client ID,Forename,Surname,Status\n{rows}")
        assert any("words that oneclient does not know: Code 7" in note for note in said["notes"])

    def test_an_address_with_its_postcode(self, office: Office) -> None:
        rows = "".join(f'{n},Ann,Archer,"{n} Mill Lane, York, YO1 7HH"\n' for n in range(1, 6))
        said = mapped(office, "a.csv", f"Client ID,Forename,Surname,Home Address\n{rows}", "--show", "--rows", "1")
        assert splits(said)["Home Address"][0] == "full_address"
        row = said["trial"]["rows"][0]
        assert (row["address_1"], row["town"], row["postcode"]) == ("1 Mill Lane", "York", "YO1 7HH")

    def test_a_date_with_its_time(self, office: Office) -> None:
        rows = "".join(f"B{n},C{n},1{n}/11/2026 08:30,30\n" for n in range(1, 6))
        said = mapped(office, "a.csv", f"Booking ID,Client ID,Planned Start,Mins\n{rows}")
        assert splits(said) == {"Planned Start": ("date_and_time", ["visit_date", "start_time"])}

    def test_midnight_in_every_cell_is_no_time(self, office: Office) -> None:
        rows = "".join(f"B{n},C{n},1{n}/11/2026 00:00,30\n" for n in range(1, 6))
        said = mapped(office, "a.csv", f"Booking ID,Client ID,Visit Date,Mins\n{rows}")
        assert fields(said)["Visit Date"] == "visit_date"

    def test_every_column_is_mapped_or_has_its_reason(self, office: Office) -> None:
        said = mapped(office, "export.csv", PAYMENTS)
        assert all(one["fields"] or one["because"] for one in said["columns"])


class TestWhereItIsWritten:
    """The pattern fits the file, and takes no other mapping's files."""

    def test_a_mapping_that_is_asked_before_is_named(self, office: Office) -> None:
        file = office.deliver("kent_1.csv", KENT.encode("cp1252"))
        asked = ("--issuer", "KENT", "--home", office.settings.home)
        assert oneclient("map", file, *asked, "--write", "a").exit_code == 0
        refused = oneclient("map", file, *asked, "--write", "b")
        assert (refused.exit_code, "HOME/sources/a.yaml takes files of this name already" in refused.stderr) == (
            2,
            True,
        )

    def test_another_mappings_files_are_not_taken(self, office: Office) -> None:
        file = office.deliver("kent_1.csv", KENT.encode("cp1252"))
        asked = ("--issuer", "KENT", "--home", office.settings.home)
        assert oneclient("map", file, *asked, "--write", "z").exit_code == 0
        text = (office.settings.sources / "z.yaml").read_text()
        (office.settings.sources / "z.yaml").write_text(text.replace("kent_*.csv", "kent_orders_*.csv"))
        refused = oneclient("map", file, *asked, "--write", "a")
        assert (refused.exit_code, "would be read through this one" in refused.stderr) == (2, True)


class TestAWorkbook:
    def workbook(self, path: Path) -> Path:
        with xlsxwriter.Workbook(str(path)) as file:
            notes, clients = file.add_worksheet("Notes"), file.add_worksheet("Clients")
            notes.write_row(0, 0, ["Name", "Says"])
            notes.write_row(1, 0, ["Jo", "please check"])
            clients.merge_range(0, 0, 0, 5, "Service users")
            headings = ["Service User ID", "First Name", "Last Name", "DOB", "Post Code", "Key Safe No"]
            clients.write_row(2, 0, headings)
            day = file.add_format({"num_format": "dd/mm/yyyy"})
            for row, (number, forename, surname) in enumerate([(1, "Ann", "Archer"), (2, "Bo", "Bell")], start=3):
                clients.write_row(row, 0, [number, forename, surname])
                clients.write_datetime(row, 3, datetime(1941, 3, 12 + row), day)
                clients.write_row(row, 4, ["CO4 3SQ", "C1234X"])
        return path

    def test_its_sheet_header_dates_and_key_safe(self, office: Office) -> None:
        file = self.workbook(office.settings.inbox / "acme export 2026-11-20.xlsx")
        asked = ("--issuer", "acme", "--write", "acme", "--json", "--home", office.settings.home)
        said = json.loads(oneclient("map", file, *asked).stdout)
        written = yaml.safe_load((office.settings.sources / "acme.yaml").read_text())
        assert (written["sheet"], written["never_store"]) == ("Clients", ["Key Safe No"])
        assert written["files"] == ["acme export *.xlsx"]
        assert said["trial"]["rows_loaded"] == 2
        office.night()
        assert office.rows("select client_ref, born_on::varchar from staged.clients order by 1") == [
            ("acme/1", "1941-03-15"),
            ("acme/2", "1941-03-16"),
        ]
        assert b"C1234X" not in office.everything_on_disk()


class TestWhatIsShown:
    def test_a_redirected_mapping_is_yaml_and_nothing_else(self, office: Office) -> None:
        file = office.deliver("kent.csv", KENT.encode("cp1252"))
        ran = oneclient("map", file, "--home", office.settings.home)
        assert ran.stderr == ""
        assert yaml.safe_load(ran.stdout)["columns"]["Born"] == "date_of_birth"
        assert "Born: date_of_birth" in ran.stdout

    def test_rows_are_shown_on_the_error_stream_and_masked(self, office: Office) -> None:
        file = office.deliver("kent.csv", KENT.encode("cp1252"))
        masked = oneclient("map", file, "--home", office.settings.home, "--rows", "2")
        assert yaml.safe_load(masked.stdout)["feed"] == "purchase_orders"
        assert "Sullivan" not in masked.output
        assert "1938" in masked.stderr
        assert "Rejected: 1 (start_date: not a date in any format of this source)" in masked.stderr
        whole = oneclient("map", file, "--home", office.settings.home, "--rows", "2", "--show")
        assert "O'Sullivan" in whole.stderr
        assert "Smith" not in whole.stderr

    def test_json_is_masked_too(self, office: Office) -> None:
        said = mapped(office, "kent.csv", KENT.encode("cp1252"))
        assert (said["masked"], said["trial"]["rows"][0]["surname"]) == (True, "O•••")
        said = mapped(office, "kent.csv", KENT.encode("cp1252"), "--show", "--rows", "1")
        assert (said["masked"], [row["surname"] for row in said["trial"]["rows"]]) == (False, ["O'Sullivan"])

    def test_the_whole_file_is_tried(self, office: Office) -> None:
        rows = "".join(f"{n},Ann,Archer,12/03/1941\n" for n in range(MOST_ROWS + 1000))
        said = mapped(office, "many.csv", f"Client ID,Forename,Surname,DOB\n{rows}")
        assert (said["trial"]["rows_read"], said["trial"]["more"]) == (MOST_ROWS + 1000, False)


class TestWriting:
    def test_nothing_is_written_over_unless_forced(self, office: Office) -> None:
        asked = ("--issuer", "KENT", "--write", "kent", "--home", office.settings.home)
        file = office.deliver("kent.csv", KENT.encode("cp1252"))
        assert oneclient("map", file, *asked).exit_code == 0
        before = (office.settings.sources / "kent.yaml").read_text()
        refused = oneclient("map", file, *asked, "--authority", "KENT")
        assert (refused.exit_code, "[U3]" in refused.stderr) == (2, True)
        assert (office.settings.sources / "kent.yaml").read_text() == before
        assert oneclient("map", file, *asked, "--authority", "KENT", "--force").exit_code == 0
        assert yaml.safe_load((office.settings.sources / "kent.yaml").read_text())["authority_code"] == "KENT"

    def test_it_takes_an_issuer(self, office: Office) -> None:
        file = office.deliver("kent.csv", KENT.encode("cp1252"))
        refused = oneclient("map", file, "--write", "kent", "--home", office.settings.home)
        assert (refused.exit_code, "--issuer" in refused.stderr) == (2, True)

    @pytest.mark.parametrize("name", ["../kent", ".kent", "a/b", ""])
    def test_a_name_leads_nowhere_else(self, office: Office, name: str) -> None:
        file = office.deliver("kent.csv", KENT.encode("cp1252"))
        refused = oneclient("map", file, "--issuer", "KENT", "--write", name, "--home", office.settings.home)
        assert refused.exit_code == 2
        assert list(office.settings.home.rglob("*kent*.yaml")) == []

    def test_a_mapping_that_lacks_a_required_field_is_not_written(self, office: Office) -> None:
        file = office.deliver("a.csv", "NHS Number,Forename,Surname\n943 476 5919,Ann,Archer\n")
        asked = ("--issuer", "a", "--write", "a", "--home", office.settings.home)
        ended = oneclient("map", file, *asked)
        assert (ended.exit_code, "Not written" in ended.stdout) == (1, True)
        assert list(office.settings.sources.iterdir()) == []

    def test_the_feed_can_be_said(self, office: Office) -> None:
        visits = "Booking ID,Client No,Date\n1,7,20/11/2026\n2,7,21/11/2026\n"
        assert mapped(office, "a.csv", visits)["feed"] == "roster_visits"
        said = mapped(office, "a.csv", visits, "--feed", "roster_clients")
        assert (said["feed"], fields(said)) == ("roster_clients", {"Client No": "client_id"})


@pytest.mark.parametrize(
    ("values", "formats", "said"),
    [
        (["03/04/1938", "25/12/1941"], ("%d/%m/%Y",), "days come first: 1 of 2"),
        (["04/23/1938", "01/02/1941"], ("%m/%d/%Y",), "MONTHS COME FIRST: 1 of 2"),
        (["03/04/1938", "01/02/1941"], ("%d/%m/%Y",), "cannot be told"),
        (["25/12/1941", "24/12/1941", "04/23/1938"], ("%d/%m/%Y",), "MIXED"),
        (["3 April 1938", "1941-12-25"], ("%d %B %Y", "%Y-%m-%d"), ""),
        (["25/12/41", "24/12/1941"], ("%d/%m/%y", "%d/%m/%Y"), "Births are taken to lie in the past"),
        (["19380403"], ("%Y%m%d",), ""),
        (["soon"], ("%d.%m.%Y",), ""),
    ],
)
def test_the_formats_of_dates(values: list[str], formats: tuple[str, ...], said: str) -> None:
    found = written_dates(values, ("%d.%m.%Y",))
    assert set(found.formats) == set(formats)
    assert said in " ".join(found.notes)
