"""What is counted of a night is what its tables hold; again it is the same, and no later night takes it away."""

from __future__ import annotations

from datetime import date

from three_nights import NIGHTS

from pipelines.fingerprint import fingerprint
from pipelines.monitor.figures import Figure, figures, total
from pipelines.monitor.measure import measure_night
from pipelines.nightly import run_night
from pipelines.review.publish import read_report
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse

FIRST, SECOND, THIRD = NIGHTS


def counted(settings: Settings, night: date) -> list[Figure]:
    with open_warehouse(settings) as warehouse:
        return [one for one in figures(warehouse) if one.night == night]


def test_the_figures_of_a_night_are_those_of_its_report(three_nights: Settings) -> None:
    for night in NIGHTS:
        told, report = counted(three_nights, night), read_report(three_nights, night)
        run, files = report.run, [file for file in report.run.files if file.status == "loaded"]
        assert {tier: total(told, "waiting", detail=tier) for tier in run.tiers} == run.tiers
        assert total(told, "records") == run.clients
        assert total(told, "made") == sum(run.new_clients.values())
        assert total(told, "files", detail="loaded") == len(files) > 0
        assert total(told, "rows read") == sum(file.rows_read for file in run.files)
        assert total(told, "rows rejected") == sum(file.rows_rejected for file in run.files)
        assert total(told, "rejected") == sum(reject.count for reject in run.rejects if reject.whole_row)
        assert total(told, "unread") == sum(reject.count for reject in run.rejects if not reject.whole_row)
        assert total(told, "missed") == len(report.misses)
        assert total(told, "confusions") == len({confusion.case for confusion in report.confusions})


def test_what_could_not_be_read_counts_by_sender_and_column(three_nights: Settings) -> None:
    told = counted(three_nights, SECOND)
    of = [(one.figure, one.issuer, one.detail) for one in told if one.figure in {"rejected", "unread"}]
    assert ("unread", "KENT", "date_of_birth") in of
    assert ("rejected", "KENT", "purchase_order_number") in of


def test_a_refused_file_counts_for_its_night(three_nights: Settings) -> None:
    refused = [total(counted(three_nights, night), "files", detail="quarantined") for night in NIGHTS]
    assert refused == [0, 1, 0]


def test_decisions_and_merges_count_from_the_night_that_read_them(three_nights: Settings) -> None:
    said = [total(counted(three_nights, night), "decisions", detail="same") for night in NIGHTS]
    stood = [total(counted(three_nights, night), "merges") for night in NIGHTS]
    assert said[0] == 0 < said[1] == said[2]
    assert stood[:2] == [0, 0] and stood[2] > 0


def test_found_are_new_records_whose_match_was_there(three_nights: Settings) -> None:
    nights = [counted(three_nights, night) for night in NIGHTS]
    assert all(total(told, "found") <= min(total(told, "missed"), total(told, "made")) for told in nights)
    assert sum(total(told, "found") for told in nights[1:]) > 0


def test_a_night_that_is_run_again_changes_nothing(changed: Settings) -> None:
    before = fingerprint(changed)
    run_night(changed, changed.inbox, THIRD)
    assert fingerprint(changed) == before


def test_a_night_that_is_run_again_takes_the_place_of_what_it_was(changed: Settings) -> None:
    with open_warehouse(changed) as warehouse:
        warehouse.execute("update reviewed.figures set count = 1000 where night = $day", {"day": THIRD})
        warehouse.execute("insert into reviewed.figures values ($day, 'waiting', '', 'no more', 9)", {"day": THIRD})
    before = counted(changed, SECOND)
    measure_night(changed, THIRD)
    assert total(counted(changed, THIRD), "records") < 1000
    assert total(counted(changed, THIRD), "waiting", detail="no more") == 0
    assert counted(changed, SECOND) == before


def test_an_earlier_night_that_is_run_again_keeps_what_it_was(changed: Settings) -> None:
    before = counted(changed, FIRST), fingerprint(changed)
    run_night(changed, changed.inbox, FIRST)
    assert (counted(changed, FIRST), fingerprint(changed)) == before
