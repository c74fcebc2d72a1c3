"""Why the import missed a reference, who should correct what, and numbers that stand on two people."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from office import NIGHT, Office, client, order

from pipelines.match.score import match_clients
from pipelines.review.contents import Comparison, Confusion, Miss
from pipelines.review.mask import mask_candidate, mask_report
from pipelines.review.numbered import REFERENCE, say_difference
from pipelines.review.publish import publish_report, read_report, rebuild_report
from tests.review.examples import a_candidate, a_report

JEAN = {"Forename": "Jean", "Surname": "Ashworth", "DateOfBirth": "03/02/1940", "NHSNumber": "943 476 5919",
        "Address1": "1 Mill Road", "Postcode": "CO4 3SQ", "Gender": "F"}  # fmt: skip


def published(office: Office, night: date = NIGHT) -> Path:
    office.night()
    match_clients(office.settings, night)
    return publish_report(office.settings, night)


@pytest.mark.parametrize(
    ("held", "sent", "reason", "ask", "correction"),
    [
        ("0123456", "123456", "leading zero", "KENT", "Write 0123456."),
        ("123456", "0123456", "leading zero", "careplan", "Write 0123456."),
        ("123456", "SS-123456", "prefix", "KENT", "Write 123456."),
        ("123456", "123456/1", "suffix", "KENT", "Write 123456."),
        ("12 3456", "123456", "a space or punctuation", "careplan", "Write 123456."),
        ("e123456", "E123456", "capital or small letters", "careplan", "Write E123456."),
        ("12345O", "123450", "letter O for zero", "careplan", "Write 123450."),
        ("123456", "124356", "two digits crossed", "careplan", "Find out with the council which of the two is right."),
        ("123456", "123457", "one digit", "careplan", "Find out with the council which of the two is right."),
        ("", "123456", "missing on the record that we held", "careplan", "Give it the reference 123456."),
        (
            "123456", "987654", "a different or superseded reference", "careplan",
            "Find out with the council which of the two is right.",
        ),
    ],
)  # fmt: skip
def test_each_miss_is_explained(office: Office, held: str, sent: str, reason: str, ask: str, correction: str) -> None:
    office.clients(client("C1", SocialServicesRef=held, **JEAN))
    office.orders(order("PO1", SocialServicesRef=sent, **JEAN))
    published(office)
    (miss,) = read_report(office.settings, NIGHT).misses
    assert (miss.sent_reference, miss.held_reference) == (sent, held)
    assert (miss.reason, miss.ask, miss.correction) == (reason, ask, correction)
    (candidate,) = read_report(office.settings, NIGHT).candidates
    (line,) = (one for one in candidate.comparisons if one.field == REFERENCE)
    assert {held, f"{sent}; council: KENT"} == {line.left, line.right}
    alike = reason.startswith(("one ", "two ", "missing", "a different"))
    assert alike or reason in line.words, "the case has the names of the report"


@pytest.mark.parametrize(
    ("level", "one", "other", "said"),
    [
        ("near", "66440137/A", "66440137", "the same reference but for a suffix"),
        ("slip", "00451122", "451122", "the same reference but for a leading zero"),
        ("slip", "SS-451122", "451122", "the same reference but for a prefix"),
        ("slip", "45 1122", "451122", "the same reference but for a space or punctuation"),
        ("slip", "45112O", "451120", "the same reference but for the letter O for zero"),
        ("slip", "SS-0451122", "451122/1", "the same reference but for several slips at once"),
        ("near", "451122", "451212", "references with two digits crossed"),
        ("near", "451122", "451123", "references that differ by one digit"),
        ("different", "12", "123456", "the words of the level"),
        ("missing", None, "123456", "the words of the level"),
    ],
)
def test_a_case_says_what_differs(level: str, one: str | None, other: str | None, said: str) -> None:
    assert say_difference(level, "the words of the level", one, other) == said


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("00345678; council: KENT", "•••678; council: KENT"),
        ("none sent; council: ESSEX", "none sent; council: ESSEX"),
        ("00345678", "•••678"),
        ("", ""),
        ("Smith; council: 9434765919", "S•••; council: •••919"),
    ],
)
def test_masked_a_council_is_taken_for_no_reference(said: str, masked: str) -> None:
    line = Comparison(REFERENCE, said, said, "missing", "missing on one side", 0.0)
    (seen,) = mask_candidate(a_candidate(comparisons=(line,))).comparisons
    assert (seen.left, seen.right) == (masked, masked)


def test_each_council_and_rostering_system_gets_its_own_corrections(office: Office) -> None:
    office.clients(client("C1", SocialServicesRef="0123456", **JEAN))
    office.orders(order("PO1", SocialServicesRef="123456", **JEAN))
    folder = published(office)
    assert [path.name for path in (folder / "corrections").iterdir()] == ["KENT.xlsx"]
    sheet = openpyxl.load_workbook(folder / "corrections/KENT.xlsx").active
    assert [cell.value for cell in sheet[2]][:5] == ["KENT", "leading zero", "123456", "0123456", "Write 0123456."]
    assert "leading zero" in (folder / "index.html").read_text("utf-8")


def test_a_reference_on_two_people_is_a_confusion_and_no_candidate(office: Office) -> None:
    peter = JEAN | {"Forename": "Peter", "DateOfBirth": "19/11/1936", "Gender": "M", "NHSNumber": ""}
    office.clients(client("C1", SocialServicesRef="123456", **(JEAN | {"NHSNumber": ""})))
    office.orders(order("PO1", SocialServicesRef="123456", **peter))
    published(office)
    report = read_report(office.settings, NIGHT)
    (confusion,) = report.confusions
    assert (confusion.kind, confusion.number) == ("social_services_reference", "123456")
    assert report.candidates == ()


def test_a_rebuilt_report_holds_them_too(office: Office) -> None:
    office.clients(client("C1", SocialServicesRef="0123456", **JEAN))
    office.orders(order("PO1", SocialServicesRef="123456", **JEAN))
    folder = published(office)
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    (folder / "index.html").unlink()
    rebuild_report(office.settings, NIGHT)
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before


def test_masked_corrections_give_no_reference_away() -> None:
    miss = Miss(
        "C1",
        "KENT/reference/12345678",
        "careplan/C1",
        "12345678",
        "SS-12345678",
        "prefix",
        "careplan",
        "Write 12345678.",
    )
    confusion = Confusion("nhs_number", "nhs", "9434765919", "careplan/CP001234", "KENT/reference/12345678")
    masked = mask_report(replace(a_report(), misses=(miss,), confusions=(confusion,)))
    assert "12345" not in repr(masked.misses)
    assert "94347" not in repr(masked.confusions)
    assert masked.misses[0].reason == "prefix"
