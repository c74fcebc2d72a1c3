"""What contradicts a standing merge is reported every night until it is settled."""

from __future__ import annotations

import csv
from datetime import date
from typing import Any

import pytest
from office import client, enrolment
from the_merges import ANN, ANN_ORDERS, BEA, BEA_TOO, MOVE_ORDERS, Provider, of

from pipelines import doctor
from pipelines.decisions.statement import DecisionRefusedError
from pipelines.merge.confirm import confirm
from pipelines.merge.finding import Finding
from pipelines.merge.publish import publish_merges
from pipelines.merge.status import merge_status
from pipelines.nightly import run_night

NEXT, LATER = date(2026, 11, 21), date(2026, 11, 22)
MERGE = of(f"{BEA} {BEA_TOO}")
ENDED = "the record that stays has ended, while another goes on"


@pytest.fixture
def merged(provider: Provider) -> Provider:
    """Bea is one record of two rostering systems; Ann one of a rostering system and a council."""
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
    provider.apply()
    return provider


def says(provider: Provider, of_bea: dict[str, Any] | None = None, of_bea_too: dict[str, Any] | None = None) -> None:
    """The two rostering systems send Bea again, with these fields."""
    if of_bea:
        provider.clients(client("B1", **{"Forename": "Bea", "Surname": "Bell", **of_bea}), on="20261121")
    if of_bea_too:
        bea = {"Forename": "Beatrice", "Surname": "Bell", **of_bea_too}
        provider.clients(client("B2", **bea), system="rosterly", on="20261121")
    provider.night(NEXT)


def against(provider: Provider) -> list[Finding]:
    return [one for one in merge_status(provider.settings).findings if one.contradicts]


@pytest.mark.parametrize(
    ("of_bea", "of_bea_too", "what", "owner"),
    [
        ({"NHSNumber": "9990000018"}, {"NHSNumber": "9990000026"}, "two valid NHS numbers", "reviewer"),
        ({}, {"Status": "Restricted"}, "the status says that the record is restricted", "reviewer"),
        (
            {}, {"Status": "Deceased"},
            "one record says that the client has died, another has care still to come", "rostering team",
        ),
        ({"EndDate": "20/11/2026", "Status": "Ended"}, {}, ENDED, "rostering team"),
    ],
)  # fmt: skip
def test_each_blocker_is_asked_again(
    merged: Provider, of_bea: dict[str, Any], of_bea_too: dict[str, Any], what: str, owner: str
) -> None:
    says(merged, of_bea, of_bea_too)
    (found,) = against(merged)
    assert (found.merge_id, found.what, found.owner) == (MERGE, what, owner)
    assert set(found.client_refs) <= {BEA, BEA_TOO}
    assert found.why
    assert "oneclient merge undo" in found.fix


def test_a_card_that_is_only_changed_or_kept_open_contradicts_nothing(merged: Provider) -> None:
    says(merged, {"Phone": "01206 555999"}, {"Town": "Ashford"})
    assert against(merged) == []


def test_one_contract_is_counted_twice_only_while_both_enrolments_run(merged: Provider) -> None:
    merged.enrolments(enrolment("B1", "HC-30", StartDate="01/11/2026"), on="20261121")
    merged.enrolments(enrolment("B2", "HC-30", StartDate="01/11/2026"), system="rosterly", on="20261121")
    merged.night(NEXT)
    assert [one.what for one in against(merged)] == ["2 of the records are enrolled on one contract"]


class TestSettled:
    @pytest.fixture
    def contradicted(self, merged: Provider) -> Provider:
        says(merged, of_bea_too={"Status": "Restricted"})
        assert len(against(merged)) == 1
        return merged

    def test_by_an_undo(self, contradicted: Provider) -> None:
        contradicted.undo(MERGE)
        assert against(contradicted) == []

    def test_by_a_correction_in_the_source(self, contradicted: Provider) -> None:
        bea = client("B2", Forename="Beatrice", Surname="Bell")
        contradicted.clients(bea, system="rosterly", on="20261122")
        contradicted.night(LATER)
        assert against(contradicted) == []

    def test_by_a_reviewer_until_it_changes_again(self, contradicted: Provider) -> None:
        assert confirm(contradicted.settings, MERGE.lower(), who="Jo", reason="rang the office") == 1
        assert against(contradicted) == []
        bea = client("B2", Forename="Beatrice", Surname="Bell", Status="Restricted by the court")
        contradicted.clients(bea, system="rosterly", on="20261122")
        contradicted.night(LATER)
        assert len(against(contradicted)) == 1

    def test_by_no_decision_about_another_merge(self, contradicted: Provider) -> None:
        confirm(contradicted.settings, of(f"{ANN} {ANN_ORDERS}"), who="Jo", reason="rang her")
        assert len(against(contradicted)) == 1
        with pytest.raises(DecisionRefusedError, match="No merge of that id"):
            confirm(contradicted.settings, "M0000", who="Jo", reason="rang her")


def test_it_is_reported_everywhere(merged: Provider) -> None:
    bea = client("B2", Forename="Beatrice", Surname="Bell", Status="Restricted")
    merged.clients(bea, system="rosterly", on="20261121")
    night = run_night(merged.settings, merged.settings.inbox, NEXT)
    assert night.report is not None
    assert "contradicts the merge: " in (night.report / "index.html").read_text(encoding="utf-8")
    with (publish_merges(merged.settings) / "watch.csv").open(encoding="utf-8-sig") as lines:
        assert [row["owner"] for row in csv.DictReader(lines) if row["contradicts"] == "true"] == ["reviewer"]
    (standing,) = (one for one in doctor.examine(merged.settings) if one.check == "standing merges")
    assert (standing.well, standing.found.partition(" ")[0]) == (False, "1")
