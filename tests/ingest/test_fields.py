"""How cells that carry several fields are taken apart: what is read, what is not, and that nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from office import Office

from pipelines.ingest.fields import read_file
from pipelines.ingest.table import Contents
from pipelines.sources import source_of_text
from pipelines.sources.full_addresses import split_addresses
from pipelines.sources.full_names import (
    LEFT_OVER,
    NOT_ONE_PERSON,
    ORDER_UNKNOWN,
    OTHER_WAY_ROUND,
    order_of,
    split_names,
)
from pipelines.sources.moments import split_moments
from pipelines.sources.phones import MORE_NUMBERS, NOT_THEIR_OWN, split_phones

NAME = ("title", "forename", "surname", "known_as", "other_names")
ADDRESS = ("address_1", "address_2", "town", "county", "postcode")


def name(cell: str, *others: str, order: Any = None) -> tuple[str, ...]:
    """Title, forename, surname and known-as of the first cell of a column; empty where there is none."""
    parts = split_names([cell, *others], NAME, order)[0].parts
    return tuple(parts.get(part, "") for part in NAME[:4])


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("SMITH, John (Jack)", ("", "John", "SMITH", "Jack")),
        ("Smith, Mr John", ("Mr", "John", "Smith", "")),
        ("Smith, John, Mr", ("Mr", "John", "Smith", "")),
        ("Mrs Smith, Mary", ("Mrs", "Mary", "Smith", "")),
        ("VAN DER BERG, Anna Maria", ("", "Anna Maria", "VAN DER BERG", "")),
        ("Jones - Smith, Ann", ("", "Ann", "Jones-Smith", "")),
        ("MacDonald, Ewan", ("", "Ewan", "MacDonald", "")),
        ("King, John", ("", "John", "King", "")),
        ("Major, Tom", ("", "Tom", "Major", "")),
        ("Rev'd Smith, John".replace("'", ""), ("Revd", "John", "Smith", "")),
        ("Smith, John Jnr", ("", "John Jnr", "Smith", "")),
        ("Smith, John OBE", ("", "John", "Smith", "")),
        ("Smith, John aka Jack", ("", "John", "Smith", "Jack")),
        ("Smith, John \"Jack\"", ("", "John", "Smith", "Jack")),
        ("Smith, John [Jack]", ("", "John", "Smith", "Jack")),
        ("O’Neill, Siân", ("", "Siân", "O’Neill", "")),
        ("SMITH John", ("", "John", "SMITH", "")),
        ("John SMITH", ("", "John", "SMITH", "")),
        ("DE LA CRUZ Anna", ("", "Anna", "DE LA CRUZ", "")),
        ("Ms Anna de la CRUZ", ("Ms", "Anna", "de la CRUZ", "")),
        ("Dr. J. A. O'Neill", ("Dr.", "J. A.", "O'Neill", "")),
        ("JP Smith", ("", "JP", "Smith", "")),
        ("O'Neill J A", ("", "J A", "O'Neill", "")),
        ("Mrs Smith", ("Mrs", "", "Smith", "")),
        ("Smith", ("", "", "Smith", "")),
        ("N/A", ("", "", "N/A", "")),
        ("\u200bSmith,\xa0John", ("", "John", "Smith", "")),
    ],
)  # fmt: skip
def test_a_name_that_shows_its_order_itself(cell: str, read: tuple[str, ...]) -> None:
    assert name(cell) == read


FORENAME_FIRST = ("Mary Jones", "Arthur Bell", "Joan Taylor", "Doris Wright")
SURNAME_FIRST = ("Jones Mary", "Bell Doreen", "Taylor Joan", "Wright Doris")


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("Stanley Wardle", ("", "Stanley", "Wardle", "")),
        ("Mrs Mary Jones-Smith", ("Mrs", "Mary", "Jones-Smith", "")),
        ("Omar al-Rashid", ("", "Omar", "al-Rashid", "")),
        ("Dewi ap Rhys", ("", "Dewi", "ap Rhys", "")),
        ("Siti bte Ahmad", ("", "Siti", "bte Ahmad", "")),
        ("Anna van der Berg", ("", "Anna", "van der Berg", "")),
        ("Mary St John", ("", "Mary", "St John", "")),
        ("John O Neill", ("", "John", "O Neill", "")),
        ("Mary Ann Jones", ("", "Mary Ann", "Jones", "")),
        ("Chidinma Okonkwo", ("", "Chidinma", "Okonkwo", "")),
    ],
)
def test_a_name_whose_column_has_the_forename_first(cell: str, read: tuple[str, ...]) -> None:
    assert name(cell, *FORENAME_FIRST) == read


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("Wardle Stanley", ("", "Stanley", "Wardle", "")),
        ("Mrs Wardle Olive", ("Mrs", "Olive", "Wardle", "")),
        ("Van Der Moor Olive", ("", "Olive", "Van Der Moor", "")),
        ("Mc Donald Ann", ("", "Ann", "Mc Donald", "")),
        ("Jones Mary Ann", ("", "Mary Ann", "Jones", "")),
    ],
)
def test_a_name_whose_column_has_the_surname_first(cell: str, read: tuple[str, ...]) -> None:
    assert name(cell, *SURNAME_FIRST) == read


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["Mr & Mrs Smith"], NOT_ONE_PERSON),
        (["Smith, John and Mary"], NOT_ONE_PERSON),
        (["Ola Wojcik"], ORDER_UNKNOWN),
        (["Jones Mary", *("Mary Jones", "Joan Taylor", "Doris Wright") * 4], OTHER_WAY_ROUND),
    ],
)
def test_what_is_no_name_or_shows_no_order_is_not_guessed(cells: list[str], reason: str) -> None:
    found = split_names(cells, NAME)[0]
    assert (dict(found.parts), found.reason) == ({}, reason)


def test_the_mapping_may_say_the_order() -> None:
    assert name("Ola Wojcik", order="forename first") == ("", "Ola", "Wojcik", "")
    assert name("Ola Wojcik", order="surname first") == ("", "Wojcik", "Ola", "")


def test_a_column_that_shows_both_orders_shows_none() -> None:
    assert order_of(FORENAME_FIRST) == "forename first"
    assert order_of(SURNAME_FIRST) == "surname first"
    assert order_of((*FORENAME_FIRST, *SURNAME_FIRST)) is None


def test_what_is_said_in_brackets_of_a_death_stays() -> None:
    """Every reader of titles looks for it; no name may swallow it."""
    assert name("Smith, John (DECEASED)") == ("(DECEASED)", "John", "Smith", "")
    assert name("Smith, John - deceased") == ("(deceased)", "John", "Smith", "")
    assert name("SMITH, Mary (Restricted)") == ("(Restricted)", "Mary", "SMITH", "")


def test_other_words_in_brackets_are_counted() -> None:
    found = split_names(["Smith, John (12345)"], NAME)[0]
    assert (found.parts["surname"], found.reason) == ("Smith", LEFT_OVER)
    assert split_names(["Smith, Mary (née Jones)"], NAME)[0].parts["other_names"] == "Jones"


def address(cell: str) -> tuple[str, ...]:
    parts = split_addresses([cell], ADDRESS)[0].parts
    return tuple(parts.get(part, "") for part in ADDRESS)


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("14 High Street, York, West Yorkshire, YO1 7HH", ("14 High Street", "", "York", "West Yorkshire", "YO1 7HH")),
        ("Flat 2, The Maltings, York, yo17hh", ("Flat 2", "The Maltings", "York", "", "YO1 7HH")),
        ("14, High Street\nYork\nYO1 7HH", ("14 High Street", "", "York", "", "YO1 7HH")),
        ("14 High Street;York;YO1 7HH;UK", ("14 High Street", "", "York", "", "YO1 7HH")),
        ("14 High Street, York YO1 7HH, England", ("14 High Street", "", "York", "", "YO1 7HH")),
        ("14 High Street York YO1 7HH", ("14 High Street York", "", "", "", "YO1 7HH")),
        ("1a-3 Mill Lane, Back Lane, Little Dunham, King's Lynn, Norfolk PE32 2AA",
         ("1a-3 Mill Lane", "Back Lane, Little Dunham", "King's Lynn", "Norfolk", "PE32 2AA")),
        ("5 Elm Close, Durham, DH1 3AA", ("5 Elm Close", "", "Durham", "", "DH1 3AA")),
        ("No fixed abode", ("No fixed abode", "", "", "", "")),
        ("YO1 7HH", ("", "", "", "", "YO1 7HH")),
    ],
)  # fmt: skip
def test_an_address(cell: str, read: tuple[str, ...]) -> None:
    assert address(cell) == read


def test_two_postcodes_are_not_chosen_between() -> None:
    found = split_addresses(["1 Mill Lane, YO1 7HH (from May: YO1 8AB)"], ADDRESS)[0]
    assert (dict(found.parts), found.about) == ({}, "postcode")


@pytest.mark.parametrize(
    ("cell", "day", "clock"),
    [
        ("12/11/2026 09:30", "12/11/2026", "09:30"),
        ("2026-11-12T09:30:00", "2026-11-12", "09:30:00"),
        ("2026-11-12 09:30:00.000", "2026-11-12", "09:30:00.000"),
        ("12/11/2026 9:30 PM", "12/11/2026", "9:30 PM"),
        ("Thu 12 Nov 2026 09:30", "12 Nov 2026", "09:30"),
        ("12 November 2026, 9am", "12 November 2026", "9am"),
        ("09:30 12/11/2026", "12/11/2026", "09:30"),
        ("12/11/2026 at 09:30", "12/11/2026", "09:30"),
        ("46338.354166", "46338", "08:30:00"),
        ("2026-07-12T09:30:00Z", "2026-07-12", "10:30:00"),
        ("2026-11-12T23:30:00-02:00", "2026-11-13", "01:30:00"),
        ("12/11/2026", "12/11/2026", None),
        ("soon", "soon", None),
    ],
)
def test_a_date_and_time(cell: str, day: str, clock: str | None) -> None:
    parts = split_moments([cell, "01/11/2026 08:00"], ("visit_date", "start_time"))[0].parts
    assert (parts["visit_date"], parts.get("start_time")) == (day, clock)


def test_midnight_in_a_whole_column_is_no_time() -> None:
    found = split_moments(["2026-11-12 00:00:00", "2026-11-13 00:00:00"], ("visit_date", "start_time"))
    assert [dict(one.parts) for one in found] == [{"visit_date": "2026-11-12"}, {"visit_date": "2026-11-13"}]
    found = split_moments(["2026-11-12 00:00:00", "2026-11-13 08:00:00"], ("visit_date", "start_time"))
    assert found[0].parts["start_time"] == "00:00:00"


@pytest.mark.parametrize(
    ("cell", "phone", "mobile", "reason"),
    [
        ("01904 123456 / 07700 900123", "01904 123456", "07700 900123", None),
        ("07700 900123", None, "07700 900123", None),
        ("H: 01904 123456 M: 07700 900123", "01904 123456", "07700 900123", None),
        ("01904 123456, 01904 222333", "01904 123456", "01904 222333", None),
        ("01904 123456 (daughter Jane)", None, None, NOT_THEIR_OWN),
        ("01904 123456 or 01904 222333 or 01904 444555", "01904 123456", None, MORE_NUMBERS),
        ("ex-directory", "ex-directory", None, None),
    ],
)
def test_telephones(cell: str, phone: str | None, mobile: str | None, reason: str | None) -> None:
    found = split_phones([cell], ("phone", "mobile"))[0]
    assert (found.parts.get("phone"), found.parts.get("mobile"), found.reason) == (phone, mobile, reason)


MAPPING = """
feed: purchase_orders
files: ["kent_*.csv"]
issuer: {fixed: KENT}
date_formats: ["%d/%m/%Y"]
constants: {line_number: 1, authority_code: KENT}
values:
  status: {"On Hold": Suspended, No: Ended}
columns:
  Client: {full_name: [title, forename, surname, known_as]}
  Home: {full_address: [address_1, town, postcode]}
  Order: purchase_order_number
  From: start_date
  State: status
"""


def read(office: Office, text: str, mapping: str = MAPPING) -> Contents:
    return read_file(office.deliver("kent_1.csv", text), source_of_text("kent", mapping), office.settings.ingest)


class TestAMapping:
    """The rules of one mapping on the rows of one file."""

    @pytest.fixture
    def office(self, tmp_path: Path) -> Office:
        return Office(tmp_path / "home")

    def test_splits_constants_and_words(self, office: Office) -> None:
        contents = read(
            office,
            "Client,Home,Order,From,State\n"
            '"SMITH, John (Jack)","1 Mill Lane, York, YO1 7HH",1,01/11/2026, on hold \n'
            '"Bell, Ann",,2,01/11/2026,Live\nMr & Mrs Smith,,3,01/11/2026,no\n',
        )
        rows = contents.rows.to_pylist()
        assert [row["surname"] for row in rows] == ["SMITH", "Bell", ""]
        assert (rows[0]["address_1"], rows[0]["town"], rows[0]["postcode"]) == ("1 Mill Lane", "York", "YO1 7HH")
        assert [row["status"] for row in rows] == ["Suspended", "Live", "Ended"]
        assert {(row["line_number"], row["authority_code"]) for row in rows} == {("1", "KENT")}
        assert [(cell.row_number, cell.column, cell.reason) for cell in contents.unread] == [
            (4, "surname", NOT_ONE_PERSON)
        ]
        assert contents.unread[0].value_as_sent == "Mr & Mrs Smith"
        assert contents.unmapped == ()

    def test_one_id_for_two_fields(self, office: Office) -> None:
        mapping = (
            'feed: roster_clients\nfiles: ["a.csv"]\nissuer: {fixed: a}\ndate_formats: ["%d/%m/%Y"]\n'
            "columns: {ID: {same: [client_id, social_services_ref]}}\n"
        )
        (row,) = read(office, "ID\n100234\n", mapping).rows.to_pylist()
        assert (row["client_id"], row["social_services_ref"]) == ("100234", "100234")

    def test_a_forgotten_person_is_read_as_one_word(self, office: Office) -> None:
        """What stands in place of a whole name after somebody was forgotten is a surname, and no unread cell."""
        contents = read(office, "Client,Order,From\nforgotten,1,01/11/2026\n")
        assert contents.rows.to_pylist()[0]["surname"] == "forgotten"
        assert contents.unread == ()
