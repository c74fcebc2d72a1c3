"""The record as it would be, for either survivor: nothing is lost, and what waits for a choice says so."""

from __future__ import annotations

import pytest
from books import (
    COUNCIL,
    ROSTER,
    alias,
    case,
    council,
    council_reference,
    enrolment,
    named,
    order,
    phone,
    roster,
    roster_id,
)

from pipelines.decisions.statement import NO_CHOICES, Choices
from pipelines.merge.policy import POLICY
from pipelines.merge.preview import Line, preview

ON_THE_BOOKS = roster(
    profile=named("Peggy"),
    upcoming_visits=28,
    past_visits=1204,
    enrolments=(enrolment("HC-24"), enrolment("HC-22")),
    contacts=(phone("01622 555123", "+441622555123"), phone("07700 900123", "+447700900123")),
    aliases=(alias("Peg"),),
    references=(roster_id("C1"), council_reference("0123456")),
)
BY_ORDERS = council(
    profile=named("Margaret"),
    upcoming_visits=3,
    orders=(order("PO1", hidden=True), order("PO2", standing="future", weekly_pence=None)),
    past_orders=2,
    enrolments=(enrolment("HC-24"),),
    contacts=(phone("01622555123", "+441622555123"),),
    references=(council_reference("123456"),),
)
DECIDED = Choices(move_active_orders=True, enrolments={"HC-24": ROSTER}, aliases="keep", references={"KENT": "123456"})


def line(kind: str, into: str, choices: Choices = NO_CHOICES) -> Line:
    (found,) = (one for one in preview(case(ON_THE_BOOKS, BY_ORDERS, choices=choices), into).lines if one.kind == kind)
    return found


def fates(kind: str, into: str, choices: Choices = NO_CHOICES) -> list[tuple[str, str, str]]:
    return [(entry.value or entry.detail, entry.origin_ref, entry.fate) for entry in line(kind, into, choices).entries]


def test_the_profile_is_the_survivors_and_the_other_stays_in_history() -> None:
    assert fates("Profile", ROSTER) == [
        ("Peggy", ROSTER, "stays"), ("Archer", ROSTER, "stays"), ("Margaret", COUNCIL, "history"),
    ]  # fmt: skip
    assert fates("Profile", COUNCIL) == [
        ("Margaret", COUNCIL, "stays"), ("Archer", COUNCIL, "stays"), ("Peggy", ROSTER, "history"),
    ]  # fmt: skip


@pytest.mark.parametrize("into", [ROSTER, COUNCIL])
def test_visits_and_money_add_up_whoever_stays(into: str) -> None:
    assert line("Visits", into).total == "31 visits to come, 1,204 past"
    assert line("Purchase orders", into).total == "1 active line, £315.00 a week"
    assert {fate for _, origin, fate in fates("Visits", into) if origin == into} == {"stays"}
    assert {fate for _, origin, fate in fates("Visits", into) if origin != into} == {"moves"}


def test_an_order_moves_when_the_decision_says_so() -> None:
    assert [fate for *_, fate in fates("Purchase orders", COUNCIL)] == ["stays"] * 3
    assert [fate for *_, fate in fates("Purchase orders", ROSTER)] == ["undecided", "undecided", "moves"]
    assert line("Purchase orders", ROSTER).waits_for == "move_active_orders"
    assert [fate for *_, fate in fates("Purchase orders", ROSTER, DECIDED)] == ["moves"] * 3
    assert line("Purchase orders", ROSTER, DECIDED).waits_for == ""


def test_a_hidden_order_comes_to_light_where_the_other_is_enrolled() -> None:
    hidden = line("Purchase orders", ROSTER).entries[0]
    assert hidden.detail == "active, contract HC-24, from 1 Nov 2026, £315.00 a week, no longer hidden"


def test_contacts_are_united_each_with_its_origin() -> None:
    assert fates("Contacts", ROSTER) == [("01622 555123", ROSTER, "stays"), ("07700 900123", ROSTER, "stays")]
    assert fates("Contacts", COUNCIL) == [("01622555123", COUNCIL, "stays"), ("07700 900123", ROSTER, "moves")]


def test_enrolments_stand_by_side() -> None:
    assert [fate for *_, fate in fates("Enrolments", COUNCIL)] == ["undecided", "undecided", "moves"]
    decided = fates("Enrolments", COUNCIL, DECIDED)
    assert [(origin, fate) for _, origin, fate in decided] == [
        (COUNCIL, "history"), (ROSTER, "moves"), (ROSTER, "moves"),
    ]  # fmt: skip


@pytest.mark.parametrize(("aliases", "fate"), [(None, "undecided"), ("keep", "moves"), ("drop", "dropped")])
def test_an_alias_is_kept_or_dropped_as_decided(aliases: str | None, fate: str) -> None:
    assert fates("Aliases", COUNCIL, Choices(aliases=aliases)) == [("Peg", ROSTER, fate)]  # type: ignore[arg-type]
    assert fates("Aliases", ROSTER, Choices(aliases=aliases)) == [("Peg", ROSTER, "stays")]  # type: ignore[arg-type]


def test_a_name_that_a_row_only_sent_is_nobodys_choice() -> None:
    sent = roster(aliases=(alias("Peggy Archre", kind="name_sent"),))
    (aliases,) = preview(case(sent, council()), COUNCIL).lines
    assert [(entry.value, entry.fate) for entry in aliases.entries] == [("Peggy Archre", "history")]
    assert aliases.waits_for == ""


def test_every_reference_ends_on_the_survivor() -> None:
    assert line("References", ROSTER).waits_for == "references"
    assert fates("References", ROSTER, DECIDED) == [
        ("CAREPLAN C1", ROSTER, "stays"), ("KENT 0123456", ROSTER, "history"), ("KENT 123456", COUNCIL, "moves"),
    ]  # fmt: skip


@pytest.mark.parametrize("choices", [NO_CHOICES, DECIDED])
@pytest.mark.parametrize("into", [ROSTER, COUNCIL])
def test_nothing_is_lost_and_the_lines_stand_as_in_the_policy(into: str, choices: Choices) -> None:
    lines = preview(case(ON_THE_BOOKS, BY_ORDERS, choices=choices), into).lines
    order_of = [policy.kind for policy in POLICY]
    assert [one.kind for one in lines] == [kind for kind in order_of if kind != "Source rows"]
    shown = {entry.value for one in lines for entry in one.entries}
    held = {r.label for side in (ON_THE_BOOKS, BY_ORDERS) for r in side.references}
    assert held | {"Peggy", "Margaret", "Peg", "KENT PO1/1", "KENT PO2/1"} <= shown


def test_records_with_nothing_on_them_have_an_empty_preview() -> None:
    assert preview(case(roster(), council()), ROSTER).lines == ()
