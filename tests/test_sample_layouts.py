"""The two councils of the sample whose layouts are their own: their files, and the mappings that read them."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from office import NIGHT, Office

from pipelines.ingest.discover import discover
from pipelines.ingest.land import land_file
from pipelines.sample import make_sample
from pipelines.stage.register import stage_files

ORDER_NUMBERS = {"NORFOLK": ("norfolk_brokerage", ";", 0), "DERBYSHIRE": ("derbyshire_agreements", ",", 1)}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample")
    make_sample(out, clients=600, visits=200, seed=1, own_layouts=True)
    return out


@pytest.fixture(scope="module")
def office(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A home after a night of the sample's files, with the mappings that the sample wrote."""
    office = Office(tmp_path_factory.mktemp("office") / "home")
    shutil.copytree(sample / "sources", office.settings.sources, dirs_exist_ok=True)
    shutil.copytree(sample / "inbox", office.settings.inbox, dirs_exist_ok=True)
    for delivery in discover(office.settings.inbox, NIGHT):
        landing = land_file(office.settings, delivery.path, NIGHT)
        assert landing.status == "loaded", landing.reason
    stage_files(office.settings, NIGHT)
    return office


def truth(sample: Path, council: str) -> dict[str, str]:
    """Each order line of a council with the person that it is for."""
    with (sample / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["record_id"]: row["person_id"] for row in csv.DictReader(file) if row["issuer"] == council}


@pytest.mark.parametrize("council", ORDER_NUMBERS)
def test_the_truth_names_every_line_of_their_files(sample: Path, council: str) -> None:
    name, delimiter, place = ORDER_NUMBERS[council]
    text = (sample / "inbox" / f"{name}_20261120.csv").read_text("utf-8")
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if len(row) > 10][1:]
    assert {f"{row[place]}/{row[place + 1]}" for row in rows} == truth(sample, council).keys()


def test_an_ordinary_sample_has_neither(tmp_path: Path) -> None:
    made = make_sample(tmp_path, clients=20, visits=0, seed=1)
    assert made.files <= 9
    assert not (tmp_path / "sources").exists()
    assert not list(tmp_path.rglob("norfolk*"))


@pytest.mark.parametrize("council", ORDER_NUMBERS)
def test_every_line_is_read_and_footers_are_no_lines(office: Office, sample: Path, council: str) -> None:
    staged = office.rows(
        "select purchase_order_number || '/' || line_number from staged.purchase_orders where issuer = $council",
        council=council,
    )
    assert {line for (line,) in staged} == truth(sample, council).keys()


@pytest.mark.parametrize("council", ORDER_NUMBERS)
def test_their_people_have_names_births_homes_and_known_words(office: Office, council: str) -> None:
    filled = (
        "select count(*), count(forename), count(surname), count(born_on), count(postcode), count(phone)"
        " from staged.source_records where feed = 'purchase_orders' and issuer = $council"
    )
    lines, *counts = office.rows(filled, council=council)[0]
    assert all(count > share * lines for count, share in zip(counts, (0.98, 0.98, 0.9, 0.93, 0.6), strict=True))
    words = office.rows(
        "select distinct status, unit_of_measure from staged.purchase_orders where issuer = $council", council=council
    )
    assert {status for status, _ in words} <= {"Active", "Ended", "Cancelled", "Pending"}
    assert {unit for _, unit in words} <= {"Hours", "Visits", "Weeks"}


def test_nobody_is_born_in_this_century_by_a_year_of_two_digits(office: Office) -> None:
    (young,) = office.rows(
        "select count(*) from staged.source_records where issuer = 'NORFOLK' and born_on > date '2008-01-01'"
    )[0]
    assert young == 0


def test_what_stands_in_brackets_is_no_part_of_a_name(office: Office) -> None:
    brackets = "select count(*) from staged.source_records where forename like '%(%' or surname like '%(%'"
    assert office.one(brackets + " and issuer = 'NORFOLK'") == 0
    assert office.one("select count(*) from staged.source_records where issuer = 'NORFOLK' and surname like '%,%'") == 0
