"""Somebody is forgotten: nothing in the home tells of them, and nothing else has changed."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from office import CLIENT_HEADINGS, Office, client, order, table
from the_person import (
    BEA,
    FIRST,
    LAST,
    MARKS,
    NEXT,
    ON_THE_ROSTER,
    ORDERED,
    PERSON,
    ZORA,
    ZORA_ORDERS,
    home_of_zora,
    traces,
)

from pipelines.custody import forget as forgetting
from pipelines.custody.forget import Outcome, finish_forgettings, forget, preview
from pipelines.decisions.forgetting import first_broken_forgetting, read_forgettings
from pipelines.decisions.statement import DecisionRefusedError
from pipelines.decisions.store import open_decisions
from pipelines.doctor import examine
from pipelines.ingest.landing import Landing
from pipelines.merge.carry_out import undo_merges
from pipelines.nightly import run_night
from pipelines.review.publish import read_report, rebuild_report
from pipelines.settings import Settings

FULL = os.environ.get("PROVE") == "full"


@pytest.fixture(scope="module")
def after_two_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; no test changes it."""
    return home_of_zora(tmp_path_factory.mktemp("zora") / "home").settings.home


@pytest.fixture(scope="module")
def afterwards(after_two_nights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after Zora was forgotten. Made once; no test changes it."""
    office = copy_of(after_two_nights, tmp_path_factory.mktemp("forgotten"))
    forget_zora(office.settings)
    return office.settings.home


@pytest.fixture
def zoras(after_two_nights: Path, tmp_path: Path) -> Office:
    """A home in which Zora is known, to be changed."""
    return copy_of(after_two_nights, tmp_path / "before")


@pytest.fixture
def forgotten(afterwards: Path, tmp_path: Path) -> Office:
    """A home in which Zora was forgotten, to be changed."""
    return copy_of(afterwards, tmp_path / "after")


def copy_of(home: Path, folder: Path) -> Office:
    return Office(shutil.copytree(home, folder / "home", symlinks=True), LAST)


def forget_zora(settings: Settings) -> Outcome:
    return forget(settings, ZORA_ORDERS, who="Kim", reason="request 12")


def test_she_is_everywhere_before_and_nowhere_after(after_two_nights: Path, forgotten: Office) -> None:
    before = traces(Office(after_two_nights).settings)
    assert set(before) == set(MARKS)
    assert {place for places in before.values() for place in places} == {
        "archive", "decisions.sqlite", "models", "oneclient.duckdb", "published", "quarantine", "reports",
    }  # fmt: skip
    assert traces(forgotten.settings) == {}


# Everything that counts, by the record that it came in for and the one that it counts for.
COUNTED = {
    "visits": "* exclude (file_id, row_number)",
    "purchase_orders": "* exclude (file_id, row_number)",
    "enrolments": "issuer, contract_number, start_on, end_on, funding_type, contribution, client_id, origin_client_id",
    "source_records": "feed, issuer, sent_on, active_from, active_to, how_linked, client_id, origin_client_id",
    "client_ids": "*",
}


def counted(office: Office) -> dict[str, list[tuple[Any, ...]]]:
    return {name: office.rows(f"select {columns} from staged.{name} order by all") for name, columns in COUNTED.items()}


def test_what_counts_and_for_whom_is_as_it_was(zoras: Office, forgotten: Office) -> None:
    assert counted(forgotten) == counted(zoras)
    before, after = zoras.state(), forgotten.state()
    for unchanged in ("merged.crosswalk", "merged.merges", "merged.ledger", "raw.files", "staged.taken_files"):
        assert after[unchanged] == before[unchanged]
    for kind in ("contacts", "aliases", "references", "source_records"):
        of_others = f'from staged."{kind}" where origin_client_id not in (1, 8) order by all'
        assert forgotten.rows(of_others) == zoras.rows(of_others)


def test_others_are_matched_as_they_were_and_she_is_not(zoras: Office, forgotten: Office) -> None:
    for name in ("candidates", "pairs", "clusters", "records", "scored"):
        query = f"from matched.{name} order by all"
        before = zoras.rows(query)
        assert forgotten.rows(query) == [row for row in before if not {1, 8} & set(row[:3])] != before


def test_the_home_is_well_and_both_chains_are_whole(forgotten: Office) -> None:
    findings = {finding.check: finding.found for finding in examine(forgotten.settings) if not finding.well}
    assert set(findings) <= {"quarantine", "disk", "model holds"}
    with open_decisions(forgotten.settings) as store:
        (entry,) = read_forgettings(store.engine)
        assert first_broken_forgetting([entry]) is None
        assert store.verify_chain() is None
    assert (entry.who, entry.reason, entry.forgotten.client_refs) == ("Kim", "request 12", (ZORA_ORDERS, ZORA))


def test_a_report_of_before_is_rebuilt_without_her(zoras: Office, forgotten: Office) -> None:
    before, report = read_report(zoras.settings, LAST), read_report(forgotten.settings, LAST)
    assert [c for c in before.candidates if not {ZORA, ZORA_ORDERS} & {c.left.client_ref, c.right.client_ref}] == [
        *report.candidates
    ]
    assert report.run.forgotten == len(before.candidates) - len(report.candidates) == 1
    page = (forgotten.settings.reports / LAST.isoformat() / "index.html").read_bytes()
    assert b"Cases taken out since" in page
    rebuild_report(forgotten.settings, LAST)
    assert (forgotten.settings.reports / LAST.isoformat() / "index.html").read_bytes() == page


def test_the_next_night_brings_nothing_back(after_two_nights: Path, forgotten: Office) -> None:
    name = "rosterly_roster_clients_20261020.xlsx"
    forgotten.deliver(name, (after_two_nights.parent / "sent" / name).read_bytes())
    forgotten.clients(client("N9", Forename="New", Surname="Nolan"), on="20261121")
    night = run_night(forgotten.settings, forgotten.settings.inbox, NEXT)
    assert {landing.status for landing in night.landings} == {"loaded", "repeated"}
    assert night.staging.new_clients == {"missing_reference": 1}
    assert traces(forgotten.settings) == {}


def test_an_undo_gives_the_rows_back_and_her_name_does_not_come(forgotten: Office) -> None:
    assert forgotten.one("select count(*) from staged.purchase_orders where client_id <> origin_client_id") == 1
    undo_merges(forgotten.settings, None, who="Kim")
    assert forgotten.rows("from merged.crosswalk") == []
    assert forgotten.one("select count(*) from staged.purchase_orders where client_id <> origin_client_id") == 0
    shown = "select client_ref, surname, forename from staged.clients where client_id in (1, 8) order by 1"
    assert forgotten.rows(shown) == [(ZORA_ORDERS, "Forgotten", None), (ZORA, "Forgotten", None)]
    assert traces(forgotten.settings) == {}


class TestWhatIsSentAgain:
    """New data about her is about somebody whom nobody knows: a new record."""

    def test_her_rostering_id_and_her_order_make_new_records(self, forgotten: Office) -> None:
        before = counted(forgotten)
        forgotten.clients(client("A1", **ON_THE_ROSTER), on="20261121")
        forgotten.orders(order("PO7", **ORDERED | {"SocialServicesRef": "K77"}), on="20261121")
        forgotten.night(NEXT)
        assert forgotten.rows("select client_ref from staged.client_ids where made_on = $day order by 1", day=NEXT) == [
            ("KENT/reference/K77~2",), ("careplan/A1~2",),
        ]  # fmt: skip
        assert [row for row in counted(forgotten)["visits"] if row in before["visits"]] == before["visits"]
        assert forgotten.one("select surname from staged.clients where client_id = 1") == "Forgotten"

    @pytest.mark.prove
    @pytest.mark.skipif(not FULL, reason="at full size only")
    def test_sent_a_third_time_they_are_known(self, forgotten: Office) -> None:
        for day, on in ((NEXT, "20261121"), (date(2026, 11, 22), "20261122")):
            forgotten.clients(client("A1", **ON_THE_ROSTER, StartDate=f"01/01/20{on[-2:]}"), on=on)
            forgotten.orders(order("PO7", **ORDERED | {"SocialServicesRef": "K77"}, FileReference=on), on=on)
            forgotten.night(day)
        assert forgotten.one("select count(*) from staged.client_ids where client_ref like '%~%'") == 2

    @pytest.mark.prove
    @pytest.mark.skipif(not FULL, reason="at full size only")
    def test_forgotten_again_the_next_record_has_the_next_number(self, forgotten: Office) -> None:
        forgotten.clients(client("A1", **ON_THE_ROSTER | {"EndDate": "01/11/2026"}), on="20261121")
        forgotten.night(NEXT)
        forget(forgotten.settings, "careplan/A1~2", who="Kim", reason="request 13")
        forgotten.clients(client("A1", **PERSON), on="20261123")
        forgotten.night(date(2026, 11, 23))
        assert forgotten.linked()["A1"][0] == "careplan/A1~3"

    @pytest.mark.prove
    @pytest.mark.skipif(not FULL, reason="at full size only")
    def test_a_late_file_reads_what_is_left_of_her_rows_again(self, forgotten: Office) -> None:
        before = {name: forgotten.state(name) for name in ("staged",)}
        forgotten.clients(client("L1", Forename="Lee", Surname="Late"), on="20261001")
        forgotten.night(NEXT)
        after = forgotten.state("staged")
        for name in ("purchase_orders", "visits", "enrolments"):
            assert after[f"staged.{name}"] == before["staged"][f"staged.{name}"]
        assert set(before["staged"]["staged.clients"]) < set(after["staged.clients"])
        assert set(before["staged"]["staged.source_records"]) < set(after["staged.source_records"])


REBUILT = (
    "select s.* exclude (file_id, client_id, origin_client_id), i.client_ref, survivor.client_ref"
    " from staged.source_records as s join staged.client_ids as i on i.client_id = s.origin_client_id"
    " join staged.client_ids as survivor on survivor.client_id = s.client_id order by all"
)


def test_a_home_made_again_from_archive_and_log_does_not_bring_her_back(
    after_two_nights: Path, forgotten: Office, tmp_path: Path
) -> None:
    again = Office(tmp_path / "again", FIRST)
    shutil.copy(forgotten.settings.decisions_file, again.settings.decisions_file)
    bring_from_archive(forgotten, again)
    assert again.rows(REBUILT) == forgotten.rows(REBUILT)
    assert counted(again)["visits"] == counted(forgotten)["visits"]
    assert counted(again)["client_ids"] == counted(forgotten)["client_ids"]
    name = "rosterly_roster_clients_20261020.xlsx"
    as_kept_before = next(after_two_nights.glob("archive/roster_clients/*.xlsx"))
    for path in (after_two_nights.parent / "sent" / name, as_kept_before):
        assert again.land(name, path.read_bytes()).status == "repeated"
    assert traces(again.settings) == {}


def bring_from_archive(kept: Office, again: Office) -> None:
    """Every archived original comes in again under its name, night by night."""
    for day in (FIRST, LAST):
        again.day = day
        for feed, source, content_hash, name in kept.rows(
            "select feed, source, content_hash, file_name from raw.files"
            " where status = 'loaded' and delivered_for = $day",
            day=day,
        ):
            (original,) = (kept.settings.archive / feed).glob(f"{source}-{content_hash[:16]}*")
            landing: Landing = again.land(name, original.read_bytes())
            assert (landing.status, landing.rows_rejected) == ("loaded", kept.one(
                "select rows_rejected from raw.files where content_hash = $hash", hash=content_hash))  # fmt: skip
        again.night(day)


STEPS = (
    "withdraw_from_reports", "withdraw_from_plans", "erase_elsewhere", "erase_original", "erase", "forget_terms",
    "match_again", "publish_merges_anew", "scrub", "rewrite_warehouse",
)  # fmt: skip


@pytest.mark.prove
@pytest.mark.parametrize("step", STEPS if FULL else ["erase"])
def test_cut_short_anywhere_the_next_night_brings_it_to_its_end(
    zoras: Office, afterwards: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def cut_short(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(forgetting, step, cut_short)
        with pytest.raises(KeyboardInterrupt):
            forget_zora(zoras.settings)
    assert finish_forgettings(zoras.settings) == [1]
    assert finish_forgettings(zoras.settings) == []
    assert traces(zoras.settings) == {}
    assert counted(zoras) == counted(Office(afterwards))


def test_twice_is_once(forgotten: Office) -> None:
    before = forgotten.state()
    assert forget_zora(forgotten.settings).already
    assert forgotten.state() == before


class TestRefused:
    def test_while_she_is_in_care(self, zoras: Office) -> None:
        before = zoras.state()
        outcome = forget(zoras.settings, BEA, who="Kim", reason="request 12")
        assert outcome.in_care == {"rostering records that are on the books": 1}
        assert zoras.state() == before
        assert forget(zoras.settings, BEA, who="Kim", reason="request 12", although_in_care=True).number == 1

    @pytest.mark.parametrize(
        ("client_ref", "who", "reason", "because"),
        [
            ("careplan/nobody", "Kim", "request 12", "no such client record"),
            (ZORA, "oneclient", "request 12", "machine"),
            (ZORA, "Kim", "", "Say why"),
            (ZORA, "Kim", "Mrs Zquillfeather asked", "never be erased"),
        ],
    )
    def test_what_cannot_be_meant(self, zoras: Office, client_ref: str, who: str, reason: str, because: str) -> None:
        with pytest.raises(DecisionRefusedError, match=because):
            forget(zoras.settings, client_ref, who=who, reason=reason)


def test_a_preview_says_whom_and_changes_nothing(zoras: Office) -> None:
    before = zoras.state()
    found = preview(zoras.settings, ZORA_ORDERS)
    assert (found.client_refs, found.in_care, found.others) == ((ZORA_ORDERS, ZORA), {}, ())
    assert found.erased == {"purchase_orders": 3, "roster_clients": 4, "roster_enrolments": 1, "roster_visits": 2}
    assert zoras.state() == before


def test_rows_of_others_in_the_same_files_stay(zoras: Office, forgotten: Office) -> None:
    assert forgotten.rows("select * from raw.roster_clients where client_id like 'N%' order by all") == zoras.rows(
        "select * from raw.roster_clients where client_id like 'N%' order by all"
    )
    refused = next(forgotten.settings.quarantine.glob("*.csv")).read_text(encoding="utf-8")
    assert [word in refused for word in ("Ivory", "Jolly", "Kemp", "Zquillfeather")] == [True, True, True, False]
    kept = next(iter(sorted(forgotten.settings.archive.glob("roster_clients/*.csv")))).read_text(encoding="utf-8")
    assert len(kept.splitlines()) == 6
    assert table(CLIENT_HEADINGS, []).strip() == kept.splitlines()[0]
