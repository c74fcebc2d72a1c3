"""What earlier deliveries say about a file: which is fresher, what is absent from it, what it would create or end."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from click.testing import CliRunner
from office import Office

from pipelines.cli import main
from pipelines.ingest.history import surge_limit
from pipelines.ingest.landing import Landing
from pipelines.ingest.spoken import name_key, spoken_on
from pipelines.stage.register import stage_files

NIGHT = date(2026, 12, 20)
CLIENTS = "ClientID,SocialServicesRef,Forename,Surname,DateOfBirth,Phone,StartDate,EndDate,Status"


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("careplan_roster_visits_20261101_20261130.csv", "2026-11-30"),
        ("careplan_roster_visits_2026-11-01_to_2026-11-30.csv", "2026-11-30"),
        ("careplan_roster_visits_01-11-2026_30-11-2026.csv", "2026-11-30"),
        ("careplan_roster_visits_1.11.2026-30.11.2026.csv", "2026-11-30"),
        ("careplan_roster_visits_01112026_30112026.csv", "2026-11-30"),
        ("careplan_roster_visits_01-11-26_to_30-11-26.csv", "2026-11-30"),
        ("careplan_roster_visits_1-30_November_2026.csv", "2026-11-30"),
        ("careplan_roster_visits_2026-W47.xlsx", "2026-11-22"),
        ("careplan_roster_visits_week46-47_2026.csv", "2026-11-22"),
        ("careplan_roster_visits_wc_16-11-2026.csv", "2026-11-22"),
        ("careplan_roster_visits_2026-11.csv", "2026-11-30"),
        ("careplan_roster_visits_20261120T1430.csv", "2026-11-20"),
        ("careplan_roster_visits_20270104.csv", "2026-12-20"),
        ("careplan_roster_visits_9.csv", "2026-12-20"),
        ("careplan_roster_visits.csv", "2026-12-20"),
    ],
)
def test_the_last_day_in_a_name_counts_and_never_a_day_after_the_delivery(name: str, day: str) -> None:
    assert spoken_on(name, NIGHT).isoformat() == day


def test_names_are_ordered_as_people_number_them() -> None:
    names = ["x_10.csv", "x (2).csv", "x_part10.csv", "x_9.csv", "x_part2.csv", "x.csv", "X_007.csv"]
    ordered = ["x.csv", "x (2).csv", "X_007.csv", "x_9.csv", "x_10.csv", "x_part2.csv", "x_part10.csv"]
    assert sorted(names, key=name_key) == ordered


def clients(*rows: str) -> str:
    return "\n".join((CLIENTS, *rows, ""))


def person(number: str, surname: str = "Abblewick", phone: str = "") -> str:
    return f"{number},,Agnes,{surname},02/03/1931,{phone},01/09/2026,,Active"


def land(office: Office, name: str, content: str, day: date = date(2026, 11, 20)) -> Landing:
    office.day = day
    return office.land(name, content)


def stage(office: Office, day: date = date(2026, 11, 20)) -> None:
    stage_files(office.settings, day)


def surname(office: Office) -> list[str]:
    return [name for (name,) in office.rows("select surname from staged.clients order by client_ref")]


class TestFresherWins:
    A, B = clients(person("A1", "Abblewick")), clients(person("A1", "Typo"))

    def test_content_that_comes_again_after_other_content_is_news(self, office: Office) -> None:
        for day, content in enumerate((self.A, self.B, self.A), start=18):
            land(office, "careplan_roster_clients_export.csv", content, day=date(2026, 11, day))
            stage(office, date(2026, 11, day))
        assert surname(office) == ["Abblewick"]
        assert office.rows("select status, rows_read from raw.files order by landed_at") == [("loaded", 1)] * 3

    def test_content_that_comes_again_with_nothing_in_between_is_repeated(self, office: Office) -> None:
        for day in (18, 19):
            landed = land(office, "careplan_roster_clients_export.csv", self.A, day=date(2026, 11, day))
        assert landed.status == "repeated"

    ORDERS = list(permutations(range(4)))[:: 1 if os.environ.get("PROVE") == "full" else 7]

    @pytest.mark.parametrize("order", ORDERS)
    def test_files_in_any_order_come_to_the_same_register(self, office: Office, order: tuple[int, ...]) -> None:
        deliveries = [
            ("careplan_roster_clients_20261117.csv", clients(person("A1", "Oldest"), person("A2", "Other"))),
            ("careplan_roster_clients_20261118.csv", self.A),
            ("careplan_roster_clients_20261119.csv", self.B),
            ("careplan_roster_clients_20261120.csv", self.A),
        ]
        for place in order:
            land(office, *deliveries[place], day=date(2026, 11, 20))
            stage(office, date(2026, 11, 20))
        assert surname(office) == ["Abblewick", "Other"]

    def test_the_same_bytes_under_the_name_of_another_issuer_are_no_second_roster(self, office: Office) -> None:
        assert land(office, "wrong_roster_clients_1.csv", self.A).status == "loaded"
        again = land(office, "careplan_roster_clients_1.csv", self.A)
        assert again.status == "repeated"
        assert "another sender" in (again.reason or "")
        assert office.rows("select distinct issuer from raw.roster_clients") == [("wrong",)]
        assert land(office, "careplan_roster_clients_2.csv", self.B).status == "loaded"


class TestUsualNumbers:
    def test_no_limit_is_known_from_few_deliveries(self) -> None:
        assert surge_limit([80, 1, 0, 2]) is None

    def test_one_large_first_delivery_does_not_raise_the_limit(self) -> None:
        assert (surge_limit([80, 1, 0, 2, 1]) or 0) <= 10

    def test_a_source_that_often_brings_many_may_go_on(self) -> None:
        assert (surge_limit([40, 55, 38, 61, 44, 50]) or 0) > 90


def orders(prefix: str, people: int, day: int) -> str:
    head = "FileReference,SocialServicesRef,Forename,Surname,PurchaseOrderNumber,StartDate,Status"
    rows = (
        f"W{day},{prefix}5000{one},Agnes,Person{one},P{prefix}{one},01/10/2026,Active" for one in range(10, 10 + people)
    )
    return "\n".join((head, *rows, ""))


def test_a_prefix_before_every_reference_holds_the_file_until_it_is_accepted(office: Office) -> None:
    for day in range(10, 16):
        land(office, f"north_purchase_orders_202611{day}.csv", orders("", 20, day), day=date(2026, 11, day))
        stage(office, date(2026, 11, day))
    name, content = "north_purchase_orders_20261116.csv", orders("NN", 20, 16)
    path = office.settings.home.parent / name
    path.write_text(content, "utf-8")
    home = ["--home", str(office.settings.home), "--json"]
    checked = CliRunner().invoke(main, ["check", str(path), "--day", "2026-11-16", *home])
    assert checked.exit_code == 1, checked.output
    (said,) = json.loads(checked.output)["files"]
    assert (said["code"], said["surge"]["new"], len(said["near"])) == ("F22", 20, 20)
    held = land(office, name, content, day=date(2026, 11, 16))
    assert (held.status, held.code) == ("quarantined", "F22")

    accepted = CliRunner().invoke(main, ["accept", name, "--by", "Pat Example", "--reason", "asked them", *home])
    assert accepted.exit_code == 0, accepted.output
    put_back = Path(json.loads(accepted.output)["inbox_file"])
    landed = land(office, name, put_back.read_text("utf-8"), day=date(2026, 11, 17))
    assert (landed.status, landed.rows_loaded) == ("loaded", 20)


def test_only_a_held_file_can_be_accepted(office: Office) -> None:
    land(office, "rota.csv", "a,b\n1,2\n")
    home = ["--home", str(office.settings.home), "--json"]
    for named in ("rota.csv", "nothing.csv"):
        refused = CliRunner().invoke(main, ["accept", named, "--by", "Pat Example", *home])
        assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (1, "F23")


def test_check_changes_nothing(office: Office, tmp_path: Path) -> None:
    land(office, "careplan_roster_clients_1.csv", clients(person("A1")))
    stage(office)
    before = office.state()
    path = tmp_path / "careplan_roster_clients_2.csv"
    path.write_text(clients(person("A1"), person("A2"), person("")), "utf-8")
    found = CliRunner().invoke(main, ["check", str(path), "--home", str(office.settings.home), "--json"])
    (said,) = json.loads(found.output)["files"]
    assert (said["rows_loaded"], said["surge"]["new"], said["rejected"][0]["count"]) == (2, 1, 1)
    assert office.state() == before
    assert path.exists()


def test_a_full_export_that_lacks_half_is_loaded_once_it_is_accepted(office: Office) -> None:
    mapping = "feed: roster_clients\nfiles: [fully_*.csv]\nissuer: {fixed: fully}\ndate_formats: ['%d/%m/%Y']\n"
    columns = ["client_id", "social_services_ref", "forename", "surname", "date_of_birth", "phone", "start_date"]
    pairs = zip(CLIENTS.split(","), [*columns, "end_date", "status"], strict=True)
    written = mapping + "delivers: everything\ncolumns:\n" + "".join(f"  {h}: {f}\n" for h, f in pairs)
    office.settings.sources.mkdir(parents=True, exist_ok=True)
    (office.settings.sources / "fully.yaml").write_text(written, "utf-8")
    day = date(2026, 11, 18)
    everybody = [person(f"E{number:02}", f"Person{number}") for number in range(12)]
    land(office, "fully_20261118.csv", clients(*everybody), day=day)
    stage(office, day)
    half = clients(*everybody[:6])
    held = land(office, "fully_20261119.csv", half, day=day + timedelta(days=1))
    assert (held.status, held.code) == ("quarantined", "F21")
    words = ["accept", held.content_hash[:8], "--by", "Pat Example", "--home", str(office.settings.home)]
    assert CliRunner().invoke(main, words).exit_code == 0
    again = land(office, "fully_20261119.csv", half, day=day + timedelta(days=1))
    assert again.status == "loaded"
    stage(office, day + timedelta(days=1))
    ended = office.rows("select count(*) from staged.clients where active_to = date '2026-11-19' and status = 'Ended'")
    assert ended == [(6,)]
    land(office, "fully_20261120.csv", clients(*everybody), day=day + timedelta(days=2))
    stage(office, day + timedelta(days=2))
    assert office.rows("select count(*) from staged.clients where active_to is not null") == [(0,)]


FORMER = "ClientID,Forename,Surname,DateOfBirth,Phone,Status\n"


def mapping_of(office: Office, headings: str, *, without: str = "") -> None:
    fields = {
        "ClientID": "client_id", "Forename": "forename", "Surname": "surname", "DateOfBirth": "date_of_birth",
        "Phone": "phone", "Status": "status",
    }  # fmt: skip
    office.settings.sources.mkdir(parents=True, exist_ok=True)
    lines = ["feed: roster_clients", "files: [rota_*.csv]", "issuer: {fixed: rota}", "date_formats: ['%d/%m/%Y']"]
    lines += [f"without: [{without}]"] if without else []
    lines += ["columns:", *(f"  {heading}: {fields[heading]}" for heading in headings.split(","))]
    (office.settings.sources / "rota.yaml").write_text("\n".join(lines) + "\n", "utf-8")


def test_a_column_that_is_no_longer_sent_erases_nothing(office: Office) -> None:
    mapping_of(office, "ClientID,Forename,Surname,DateOfBirth,Phone,Status")
    land(office, "rota_18.csv", FORMER + "r1,Agnes,Abblewick,02/03/1931,01632 960003,Active\n", date(2026, 11, 18))
    stage(office, date(2026, 11, 18))
    later = "ClientID,Forename,Surname,Status\nr1,Agnes,Brackenshaw,Active\nr2,Bea,Beech,Active\n"
    held = land(office, "rota_19.csv", later, date(2026, 11, 19))
    assert (held.status, held.code) == ("quarantined", "F20")
    assert "DateOfBirth, Phone" in (held.reason or "")

    mapping_of(office, "ClientID,Forename,Surname,Status", without="DateOfBirth, Phone")
    assert land(office, "rota_19.csv", later, date(2026, 11, 19)).status == "loaded"
    stage(office, date(2026, 11, 19))
    known = office.rows("select surname, born_on, phone_e164 from staged.clients order by client_ref")
    assert known == [("Brackenshaw", date(1931, 3, 2), "+441632960003"), ("Beech", None, None)]


def test_a_late_file_with_the_column_says_what_was_known_by_then(office: Office) -> None:
    mapping_of(office, "ClientID,Forename,Surname,Status", without="DateOfBirth, Phone")
    later = "ClientID,Forename,Surname,Status\nr1,Agnes,Brackenshaw,Active\n"
    land(office, "rota_20261119.csv", later)
    stage(office)
    mapping_of(office, "ClientID,Forename,Surname,DateOfBirth,Phone,Status")
    land(office, "rota_20261118.csv", FORMER + "r1,Agnes,Abblewick,02/03/1931,01632 960003,Active\n")
    stage(office)
    assert office.rows("select surname, born_on from staged.clients") == [("Brackenshaw", date(1931, 3, 2))]
