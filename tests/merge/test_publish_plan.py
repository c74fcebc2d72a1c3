"""The plan that a person reads before signing it off: a page, a table and JSON, and nothing is guessed."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

from office import client, order, visit
from the_merges import (
    ANN,
    ANN_ORDERS,
    BEA,
    BEA_TOO,
    CAT,
    CAT_ORDERS,
    CAT_TOO,
    DOT,
    DOT_TOO,
    MOVE_ORDERS,
    NOVEMBER,
    OCTOBER,
    Provider,
    of,
)

from pipelines.merge.plan import plan_undo
from pipelines.merge.publish import PLAN_FILES, publish_plan
from pipelines.settings import ReportSettings
from tests.review.test_page import Page

ONE_CAT = {"references": {"careplan": "C1"}, "enrolments": {"HC-24": CAT_TOO}, "aliases": "drop", "survivor": CAT}


def page(folder: Path) -> Page:
    return Page((folder / "plan.html").read_text(encoding="utf-8"))


def lines(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "plan.csv").open(newline="", encoding="utf-8") as file:
        return {row["merge_id"] or row["candidate_ids"]: row for row in csv.DictReader(file)}


def planned(provider: Provider, **selected: Any) -> Path:
    return publish_plan(provider.settings, provider.plan(**selected))


def test_it_lies_under_the_first_digits_of_its_hash(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    plan = provider.plan()
    folder = publish_plan(provider.settings, plan)
    assert folder == provider.settings.published / "plans" / plan.plan_hash[:12]
    assert sorted(path.name for path in folder.iterdir()) == sorted(PLAN_FILES)
    written = {path: path.stat().st_mtime_ns for path in folder.resolve().iterdir()}
    assert {
        path: path.stat().st_mtime_ns for path in publish_plan(provider.settings, plan).resolve().iterdir()
    } == written


def test_nothing_to_merge_is_said(provider: Provider) -> None:
    assert "Nothing is ready to be merged." in page(planned(provider)).text


def test_each_merge_says_whom_why_by_whom_and_what_becomes_of_each_record(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    folder = planned(provider, from_on=OCTOBER, to_on=NOVEMBER)
    text = page(folder).text
    assert f"{BEA_TOO} → {BEA}" in text
    assert "Why this survivor chosen by the decision" in text
    assert "Decided by Jo" in text
    assert f"{BEA} 4 → 6" in text
    assert f"{BEA_TOO} 4 → 2" in text
    assert "Does not move (outside the range) 2 visits" in text
    assert "from 1 October 2026 until before 1 November 2026 only" in text
    assert lines(folder)[of(f"{BEA} {BEA_TOO}")]["visits_left"] == "2"


def test_the_waves_in_their_order(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
    provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT)
    text = page(planned(provider)).text
    places = [text.index(f"Wave {number}: {wave} (1)") for number, wave in enumerate(("empty", "no money", "money"), 1)]
    assert places == sorted(places)
    assert "orders of £143.50 a week" in text


def test_what_is_set_aside(provider: Provider) -> None:
    provider.decides(f"{CAT} {CAT_TOO}", **ONE_CAT)
    folder = planned(provider)
    text = page(folder).text
    for said in (
        f"Enrolments on HC-24: those of {CAT_TOO} stand, those of {CAT} do not count",
        f"Other names given on {CAT_TOO}: dropped",
        "Reference careplan C2: goes on as a former one",
    ):
        assert said in text
        assert said in lines(folder)[of(f"{CAT} {CAT_TOO}")]["set_aside"]


def test_what_is_blocked_by_what_and_whose_it_is_and_the_other_direction(provider: Provider) -> None:
    provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN)
    folder = planned(provider)
    text = page(folder).text
    assert "Blocked: 1 active purchase order line on the record that would be merged away (KENT PO1/1)." in text
    assert "Why: an order on a merged-away record brings that record back to life" in text
    assert "To do: choose to move the active orders, or merge the other way. Owner: whoever decides." in text
    assert f"Nothing stands in the way of merging into {ANN_ORDERS} instead" in text
    row = lines(folder)[of(f"{ANN} {ANN_ORDERS}")]
    assert (row["state"], row["blocked_by"], row["open_ways"]) == ("blocked", "ACTIVE_ORDER_WOULD_MOVE", ANN_ORDERS)


def test_what_is_held_back(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}")
    provider.decides(f"{BEA} {BEA_TOO}", "different", who="Kim")
    folder = planned(provider)
    assert "Held back (1)" in page(folder).text
    assert [row["state"] for row in lines(folder).values()] == ["held back"]


def test_an_undo_says_what_goes_back_and_what_came_in_while_they_were_one(provider: Provider) -> None:
    provider.decides(f"{CAT} {CAT_ORDERS}", survivor=CAT, **MOVE_ORDERS)
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply()
    cat = {"SocialServicesRef": "333", "Forename": "Catherine", "Surname": "Cox"}
    provider.orders(order("PO4", **cat), on="20261121")
    provider.visits(visit("B2-NEW", "B2", VisitDate="12/12/2026"), system="rosterly", on="20261121")
    provider.night(date(2026, 11, 21))
    folder = publish_plan(provider.settings, plan_undo(provider.settings, None))
    text = page(folder).text
    assert "Undo plan" in text
    assert f"{BEA} 9 → 4" in text
    assert f"1 visit for {BEA_TOO}" in text
    assert f"1 purchase order for {CAT_ORDERS}" in text
    assert "Cannot be placed for certain" not in text
    assert {row["state"] for row in lines(folder).values()} == {"undo"}


def test_what_cannot_be_placed_for_certain_is_listed(provider: Provider) -> None:
    """Two clients of one system bear one council reference, and are merged; an order by it could be either's."""
    eve = {"Forename": "Eve", "Surname": "East", "SocialServicesRef": "555"}
    provider.clients(client("E1", **eve), client("E2", **eve))
    provider.night()
    provider.decides("careplan/E1 careplan/E2", survivor="careplan/E2", references={"careplan": "E2"})
    provider.apply()
    provider.orders(order("PO10", **eve), on="20261121")
    provider.night(date(2026, 11, 21))
    folder = publish_plan(provider.settings, plan_undo(provider.settings, None))
    assert (
        "Cannot be placed for certain: 1 purchase order for careplan/E1 by a council reference that another record of "
        "this merge bears too."
    ) in page(folder).text
    (undone,) = json.loads((folder / "plan.json").read_text(encoding="utf-8"))["undoes"]
    assert undone["arrivals"] == [{"client_ref": "careplan/E1", "rows_of": "purchase_orders", "rows": 1, "shared": 1}]


def test_the_page_runs_nothing_fetches_nothing_and_is_well_formed(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN)
    shown = page(planned(provider))
    assert shown.unclosed == []
    assert not shown.all("script", "img", "link", "iframe", "form")
    assert all(str(link["href"]).startswith("#") for link in shown.all("a"))
    ids = [attributes["id"] for _, attributes in shown.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(cell.get("scope") for cell in shown.all("th"))


def test_of_many_merges_the_page_shows_the_first_and_the_table_all(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.decides(f"{CAT} {CAT_TOO}", **ONE_CAT)
    few = provider.settings.model_copy(update={"report": ReportSettings(candidates_on_page=1)})
    folder = publish_plan(few, provider.plan())
    assert "The first 1 of 2" in page(folder).text
    assert len(lines(folder)) == 2


def test_masked_it_may_leave_the_building(provider: Provider) -> None:
    provider.clients(client("1234567", Surname="Hale"), client("7654321", Surname="Hale", KnownAs="Gwendolen"))
    provider.night()
    provider.decides(
        "careplan/1234567 careplan/7654321", survivor="careplan/1234567", references={"careplan": "1234567"}
    )
    masked = provider.settings.model_copy(update={"report": ReportSettings(mask=True)})
    folder = publish_plan(masked, provider.plan())
    text = b"".join((folder / name).read_bytes() for name in PLAN_FILES).decode()
    assert "careplan/•••67" in text
    for told in ("1234567", "7654321", "Gwendolen"):
        assert told not in text
