"""An operator's own source mapping: another layout is read without code, and a mistake in it is told plainly."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import VISIT_HEADINGS, Office, table, visit

from pipelines.settings import SettingsError
from pipelines.sources import load_sources, source_for

AMERICAN = """
feed: roster_visits
files: ["calls-*.txt"]
issuer: {fixed: carecloud}
encoding: cp1252
delimiter: "^"
date_formats: ["%m/%d/%Y"]
excel_serial_dates: false
never_store: [Door Code]
columns:
  Call No: visit_id
  Person: client_id
  Day: visit_date
  Mins: planned_minutes
"""

PEOPLE = """
feed: roster_clients
files: ["people-*.csv"]
issuer: {fixed: carecloud}
date_formats: ["%m/%d/%Y"]
columns: {Person: client_id, Name: surname}
"""


def mapping(office: Office, text: str, name: str = "own.yaml") -> None:
    (office.settings.sources / name).write_text(text, encoding="utf-8")


def test_another_layout_needs_no_code(office: Office) -> None:
    mapping(office, AMERICAN)
    content = "Call No^Person^Day^Mins^Door Code\n1^P1^11/20/2026^30^SECRET\n2^P2^soon^30^SECRET\n3^P1^46346^15^SECRET"
    office.deliver("calls-november.txt", content + "\n4^P2^11/21/2026^45^SECRET\n")
    office.night()
    assert office.rows("select issuer, visit_id, visit_on::varchar, planned_minutes from staged.visits order by 2") == [
        ("carecloud", "1", "2026-11-20", 30),
        ("carecloud", "4", "2026-11-21", 45),
    ]
    assert office.rows("select row_number, column_name from raw.rejected_rows order by 1") == [
        (3, "visit_date"),
        (4, "visit_date"),
    ]
    assert b"SECRET" not in office.everything_on_disk()


def test_an_own_mapping_goes_before_the_built_in_one_of_its_name(office: Office) -> None:
    mapping(
        office,
        'feed: roster_visits\nfiles: ["*_roster_visits_*.csv"]\nissuer: {file_name: true}\ndate_formats: ["%m/%d/%Y"]\n'
        "columns: {VisitID: visit_id, ClientID: client_id, VisitDate: visit_date}\n",
        "roster_visits.yaml",
    )
    office.deliver("careplan_roster_visits_1.csv", table(VISIT_HEADINGS, [visit("V1", "C1", VisitDate="11/12/2026")]))
    office.night()
    assert office.rows("select visit_on::varchar from staged.visits") == [("2026-11-12",)]


def test_a_mapping_taken_away_before_its_file_is_taken_in(office: Office) -> None:
    mapping(office, AMERICAN)
    office.land("calls-1.txt", "Call No^Person^Day\n1^P1^11/20/2026\n")
    (office.settings.sources / "own.yaml").unlink()
    office.night()  # the visits were read when they landed
    assert office.rows("select visit_on::varchar from staged.visits") == [("2026-11-20",)]


def test_a_mapping_of_people_taken_away_before_its_file_is_taken_in(office: Office) -> None:
    mapping(office, PEOPLE)
    office.land("people-1.csv", "Person,Name\nP1,Archer\n")
    (office.settings.sources / "own.yaml").unlink()
    with pytest.raises(SettingsError, match="The source mapping own, by which a file was read"):
        office.night()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (AMERICAN.replace("feed: roster_visits", "feed: rota"), "feed is 'rota'; it must be one of purchase_orders"),
        (AMERICAN.replace("planned_minutes", "minutes"), "fields that roster_visits does not have: minutes"),
        (AMERICAN.replace("  Day: visit_date\n", ""), "no heading for the required fields: visit_date"),
        (AMERICAN.replace("planned_minutes", "planed_minuts"), "planed_minuts (did you mean planned_minutes?)"),
        (
            AMERICAN.replace("planned_minutes", "minutes"),
            "docs/mappings.md#the-fields-of-each-feed: visit_id, client_id",
        ),
        (AMERICAN.replace("feed: roster_visits", "feed: roster_visit"), "(did you mean roster_visits?)"),
        (AMERICAN.replace("encoding:", "encodng:"), "there is no entry encodng (did you mean encoding?)"),
        (AMERICAN + "  Minutes: planned_minutes\n", "more than one heading: planned_minutes"),
        (AMERICAN + "  MINS.: actual_minutes\n", "differ in case or punctuation only"),
        (AMERICAN + "  KeySafe: status\n", "KeySafe must never be stored"),
        (AMERICAN + "  door code: status\n", "door code must never be stored"),
        (AMERICAN.replace("%m/%d/%Y", "%m/%d/%Q"), "date_formats cannot be used: %m/%d/%Q"),
        (AMERICAN.replace("%m/%d/%Y", "MM/DD/YYYY"), "date_formats cannot be used: MM/DD/YYYY"),
        (AMERICAN.replace("cp1252", "ansi2"), "encoding 'ansi2' is not known"),
        (AMERICAN.replace('"^"', "'\"'"), "delimiter must be one character"),
        (AMERICAN.replace("issuer: {fixed: carecloud}\n", ""), "issuer is missing"),
        (AMERICAN + "colour: blue\n", "there is no entry colour"),
        (
            AMERICAN.replace("Day: visit_date", "Day: {date_time: [visit_date, start_time]}"),
            "mean date_and_time?",
        ),
        (
            AMERICAN.replace("Day: visit_date", "Day: {date_and_time: visit_date}"),
            "needs a list of fields",
        ),
        (
            AMERICAN.replace("Day: visit_date", "Day: {date_and_time: [start_time, visit_date]}"),
            "date_and_time needs a date and then a time of day",
        ),
        (
            AMERICAN.replace("Day: visit_date", "Day: {date_and_time: [visit_day, start_time]}"),
            "mean visit_date?",
        ),
        (AMERICAN + "  Name: {full_name: [forename, surname]}\n", "fields that roster_visits does not have: forename"),
        (AMERICAN + "  Name: {full_name: [forname, surname]}\n", "did you mean forename?"),
        (AMERICAN + "  Name: {full_name: [forename], order: upside down}\n", "order must be one of surname first"),
        (AMERICAN + "  Name: [forename]\n", "each heading needs a field, or a split"),
        (AMERICAN + "constants: {visit_date: 2026-11-20}\n", "though a heading carries them: visit_date"),
        (AMERICAN + "constants: {statu: Active}\n", "did you mean status?"),
        (AMERICAN + "values: {status: {a: b}}\n", "values translate fields that no heading carries: status"),
        (AMERICAN + 'values: {visit_id: {a: b, " A": c}}\n', "differ in case or spaces only"),
        (AMERICAN + "without: [Day]\n", "columns and without both name Day"),
        (AMERICAN + 'footer: ["*"]\n', "every row for a footer"),
        (AMERICAN + "delivers: all\n", "delivers is another text; it has to be"),
        (AMERICAN + "two_digit_years: future\n", "two_digit_years is another text; it has to be"),
        ("columns: [", "not valid YAML"),
        ("", "not a YAML mapping"),
        ("- a\n- b\n", "not a YAML mapping"),
    ],
)
def test_a_mistake_in_a_mapping_is_told(office: Office, text: str, message: str) -> None:
    mapping(office, text)
    with pytest.raises(SettingsError) as told:
        load_sources(office.settings.sources)
    assert message in str(told.value)
    assert "own" in str(told.value)


def test_all_that_a_mapping_can_say(office: Office) -> None:
    mapping(
        office,
        AMERICAN.replace("  Day: visit_date\n", "  Start: {date_and_time: [visit_date, start_time]}\n")
        + "delivers: everything\ntwo_digit_years: past\nfooter: [Total*]\nwithout: [Surname]\n"
        + "constants: {carers: 1}\nvalues: {planned_minutes: {Half an hour: 30, No: 0}}\n",
    )
    source = load_sources(office.settings.sources)[0]
    assert (source.delivers, source.two_digit_years, source.footer) == ("everything", "past", ("Total*",))
    assert source.without == ("Surname",)
    assert source.constants == {"carers": "1"}
    assert source.vocabularies == {"planned_minutes": {"half an hour": "30", "no": "0"}}
    assert source.fields_of("START ") == ("visit_date", "start_time")
    assert source.headings_of("start_time") == ("Start",)
    assert source.required_headings == ("Call No", "Person", "Start")
    assert source.fields == {"visit_id", "client_id", "visit_date", "start_time", "planned_minutes", "carers"}


def test_a_mapping_that_is_not_utf8(office: Office) -> None:
    (office.settings.sources / "own.yaml").write_bytes(b"feed: \xe9\n")
    with pytest.raises(SettingsError, match=r"own\.yaml"):
        load_sources(office.settings.sources)


@pytest.mark.parametrize(
    ("file_name", "issuer"),
    [
        ("kent_purchase_orders_1.csv", "KENT"),
        ("KENT_Purchase_Orders_20261120.CSV", "KENT"),
        ("CarePlan_roster_visits_1.csv", "careplan"),
        ("east_kent_roster_clients_1.xlsx", "east_kent"),
    ],
)
def test_the_issuer_is_the_first_part_of_the_file_name(tmp_path: Path, file_name: str, issuer: str) -> None:
    source = source_for(file_name, load_sources(tmp_path))
    assert source is not None
    assert source.issuer_of_file(file_name) == issuer
