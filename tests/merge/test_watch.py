"""After a merge: what the watch tells the night, and that the past can be told as it was."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from office import client, order, visit
from the_merges import ANN, ANN_ORDERS, BEA, BEA_TOO, MOVE_ORDERS, Provider, of

from pipelines.decisions import store
from pipelines.merge.commands import apply
from pipelines.merge.run import sign_off
from pipelines.merge.selection import Selection
from pipelines.merge.status import merge_status
from pipelines.merge.watch import watch_tonight
from pipelines.nightly import run_night
from pipelines.review.publish import publish_report, read_report, rebuild_report
from pipelines.warehouse import open_warehouse

NEXT = date(2026, 11, 21)


@pytest.fixture
def merged(provider: Provider) -> Provider:
    """Ann and Bea are one record each."""
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
    provider.apply()
    return provider


def found(provider: Provider) -> set[tuple[str, str, int]]:
    return {(one.merge_id, one.what, one.rows) for one in merge_status(provider.settings).findings}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class TestWatch:
    def test_after_a_merge_nothing_is_found(self, merged: Provider) -> None:
        assert found(merged) == set()

    def test_what_would_bring_a_merged_away_record_back_to_life(self, merged: Provider) -> None:
        merged.orders(order("PO7", SocialServicesRef="111"), on="20261121")
        merged.visits(visit("B2-NEW", "B2", VisitDate="12/12/2026"), system="rosterly", on="20261121")
        merged.night(NEXT)
        assert found(merged) == {
            (of(f"{ANN} {ANN_ORDERS}"), "order came in since", 1),
            (of(f"{BEA} {BEA_TOO}"), "visit came in since", 1),
        }

    def test_still_on_the_books_of_an_export_that_says_nothing_new(self, merged: Provider) -> None:
        merged.clients(
            client("B2", Forename="Beatrice", Surname="Bell"),
            client("D2", Forename="Dorothy", Surname="Dale"),
            client("X9", Forename="Xan", Surname="Yorke"),
            system="rosterly",
            on="20261121",
        )
        merged.night(NEXT)
        assert found(merged) == {(of(f"{BEA} {BEA_TOO}"), "still on the books of its rostering system", 1)}

    def test_what_must_never_be(self, merged: Provider) -> None:
        with open_warehouse(merged.settings) as warehouse:
            warehouse.execute("update staged.purchase_orders set client_id = origin_client_id")
        (finding,) = merge_status(merged.settings).findings
        assert (finding.what, finding.breaks_a_law) == ("orders count for the merged-away record", True)

    def test_somebody_sees_it_otherwise_now(self, merged: Provider) -> None:
        merged.decides(f"{BEA} {BEA_TOO}", "different", who="Kim")
        assert [what for _, what, _ in found(merged)] == [
            "somebody holds two of the records to be different people now"
        ]

    def test_of_a_chain_each_thing_is_found_once(self, merged: Provider) -> None:
        merged.decides(f"{BEA} {ANN}", survivor=ANN, references={"careplan": "A1"}, aliases="keep", **MOVE_ORDERS)
        merged.apply()
        merged.visits(visit("B2-NEW", "B2", VisitDate="12/12/2026"), system="rosterly", on="20261121")
        merged.night(NEXT)
        assert found(merged) == {(of(f"{BEA} {BEA_TOO}"), "visit came in since", 1)}


class TestTheNight:
    def test_tells_it_in_its_report(self, merged: Provider) -> None:
        merged.orders(order("PO7", SocialServicesRef="111"), on="20261121")
        night = run_night(merged.settings, merged.settings.inbox, NEXT)
        assert night.report is not None
        (line,) = json.loads((night.report / "run.json").read_text())["watch"]
        assert (line["what"], line["merges"], line["rows"]) == ("order came in since", 1, 1)
        page = (night.report / "index.html").read_text(encoding="utf-8")
        assert "Past merges: what the watch found" in page
        assert "ask the council to send the survivor" in page
        assert read_report(merged.settings, NEXT).run.watch[0].merge_ids == (of(f"{ANN} {ANN_ORDERS}"),)

    def test_tells_of_a_run_that_is_not_finished(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        signed_in = sign_off(provider.settings, Selection(), who="Sam", door="cli")
        with open_warehouse(provider.settings) as warehouse:
            (line,) = watch_tonight(provider.settings, warehouse)
        assert line.what == f"the run of sign-off {signed_in} is not finished"
        assert line.merge_ids == (of(f"{BEA} {BEA_TOO}"),)

    def test_has_nothing_to_tell_where_nothing_was_merged(self, provider: Provider) -> None:
        with open_warehouse(provider.settings) as warehouse:
            assert watch_tonight(provider.settings, warehouse) == ()


class TestThePast:
    def test_a_report_is_rebuilt_as_it_was_after_merges_and_undos(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        night = publish_report(provider.settings, provider.day)
        before, version = contents(night), night.resolve()
        _apply(provider)
        provider.visits(visit("B2-NEW", "B2", VisitDate="12/12/2026"), system="rosterly", on="20261121")
        provider.night(NEXT)
        publish_report(provider.settings, NEXT)
        assert contents(rebuild_report(provider.settings, date(2026, 11, 20))) == before
        provider.undo()
        rebuilt = rebuild_report(provider.settings, date(2026, 11, 20))
        assert (contents(rebuilt), rebuilt.resolve()) == (before, version)

    def test_the_merges_that_stood_at_the_end_of_a_day(
        self, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        for days, act in ((1, _apply), (2, lambda one: one.undo()), (3, _merge_again)):
            monkeypatch.setattr(store, "datetime", _Clock.after(days))
            act(provider)
        today = datetime.now(UTC).date()
        stood = {days: merge_status(provider.settings, today + timedelta(days=days)) for days in range(5)}
        assert [len(stood[days].merges) for days in range(5)] == [0, 1, 0, 1, 1]
        assert stood[1].crosswalk == {BEA_TOO: BEA}
        assert stood[3].crosswalk == {BEA: BEA_TOO}
        assert stood[1].merges[0].signed_on == today + timedelta(days=1)


def _apply(provider: Provider) -> None:
    apply(provider.settings, Selection(), who="Sam", reason="", progress=lambda *_: None)


def _merge_again(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA_TOO)
    _apply(provider)


class _Clock(datetime):
    """A clock that shows noon of a day to come."""

    days = 0

    @classmethod
    def after(cls, days: int) -> type[_Clock]:
        return type("Clock", (cls,), {"days": days})

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return (datetime.now(tz) + timedelta(days=cls.days)).replace(hour=12, minute=0)
