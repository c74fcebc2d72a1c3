"""Rows of an id that came with more than one person: who they go to, night after night and in any order."""

from __future__ import annotations

from datetime import date

import pytest
from office import NIGHT, Office, client, enrolment, order, visit

from pipelines.nightly import run_night
from pipelines.review.publish import read_report

HAROLD = {"Forename": "Harold", "Surname": "Goneby", "Gender": "M", "DateOfBirth": "02/03/1931"}
BEATRIX = {"Forename": "Beatrix", "Surname": "Newcomb", "Gender": "F", "DateOfBirth": "17/08/1944"}
CUTHBERT = {"Forename": "Cuthbert", "Surname": "Thirdby", "Gender": "M", "DateOfBirth": "28/11/1950"}
HENRY = {"Forename": "Henry", "Surname": "Latterby", "Gender": "M", "DateOfBirth": "02/06/1944"}
EXPORTS = {"20261118": HAROLD, "20261119": BEATRIX, "20261120": CUTHBERT}


def visited(office: Office) -> dict[str, str]:
    """Visit → the forename on the record that it counts for."""
    return dict(
        office.rows("select visit_id, c.forename from staged.visits as v join staged.clients as c using (client_id)")
    )


def test_three_people_of_one_id_are_three_records_and_one_case(office: Office) -> None:
    for day, person in EXPORTS.items():
        office.clients(client("C1", **person), on=day)
        run_night(office.settings, office.settings.inbox, date.fromisoformat(f"2026-11-{day[-2:]}"))
    assert office.rows("select client_ref, forename from staged.clients order by 1") == [
        ("careplan/C1", "Harold"), ("careplan/C1~2", "Beatrix"), ("careplan/C1~3", "Cuthbert"),
    ]  # fmt: skip
    confusions = read_report(office.settings, NIGHT).confusions
    assert {(c.kind, c.number) for c in confusions} == {("roster_client_id", "C1")}
    assert {ref for c in confusions for ref in (c.left_ref, c.right_ref)} == {
        "careplan/C1", "careplan/C1~2", "careplan/C1~3",
    }  # fmt: skip
    assert all(c.to_check.startswith("Find out in careplan") for c in confusions)
    counted = "select sum(count) from reviewed.figures where figure = 'confusions' and night = $night"
    assert office.one(counted, night=NIGHT) == 1


@pytest.mark.parametrize("one_night", [False, True])
def test_in_one_night_or_night_by_night_it_is_the_same(office: Office, one_night: bool) -> None:
    for day, person in EXPORTS.items():
        office.clients(client("C1", **person), on=day)
        office.visits(visit(f"V{day[-2:]}", "C1", VisitDate=f"{day[-2:]}/11/2026"), on=day)
        if not one_night:
            office.night()
    office.night()
    assert visited(office) == {"V18": "Harold", "V19": "Beatrix", "V20": "Cuthbert"}
    assert office.rows("select record_id, held_from from staged.id_holders order by 2") == [
        ("C1", date(1, 1, 1)), ("C1~2", date(2026, 11, 19)), ("C1~3", date(2026, 11, 20)),
    ]  # fmt: skip
    assert set(office.rows("select distinct reference from staged.references where kind = 'roster_client_id'")) == {
        ("C1",)
    }


def test_an_export_of_the_first_person_that_comes_late_leaves_each_with_their_days(office: Office) -> None:
    office.clients(client("C1", **BEATRIX), on="20261120")
    office.night()
    office.clients(client("C1", **HAROLD), on="20261110")
    office.night()
    office.visits(visit("V1", "C1", VisitDate="10/11/2026"), visit("V2", "C1", VisitDate="20/11/2026"))
    office.night()
    assert visited(office) == {"V1": "Harold", "V2": "Beatrix"}


def test_what_was_loaded_stays_also_when_it_is_exported_again(office: Office) -> None:
    office.clients(client("C1", **HAROLD), on="20261118")
    office.visits(visit("V1", "C1", VisitDate="25/11/2026", Status="Planned"), on="20261118")
    office.enrolments(enrolment("C1", "K-1", StartDate="25/11/2026"), on="20261118")
    office.night()
    office.clients(client("C1", **BEATRIX), on="20261120")
    office.visits(visit("V1", "C1", VisitDate="25/11/2026"), visit("V2", "C1", VisitDate="25/11/2026"))
    office.enrolments(enrolment("C1", "K-1", StartDate="25/11/2026", CareBand="High"), on="20261120")
    office.night()
    assert visited(office) == {"V1": "Harold", "V2": "Beatrix"}
    assert office.rows(
        "select c.forename, care_band from staged.enrolments join staged.clients as c using (client_id)"
    ) == [("Harold", "High")]


def test_the_same_export_again_changes_nothing(office: Office) -> None:
    for day, person in (("20261118", HAROLD), ("20261119", BEATRIX)):
        office.clients(client("C1", **person), on=day)
        office.visits(visit(f"V{day[-2:]}", "C1", VisitDate=f"{day[-2:]}/11/2026"), on=day)
        office.night()
    before = office.state("staged")
    office.clients(client("C1", **HAROLD, Branch="again"), on="20261118")
    office.clients(client("C1", **BEATRIX, Branch="again"), on="20261119")
    office.night()
    after = office.state("staged")
    assert {name for name in after if after[name] != before[name]} <= {"staged.taken_files", "staged.gates"}


def test_the_next_rows_of_each_person_go_to_their_own_record(office: Office) -> None:
    for day, person in (("20261118", HAROLD), ("20261119", BEATRIX), ("20261120", {**BEATRIX, "Surname": "Wedded"})):
        office.clients(client("C1", **person), on=day)
        office.night()
    assert office.rows("select client_ref, surname from staged.clients order by 1") == [
        ("careplan/C1", "Goneby"), ("careplan/C1~2", "Wedded"),
    ]  # fmt: skip


def test_an_id_that_looks_like_a_second_persons_key_is_an_id_of_its_own(office: Office) -> None:
    office.clients(client("C1", **HAROLD), client("C1~2", **CUTHBERT), on="20261119")
    office.night()
    office.clients(client("C1", **BEATRIX), client("C1~2", **CUTHBERT), on="20261120")
    office.night()
    assert office.rows("select client_ref, forename from staged.clients order by 1") == [
        ("careplan/C1", "Harold"), ("careplan/C1~2", "Cuthbert"), ("careplan/C1~3", "Beatrix"),
    ]  # fmt: skip
    ids = "select distinct reference from staged.references where kind = 'roster_client_id' order by 1"
    assert office.rows(ids) == [("C1",), ("C1~2",)]


def test_a_reused_order_number_keeps_the_first_record_and_both_are_listed(office: Office) -> None:
    office.orders(order("A7", SocialServicesRef="1", Rate="20", **HAROLD), on="20261119")
    office.night()
    office.orders(order("A7", SocialServicesRef="2", Rate="21", **BEATRIX), on="20261120")
    office.orders(order("A8", **CUTHBERT), order("A8", LineNumber="2", **HENRY), council="essex", on="20261120")
    run_night(office.settings, office.settings.inbox, NIGHT)
    orders = (
        "select issuer, purchase_order_number, line_number, c.forename, rate from staged.purchase_orders"
        " join staged.clients as c using (client_id) order by 1, 2, 3, 5"
    )
    assert [(*said, rate and int(rate)) for *said, rate in office.rows(orders)] == [
        ("ESSEX", "A8", "1", "Cuthbert", None), ("ESSEX", "A8", "2", "Henry", None),
        ("KENT", "A7", "1", "Harold", 20), ("KENT", "A7", "1", "Beatrix", 21),
    ]  # fmt: skip
    (confusion,) = read_report(office.settings, NIGHT).confusions
    assert (confusion.kind, confusion.number) == ("purchase_order_number", "A7")
    assert {confusion.left_ref, confusion.right_ref} == {"KENT/reference/1", "KENT/reference/2"}
