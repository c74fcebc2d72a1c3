"""Every known identifier asks the one rule: another person gets an own record and a case, a changed one none."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from office import Office, client, order

from pipelines.stage.standardise import know_nicknames
from pipelines.warehouse import open_warehouse

AGNES = {"Forename": "Agnes", "Surname": "Fennimore", "Gender": "F", "DateOfBirth": "02/03/1931"}
HAROLD = {"Forename": "Harold", "Surname": "Goneby", "Gender": "M", "DateOfBirth": "17/08/1944"}
MARRIED = AGNES | {"Surname": "Latterby"}

# Number → its kind, and how many records one person has who comes with it twice: two rostering ids are two records.
IDENTIFIERS = {
    "R1": ("roster_client_id", 1),
    "501": ("social_services_reference", 1),
    "502": ("social_services_reference", 1),
    "O4": ("purchase_order_number", 1),
    "9434765919": ("nhs_number", 2),
}


@pytest.mark.parametrize(("then", "is_another"), [(HAROLD, True), (MARRIED, False)])
def test_of_each_kind_of_identifier(office: Office, then: Mapping[str, str], is_another: bool) -> None:
    office.clients(client("R1", **AGNES), client("R3", NHSNumber="9434765919", **AGNES), on="20261118")
    office.orders(
        order("O1", SocialServicesRef="501", **AGNES), order("O3", SocialServicesRef="502", **AGNES),
        order("O4", **AGNES), on="20261118",
    )  # fmt: skip
    office.night()
    office.clients(
        client("R1", **then), client("R2", SocialServicesRef="502", **then),
        client("R4", NHSNumber="9434765919", **then), on="20261119",
    )  # fmt: skip
    office.orders(order("O2", SocialServicesRef="501", **then), order("O4", **then), on="20261119")
    office.night()
    with open_warehouse(office.settings) as warehouse:
        know_nicknames(warehouse)
        warehouse.work("confusions", "matched.confusions")
        cases = dict(warehouse.rows("select number, kind from confusions"))
    assert cases == ({number: kind for number, (kind, _) in IDENTIFIERS.items()} if is_another else {})
    records = office.one("select count(*) from staged.clients")
    assert records == sum(2 if is_another else same for _, same in IDENTIFIERS.values())
