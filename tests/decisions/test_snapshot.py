"""What the night reads of the decisions: where each pair stands on today's facts, and that the log is whole."""

from __future__ import annotations

import json
from datetime import date

import pytest
from office import Office, client, order, visit

from pipelines.decisions.evidence import evidence_hash
from pipelines.decisions.snapshot import DecisionsDamagedError, present_facts, show_facts, take_snapshot
from pipelines.decisions.statement import Statement
from pipelines.decisions.store import open_decisions
from pipelines.doctor import examine
from pipelines.fingerprint import fingerprint
from pipelines.warehouse import open_warehouse

NEXT = date(2026, 11, 21)


@pytest.fixture
def office(office: Office) -> Office:
    """Ann Archer stands twice in one rostering system."""
    office.clients(client("1", Phone="01206 555123"), client("2", Forename="Annie"))
    office.night()
    return office


def decides(office: Office, who: str, verdict: str, left: str = "careplan/1", right: str = "careplan/2") -> None:
    """Somebody decides on two records as they are now."""
    with open_warehouse(office.settings) as warehouse:
        show_facts(warehouse)
        facts = warehouse.one(
            "select pair_facts(one.facts, other.facts) from facts as one, facts as other"
            " where one.client_ref = $left and other.client_ref = $right",
            {"left": left, "right": right},
        )
    with open_decisions(office.settings) as store:
        store.record(
            [Statement("C1", left, right, verdict, who, "cli", "looked at both files", evidence_hash(facts), facts)]
        )


def reads(office: Office) -> tuple[int, dict[str, int]]:
    """How many entries a night reads, and how many pairs stand how."""
    with open_warehouse(office.settings) as warehouse, warehouse.transaction():
        read = take_snapshot(office.settings, warehouse)
    return len(read.entries), read.counts


def stands(office: Office) -> list[tuple[str, str]]:
    return [(standing, reason) for standing, reason in office.rows("select standing, reason from reviewed.standings")]


def test_before_anybody_decides_there_is_an_empty_store(office: Office) -> None:
    assert reads(office) == (0, {})
    assert office.settings.decisions_file.exists()


def test_a_decision_is_read_with_its_pair_the_smaller_client_id_left(office: Office) -> None:
    decides(office, "Jo", "different", "careplan/2", "careplan/1")
    assert reads(office) == (1, {"different": 1})
    assert office.rows(
        "select l.client_ref, r.client_ref, standing, reason, verdicts from reviewed.standings as s"
        " join staged.clients as l on l.client_id = left_id join staged.clients as r on r.client_id = right_id"
    ) == [("careplan/1", "careplan/2", "different", "Jo said different", [1])]


def test_reading_twice_is_reading_once(office: Office) -> None:
    decides(office, "Jo", "same")
    reads(office)
    before = fingerprint(office.settings)
    reads(office)
    assert fingerprint(office.settings) == before


def test_a_decision_changes_the_fingerprint_of_all_but_not_of_the_linked_rows(office: Office) -> None:
    reads(office)
    before = fingerprint(office.settings), fingerprint(office.settings, "linked")
    decides(office, "Jo", "same")
    reads(office)
    assert fingerprint(office.settings) != before[0]
    assert fingerprint(office.settings, "linked") == before[1]


@pytest.mark.parametrize(
    ("cells", "field", "before", "now"),
    [
        ({"Surname": "Baker"}, "surname", "ARCHER", "BAKER"),
        ({"DateOfBirth": "13/03/1941"}, "born", "1941-03-12", "1941-03-13"),
        ({"Phone": ""}, "phone", "+441206555123", ""),
        ({"Phone": "01206 555123", "NHSNumber": "943 476 5919"}, "nhs_number", "", "9434765919"),
    ],
)
def test_a_decision_lapses_when_a_fact_changes_and_the_difference_is_kept(
    office: Office, cells: dict[str, str], field: str, before: str, now: str
) -> None:
    decides(office, "Jo", "same")
    office.clients(client("1", **{"Phone": "01206 555123", **cells}), client("2", Forename="Annie"), on="20261121")
    office.night(NEXT)
    assert reads(office)[1] == {"lapsed": 1}
    assert stands(office) == [("lapsed", "changed since it was decided")]
    changed = json.loads(office.one("select changed from reviewed.standings"))
    assert changed == [{"client_ref": "careplan/1", "field": field, "before": before, "now": now}]


@pytest.mark.parametrize(
    ("cells", "stands"),
    [
        ({"Phone": "01206 555999", "Address1": "9 Yonder Row", "Postcode": "ME15 6XX"}, "different"),
        ({"Surname": "Baker", "DateOfBirth": "13/03/1941", "NHSNumber": "943 476 5919"}, "different"),
        ({"KnownAs": "Annie"}, "lapsed"),
    ],
)
def test_a_different_lapses_only_when_a_change_brings_the_two_nearer(
    office: Office, cells: dict[str, str], stands: str
) -> None:
    decides(office, "Jo", "different")
    office.clients(client("1", **cells), client("2", Forename="Annie"), on="20261121")
    office.night(NEXT)
    assert reads(office)[1] == {stands: 1}


def test_what_hangs_on_a_record_and_how_it_is_written_are_no_facts(office: Office) -> None:
    decides(office, "Jo", "different")
    again = client("1", Forename=" ann ", Phone="+44 1206 555123", Postcode="co43sq", Status="Inactive")
    office.clients(again, client("2", Forename="Annie"), on="20261121")
    office.visits(visit("V1", "1"), visit("V2", "2"), on="20261121")
    office.orders(order("PO1", Forename="Zoe", Surname="Zander", DateOfBirth="01/02/1950"), on="20261121")
    office.night(NEXT)
    assert reads(office)[1] == {"different": 1}


def test_the_facts_of_a_pair_are_the_same_from_either_side(office: Office) -> None:
    decides(office, "Jo", "same")
    decides(office, "Sam", "same", "careplan/2", "careplan/1")
    assert reads(office)[1] == {"same": 1}
    with open_warehouse(office.settings) as warehouse:
        assert len(present_facts(warehouse)) == 1


def test_forgotten_facts_lapse_without_a_difference(office: Office) -> None:
    decides(office, "Jo", "different")
    with open_decisions(office.settings) as store:
        store.erase_facts(entry.evidence_hash or "" for entry in store.entries())
    office.clients(client("1", Surname="Baker"), client("2", Forename="Annie"), on="20261121")
    office.night(NEXT)
    reads(office)
    assert office.rows("select standing, changed from reviewed.standings") == [("lapsed", "[]")]


def test_an_undo_opens_the_pair_again(office: Office) -> None:
    decides(office, "Jo", "different")
    reads(office)
    with open_decisions(office.settings) as store:
        store.undo("C1", "Jo", "cli")
    assert reads(office) == (2, {})
    assert stands(office) == []


@pytest.mark.parametrize("deed", ["forged", "thrown away", "replaced by one as long"])
def test_nothing_follows_from_a_log_that_is_not_whole(office: Office, deed: str) -> None:
    decides(office, "Jo", "different")
    reads(office)
    if deed == "forged":
        with open_decisions(office.settings) as store, store.engine.begin() as connection:
            connection.exec_driver_sql("drop trigger entries_not_updated")
            connection.exec_driver_sql("update entries set verdict = 'same'")
    else:
        for file in office.settings.home.glob("decisions.sqlite*"):
            file.unlink()
        if deed != "thrown away":
            decides(office, "Jo", "same")
    with pytest.raises(DecisionsDamagedError, match="Restore the decision store"):
        reads(office)
    assert stands(office) == [("different", "Jo said different")]
    assert [f.check for f in examine(office.settings) if not f.well and "decisions" in f.check]
