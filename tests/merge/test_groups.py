"""A merge loses no evidence: what is known of any member is used for matching, blockers and the golden record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from books import ROSTER, council, council_reference, roster
from office import client
from the_merges import Provider

from pipelines.decisions.statement import Choices, DecisionRefusedError
from pipelines.merge.live_references import differing_references
from pipelines.merge.publish import publish_merges
from pipelines.merge.record import Detail
from pipelines.review.decide import on_the_records

FULL, BARE, THIRD = "acme/G1", "beta/G2", "gama/G3"
NUMBER = "9990018146"
TOMORROW = date(2026, 11, 21)


def merged(folder: Path, chosen: Mapping[str, str] | None = None) -> Provider:
    """Ann Archer, once with all that is known of her (under another surname), merged into a record that lacks it."""
    provider = Provider(folder / "home")
    provider.clients(client("G1", Surname="Bythesea", NHSNumber=NUMBER, Title="Mrs"), system="acme")
    provider.clients(client("G2", Gender="", DateOfBirth=""), system="beta")
    provider.night()
    provider.decides(f"{FULL} {BARE}", survivor=BARE, aliases="keep", fields=dict(chosen or {}))
    provider.apply()
    assert provider.crosswalk() == {FULL: BARE}
    return provider


def golden(provider: Provider) -> dict[str, Any]:
    rows = pq.read_table(publish_merges(provider.settings) / "golden_clients.parquet").to_pylist()
    return next(row for row in rows if row["client_ref"] == BARE)


def values(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["title"], row["surname"], str(row["born_on"]), row["gender"]


def test_blanks_are_filled_from_the_members_and_say_from_which(tmp_path: Path) -> None:
    row = golden(merged(tmp_path))
    assert values(row) == ("Mrs", "Archer", "1941-03-12", "F")
    origins = {one["field"]: one["from_ref"] for one in row["filled"]}
    assert origins == dict.fromkeys(("born_on", "gender", "nhs_number", "title"), FULL)


def test_another_value_counts_where_the_decision_chose_it_until_the_merge_is_undone(tmp_path: Path) -> None:
    provider = merged(tmp_path, {"surname": FULL})
    assert values(golden(provider)) == ("Mrs", "Bythesea", "1941-03-12", "F")
    provider.undo()
    row = golden(provider)
    assert (values(row), row["filled"]) == ((None, "Archer", "None", None), [])


def test_a_choice_for_a_group_goes_with_it_as_what_the_group_says(tmp_path: Path) -> None:
    provider = merged(tmp_path, {"surname": FULL})
    provider.clients(client("S1", Surname=""), system="delta", on="20261121")
    provider.night(TOMORROW)
    provider.decides(f"{BARE} delta/S1", survivor="delta/S1", aliases="keep", fields={"gender": BARE})
    (planned,) = provider.plan().ready
    assert planned.merge.choices.fields == {"gender": FULL}


def test_a_group_is_restricted_when_one_member_is(tmp_path: Path) -> None:
    provider = merged(tmp_path)
    restricted = client("G1", Surname="Bythesea", NHSNumber=NUMBER, Status="Restricted - safeguarding")
    provider.clients(restricted, system="acme", on="20261121")
    provider.clients(client("G3"), system="gama", on="20261121")
    provider.night(TOMORROW)
    provider.decides(f"{BARE} {THIRD}", survivor=THIRD, aliases="keep")
    assert provider.blockers() == {THIRD: ["RESTRICTED"]}


class TestReferenceOfAnUnknownCouncil:
    HERS = roster(references=(council_reference("1"),)), council(references=(council_reference("2", issuer=""),))

    def test_a_choice_ends_the_other(self) -> None:
        (one,) = differing_references(self.HERS)
        assert one.former({"KENT": "1"}) == {("", "2")}
        assert one.former({"": "2"}) == {("KENT", "1")}

    def test_it_is_chosen_by_the_word_unknown(self) -> None:
        assert on_the_records(Choices(references={"unknown": "2"}), self.HERS).references == {"": "2"}


def test_a_value_that_no_record_has_cannot_be_kept() -> None:
    hers = roster(profile=(Detail(field="Forename", value="Ann"),)), council()
    with pytest.raises(DecisionRefusedError):
        on_the_records(Choices(fields={"born_on": ROSTER}), hers)
