"""Which client record a row comes in for: by exact reference, as the council import does it, and never by guess."""

from __future__ import annotations

import pytest
from office import Office, client, enrolment, order, visit

HUSBAND = {"Forename": "George", "Surname": "Archer", "Gender": "M", "DateOfBirth": "01/05/1938"}


def test_an_order_with_a_known_reference_joins_that_client(office: Office) -> None:
    office.clients(client("C1", SocialServicesRef="111"))
    office.enrolments(enrolment("C1", "K-1"))
    office.orders(order("PO1", SocialServicesRef="111", ContractNumber="K-1"))
    office.night()
    assert office.linked() == {
        "C1": ("careplan/C1", "new_reference"),
        "PO1/1": ("careplan/C1", "exact_reference"),
    }


def test_an_order_with_an_unknown_reference_makes_a_record_and_the_next_one_joins_it(office: Office) -> None:
    office.orders(order("PO1", SocialServicesRef="222"), order("PO2", SocialServicesRef="222"))
    office.night()
    office.orders(order("PO3", SocialServicesRef="222"), on="20261121")
    office.night()
    assert office.linked() == {
        "PO1/1": ("KENT/reference/222", "new_reference"),
        "PO2/1": ("KENT/reference/222", "new_reference"),
        "PO3/1": ("KENT/reference/222", "exact_reference"),
    }


def test_nearly_the_same_reference_is_another_one(office: Office) -> None:
    office.orders(*(order(f"PO{n}", SocialServicesRef=ref) for n, ref in enumerate(["0123", "123", "SS-123", "123/A"])))
    office.night()
    assert len({ref for ref, _ in office.linked().values()}) == 4


def test_orders_without_reference_are_one_record_for_each_order_number(office: Office) -> None:
    office.orders(
        order("2026/7", LineNumber="1"), order("2026/7", LineNumber="2"), order("2026/8", Forename="Bob"), order("9")
    )
    office.night()
    office.orders(order("2026/7", LineNumber="3"), on="20261121")
    office.night()
    assert office.linked() == {
        "2026/7/1": ("KENT/order/2026/7", "missing_reference"),
        "2026/7/2": ("KENT/order/2026/7", "missing_reference"),
        "2026/7/3": ("KENT/order/2026/7", "missing_reference"),
        "2026/8/1": ("KENT/order/2026/8", "missing_reference"),
        "9/1": ("KENT/order/9", "missing_reference"),
    }


def test_one_number_of_two_councils_is_two_people(office: Office) -> None:
    office.orders(order("PO1", SocialServicesRef="111"), council="kent")
    office.orders(order("PO2", SocialServicesRef="111"), council="essex")
    office.night()
    assert [ref for (ref,) in office.rows("select client_ref from staged.client_ids order by 1")] == [
        "ESSEX/reference/111",
        "KENT/reference/111",
    ]


def test_one_number_and_one_name_at_two_councils_are_two_records_for_people_to_decide(office: Office) -> None:
    office.orders(order("PO1", SocialServicesRef="111"), council="kent")
    office.night()
    office.orders(order("PO2", SocialServicesRef="111"), council="essex", on="20261121")
    office.night()
    assert office.record_of("PO2/1") == "ESSEX/reference/111"


def test_a_reference_of_unknown_council_that_two_councils_claim_joins_neither(office: Office) -> None:
    office.clients(client("C1", SocialServicesRef="111"))
    office.orders(order("PO1", SocialServicesRef="111"), council="kent")
    office.orders(order("PO2", SocialServicesRef="111"), council="essex")
    office.night()
    assert len({office.record_of("C1"), office.record_of("PO1/1"), office.record_of("PO2/1")}) == 3


def test_a_reference_of_unknown_council_joins_only_if_something_else_speaks_for_it(office: Office) -> None:
    office.clients(client("C1", SocialServicesRef="111"), client("C2", SocialServicesRef="222"))
    stranger = {"Forename": "Ivy", "Surname": "Zane", "DateOfBirth": "02/02/1922"}
    office.orders(order("PO1", SocialServicesRef="111"), order("PO2", SocialServicesRef="222", **stranger))
    office.night()
    assert office.record_of("PO1/1") == "careplan/C1"
    assert office.record_of("PO2/1") != "careplan/C2"


@pytest.mark.parametrize("same_night", [True, False])
def test_a_wifes_order_with_her_husbands_reference_makes_its_own_record(office: Office, same_night: bool) -> None:
    office.orders(order("PO1", SocialServicesRef="111", **HUSBAND))
    if not same_night:
        office.night()
    office.orders(order("PO2", SocialServicesRef="111"), on="20261121")
    office.night()
    assert office.linked() == {
        "PO1/1": ("KENT/reference/111", "new_reference"),
        "PO2/1": ("KENT/order/PO2", "reference_of_someone_else"),
    }
    office.orders(
        order("PO3", SocialServicesRef="111", **HUSBAND), order("PO4", SocialServicesRef="111"), on="20261122"
    )
    office.night()
    assert office.record_of("PO3/1") == "KENT/reference/111"
    assert office.record_of("PO4/1") == "KENT/order/PO2"


def test_a_nickname_or_a_slip_of_the_pen_is_no_one_else(office: Office) -> None:
    office.orders(
        order("PO1", SocialServicesRef="111", Forename="Margaret"),
        order("PO2", SocialServicesRef="111", Forename="Peggy", DateOfBirth="03/12/1941"),
        order("PO3", SocialServicesRef="111", Forename="Magraret", Gender="M"),
        order("PO4", SocialServicesRef="111", Forename="M", NHSNumber="9434765919"),
    )
    office.night()
    assert {ref for ref, _ in office.linked().values()} == {"KENT/reference/111"}


@pytest.mark.parametrize("order_first", [True, False])
@pytest.mark.parametrize("same_night", [True, False])
def test_two_rostering_ids_with_one_reference_stay_two_records(
    office: Office, order_first: bool, same_night: bool
) -> None:
    if order_first:
        office.orders(order("PO1", SocialServicesRef="111"))
        office.night()
    office.clients(client("C1", SocialServicesRef="111"))
    if not same_night:
        office.night()
    office.clients(client("C1", SocialServicesRef="111"), client("C2", SocialServicesRef="111"), on="20261121")
    office.night()
    assert office.record_of("C1") != office.record_of("C2")
    if order_first:
        assert office.linked()["C1"] == ("KENT/reference/111", "exact_reference")


def test_a_second_rostering_systems_client_of_the_same_council_and_reference_joins(office: Office) -> None:
    office.orders(order("PO0", ContractNumber="K-1", SocialServicesRef="999"))
    for system, number in (("careplan", "C1"), ("rosterly", "R1")):
        office.clients(client(number, SocialServicesRef="111"), system=system)
        office.enrolments(enrolment(number, "K-1"), system=system)
    office.night()
    assert office.linked()["R1"] == ("careplan/C1", "exact_reference")


def test_an_order_line_sent_again_stays_where_it_was(office: Office) -> None:
    office.orders(order("PO1", SocialServicesRef="111", Rate="20"))
    office.night()
    office.orders(order("PO1", SocialServicesRef="111", Rate="21"), on="20261121")
    office.night()
    assert office.linked() == {"PO1/1": ("KENT/reference/111", "new_reference")}
    assert office.rows("select rate from staged.purchase_orders") == [(21,)]


def test_a_corrected_reference_moves_the_line_and_the_empty_record_goes(office: Office) -> None:
    office.orders(order("PO1", SocialServicesRef="111"), order("PO2", SocialServicesRef="112"))
    office.night()
    office.orders(order("PO2", SocialServicesRef="111"), on="20261121")
    office.night()
    assert office.linked()["PO2/1"] == ("KENT/reference/111", "exact_reference")
    assert office.rows("select client_ref from staged.clients") == [("KENT/reference/111",)]
    assert office.rows("select distinct reference from staged.references") == [("111",)]
    assert office.one("select count(distinct client_id) from staged.purchase_orders") == 1


def test_visits_for_an_id_that_no_export_has_sent_are_kept_and_get_the_details_later(office: Office) -> None:
    office.visits(visit("V1", "C7"))
    office.enrolments(enrolment("C8", "K-1"))
    office.night()
    assert office.linked() == {"C7": ("careplan/C7", "id_only"), "C8": ("careplan/C8", "id_only")}
    office.clients(client("C7", Phone="01206 123456"), on="20261121")
    office.night()
    assert office.linked()["C7"] == ("careplan/C7", "id_only")
    assert office.rows("select surname, phone_e164 from staged.clients where client_ref = 'careplan/C7'") == [
        ("Archer", "+441206123456")
    ]
    assert office.one("select count(*) from staged.visits join staged.clients using (client_id)") == 1


def test_every_linked_row_keeps_the_record_it_came_in_for(office: Office) -> None:
    office.clients(client("C1", SocialServicesRef="111", KnownAs="Annie", Phone="01206 123456"))
    office.orders(order("PO1", SocialServicesRef="111"))
    office.enrolments(enrolment("C1", "K-1"))
    office.visits(visit("V1", "C1"))
    office.night()
    for table in ("visits", "purchase_orders", "enrolments", "contacts", "aliases", "references", "source_records"):
        assert office.rows(f"select distinct origin_client_id, client_id from staged.{table}") == [(1, 1)], table


def test_an_id_with_a_space_or_a_no_break_space_is_the_same_id(office: Office) -> None:
    office.clients(client("C1"))
    office.visits(visit("V1", " C1"), visit("V2", "C1\u00a0"))
    office.night()
    assert set(office.linked()) == {"C1"}


@pytest.mark.parametrize("one_night", [True, False])
def test_an_older_export_that_comes_late_undoes_nothing(office: Office, one_night: bool) -> None:
    """The phone was changed on the 19th and changed back on the 20th; the 19th's file comes last."""
    said = {"20261118": "01206 111111", "20261120": "01206 111111", "20261119": "01206 222222"}
    for day, phone in said.items():
        office.clients(client("C1", Phone=phone), client("C2", Branch=day), on=day)
        office.orders(order("PO1", SocialServicesRef="1", Rate=phone[-2:], Created=day), on=day)
        office.visits(visit("V1", "C1", PlannedMinutes=phone[-2:], ActualMinutes=day[-2:]), on=day)
        if not one_night:
            office.night()
    office.night()
    assert office.rows("select phone from staged.clients where client_ref = 'careplan/C1'") == [("01206 111111",)]
    assert office.rows("select rate from staged.purchase_orders") == [(11,)]
    assert office.rows("select planned_minutes from staged.visits") == [(11,)]


def test_an_old_order_line_that_comes_late_makes_no_record(office: Office) -> None:
    office.orders(order("PO1", SocialServicesRef="111", Created="2026-11-20"))
    office.night()
    office.orders(order("PO1", SocialServicesRef="112", Created="2026-11-01"), on="20261122")
    office.night()
    assert office.rows("select client_ref from staged.client_ids") == [("KENT/reference/111",)]


def test_a_contract_that_a_second_council_comes_to_use_is_nobodys(office: Office) -> None:
    office.orders(order("PO1", ContractNumber="K-1"))
    office.night()
    assert office.rows("select council from staged.contracts") == [("KENT",)]
    office.orders(order("PO2", ContractNumber="K-1"), council="essex", on="20261121")
    office.night()
    assert office.rows("select council from staged.contracts") == []
