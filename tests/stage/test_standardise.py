"""Standard forms: what is the same however it is written, and what says nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office import Office, client

from pipelines.settings import Settings, WarehouseSettings
from pipelines.stage.standardise import forename_root, nhs_number, phone_e164, plain_phone
from pipelines.warehouse import scratch_warehouse


def sql(expression: str) -> object:
    with scratch_warehouse(Settings(home=Path("home"), warehouse=WarehouseSettings(threads=1))) as warehouse:
        return warehouse.one(f"select {expression}")


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("Margaret", "MARGARET"),
        ("Peggy", "MARGARET"),
        ("Maggie", "MARGARET"),
        ("Bill", "WILLIAM"),
        ("Jean", "JEAN"),
        ("Jane", "JANE"),
        ("Bob", "ROBERT"),
        ("Xqzt", "XQZT"),
        ("J", "J"),
    ],
)
def test_a_nickname_has_the_root_of_its_name(name: str, root: str) -> None:
    assert forename_root(name) == root


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ("01206 123456", "+441206123456"),
        ("(01206) 123-456", "+441206123456"),
        ("+44 (0)1206 123456", "+441206123456"),
        ("0044 1206 123456", "+441206123456"),
        ("07700 900123", "+447700900123"),
        ("00000000000", None),
        ("07000000000", None),
        ("0", None),
        ("N/A", None),
        ("12345", None),
        ("", None),
    ],
)
def test_telephone_numbers(sent: str, number: str | None) -> None:
    assert phone_e164(sent) == number


@pytest.mark.parametrize("region", ["GB", "IE", "FR", "IT", "US"])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_what_sql_makes_of_a_plain_telephone_number_is_what_the_library_would(region: str, data: st.DataObject) -> None:
    written = st.text("0123456789 ()-", min_size=1, max_size=16) | st.from_regex(r"\(?0[1-9]\d{7,9}", fullmatch=True)
    sent = data.draw(st.lists(written, min_size=50, max_size=50))
    quoted = ", ".join(f"('{value}')" for value in sent)
    with scratch_warehouse() as warehouse:
        plain = dict(warehouse.rows(f"select as_sent, {plain_phone(region)} from (values {quoted}) as t(as_sent)"))
    told = {value: form for value, form in plain.items() if form is not None}
    assert told == {value: phone_e164(value, region) for value in told}


def test_sql_knows_the_plain_numbers_of_a_country_with_a_trunk_nought() -> None:
    with scratch_warehouse() as warehouse:
        warehouse.execute("create table sent as select '(01206) 123-456' as as_sent")
        assert warehouse.one(f"select {plain_phone('GB')} from sent") == "+441206123456"
        assert warehouse.one(f"select {plain_phone('US')} from sent") is None


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ("943 476 5919", "9434765919"),
        ("943-476-5919", "9434765919"),
        ("943 476 5918", None),
        ("934 476 5919", None),
        ("0000000000", None),
        ("none", None),
        ("", None),
    ],
)
def test_nhs_numbers(sent: str, number: str | None) -> None:
    assert nhs_number(sent) == number


@pytest.mark.parametrize(
    ("sent", "key"),
    [("co4 3sq", "CO4 3SQ"), ("CO43SQ", "CO4 3SQ"), ("sw1a1aa", "SW1A 1AA"), ("75008", "75008"), (" ", None)],
)
def test_postcodes(sent: str, key: str | None) -> None:
    assert sql(f"postcode_key('{sent}')") == key


@pytest.mark.parametrize(
    ("line_1", "line_2", "key"),
    [
        ("14 Mill Rd.", "", "14 MILL ROAD"),
        ("14 MILL ROAD", "", "14 MILL ROAD"),
        ("Flat 2, 14 Mill Rd", "", "FLAT 2 14 MILL ROAD"),
        ("Apt 2", "14 Mill Road", "FLAT 2 14 MILL ROAD"),
        ("2/14 Mill Road", "", "FLAT 2 14 MILL ROAD"),
        ("", "", None),
    ],
)
def test_addresses(line_1: str, line_2: str, key: str | None) -> None:
    assert sql(f"address_key('{line_1}', '{line_2}')") == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("O''Brien-Smith ", "OBRIEN SMITH"),
        ("OBRIEN SMITH", "OBRIEN SMITH"),
        ("Zoë", "ZOE"),
        ("d’Arcy", "DARCY"),
        ("-", None),
    ],
)
def test_names(name: str, key: str | None) -> None:
    assert sql(f"name_key('{name}')") == key


PLACEHOLDERS = [
    ({"Forename": "Client"}, "forename_key", "forename"),
    ({"Forename": "Baby"}, "forename_key", "forename"),
    ({"Surname": "Unknown"}, "surname_key", "surname"),
    ({"DateOfBirth": "01/01/1900"}, "born_on", "birth"),
    ({"DateOfBirth": "2"}, "born_on", "birth unreadable"),
    ({"DateOfBirth": "01/01/2030"}, "born_on", "birth"),
    ({"Phone": "01111111111"}, "phone_e164", "phone"),
    ({"Mobile": "123"}, "mobile_e164", "mobile"),
    ({"NHSNumber": "1234567890"}, "nhs_number", "nhs number invalid"),
]


def test_a_placeholder_counts_for_nothing_and_is_named(office: Office) -> None:
    office.clients(*(client(f"C{n}", **cells) for n, (cells, _, _) in enumerate(PLACEHOLDERS)))
    office.night()
    for n, (cells, column, flag) in enumerate(PLACEHOLDERS):
        found = office.rows(f"select {column}, placeholders from staged.clients where client_ref = 'careplan/C{n}'")
        assert found == [(None, [flag])], cells


def test_a_word_for_a_missing_number_is_as_good_as_none(office: Office) -> None:
    office.clients(client("C1", Phone="00000000000", Mobile="0", NHSNumber="TBC", DateOfBirth="N/K"))
    office.night()
    assert office.rows("select phone, mobile, nhs_as_sent, born_as_sent, placeholders from staged.clients") == [
        (None, None, None, None, [])
    ]


def test_what_is_sent_is_kept_beside_its_standard_form(office: Office) -> None:
    office.clients(
        client("C1", Forename="Mrs Peggy", Surname="O’Brien-Smith", Phone="01206-123456", NHSNumber="943 476 5919")
    )
    office.night()
    assert office.rows(
        "select forename, forename_key, forename_root, surname, surname_key, phone, phone_e164, nhs_number,"
        " placeholders from staged.clients"
    ) == [
        (
            "Mrs Peggy",
            "PEGGY",
            "MARGARET",
            "O’Brien-Smith",
            "OBRIEN SMITH",
            "01206-123456",
            "+441206123456",
            "9434765919",
            [],
        )
    ]
