"""What has grown too old is let go; what follows from it stays, and so does what was counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from office import Office, client, enrolment, order, visit

from pipelines.custody import retention
from pipelines.custody.retention import Retired, retire
from pipelines.doctor import examine
from pipelines.review.desk.access_log import FOLDER
from pipelines.review.published import NoReportError, read_run
from pipelines.settings import SettingsError, load_settings
from pipelines.warehouse import open_warehouse

FIRST, LAST, LATER = date(2026, 9, 20), date(2026, 11, 20), date(2026, 11, 21)


@pytest.fixture(scope="module")
def after_two_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights, two months apart; Ann has been sent on both, Bea on the first alone. No test changes it."""
    office = Office(tmp_path_factory.mktemp("retention") / "home", FIRST)
    ann = {"SocialServicesRef": "111"}
    office.orders(
        order("PO1", ContractNumber="HC-24", FileReference="R1", **ann), order("", Surname="Zrejected"),
        order("PO2", ContractNumber="HC-25", FileReference="R1", SocialServicesRef="222", EndDate="yesterday"),
        on="20260920",
    )  # fmt: skip
    office.clients(client("A1", **ann), client("B1", Forename="Bea", Surname="Bell"), on="20260920")
    office.enrolments(enrolment("B1", "HC-24"), on="20260920")
    office.visits(visit("V1", "A1", VisitDate="01/09/2026"), on="20260920")
    office.night()
    office.clients(client("A1", **ann | {"Town": "Colchester"}), on="20261120")
    office.visits(visit("V2", "A1"), on="20261120")
    office.night(LAST)
    return office.settings.home


def office_with(after_two_nights: Path, home: Path, settings: str = "raw_days = 30") -> Office:
    """A copy of that home, to be changed."""
    shutil.copytree(after_two_nights, home)
    (home / "settings.toml").write_text(f"[retention]\n{settings}\n", encoding="utf-8")
    return Office(home, LAST)


@pytest.fixture
def kept(after_two_nights: Path, tmp_path: Path) -> Office:
    """A home that keeps everything."""
    return office_with(after_two_nights, tmp_path / "kept", "")


@pytest.fixture
def retired(after_two_nights: Path, tmp_path: Path) -> Office:
    """A home that keeps rows as sent for a month, after a night."""
    office = office_with(after_two_nights, tmp_path / "retired")
    assert retire(office.settings, LAST) == Retired(files=4, rows=6, originals=4)
    return office


def everything_but(office: Office, *tables: str) -> dict[str, list[str]]:
    return {name: rows for name, rows in office.state().items() if name not in tables}


RAW = tuple(f"raw.{name}" for name in (
    "purchase_orders", "roster_clients", "roster_visits", "roster_enrolments", "retired_files", "first_rows",
    "rejected_rows", "unread_values",
))  # fmt: skip


def test_rows_and_originals_go_and_the_register_stays(kept: Office, retired: Office) -> None:
    assert everything_but(retired, *RAW) == everything_but(kept, *RAW)
    assert retired.rows("select distinct file_name from raw.roster_clients join raw.files using (file_id)") == [
        ("careplan_roster_clients_20261120.csv",)
    ]
    assert len(list(retired.settings.archive.rglob("*.csv"))) == 2
    assert b"Zrejected" not in retired.everything_on_disk()
    assert b"Zrejected" in kept.everything_on_disk()


def test_what_was_counted_still_adds_up(kept: Office, retired: Office) -> None:
    assert retired.state("raw")["raw.files"] == kept.state("raw")["raw.files"]
    places = "select row_number, column_name, reason from raw.rejected_rows"
    assert retired.rows(places) == kept.rows(places) == [(3, "purchase_order_number", "missing")]
    assert retired.one("select count(row_as_sent) from raw.rejected_rows") == 0
    assert retired.one("select count(value_as_sent) from raw.unread_values") == 0
    assert {f.check for f in examine(retired.settings) if not f.well} <= {"disk"}


def come_in_again(office: Office) -> Iterator[str]:
    """A night with an old file again, an old FileReference again, late files, and what links by what came long ago."""
    office.visits(visit("V1", "A1", VisitDate="01/09/2026"), on="20260920")
    office.orders(order("PO1", ContractNumber="HC-24", FileReference="R1", Rate="9"), on="20261121")
    office.orders(order("PO3", SocialServicesRef="111", FileReference="R3"), on="20261122")
    office.orders(order("PO2", SocialServicesRef="222", FileReference="R0", Surname="Older"), on="20260901")
    office.clients(client("C1", SocialServicesRef="222"), on="20261121")
    office.enrolments(enrolment("C1", "HC-25"), enrolment("A1", "HC-24"), on="20261121")
    office.visits(visit("V3", "B1"), on="20260801")
    office.day = LATER
    yield from sorted(landing.status for landing in office.land_all())
    office.night(LATER)


def test_later_nights_come_to_the_same_as_where_everything_was_kept(kept: Office, retired: Office) -> None:
    statuses = list(come_in_again(retired))
    assert statuses == list(come_in_again(kept)) == [*["loaded"] * 5, "quarantined", "repeated"]
    but = (*RAW, "staged.gates")  # which counts the rows that a late file has read again
    assert everything_but(retired, *but) == everything_but(kept, *but)
    assert retired.linked()["C1"] == ("KENT/reference/222", "exact_reference")


def test_a_report_still_tells_how_a_record_came_to_be(kept: Office, retired: Office) -> None:
    told = []
    for office in (kept, retired):
        with open_warehouse(office.settings) as warehouse:
            warehouse.work("involved", "merged.everybody")
            warehouse.work("profiles", "matched.profiles")
            warehouse.work("sides", "matched.sides", {"day": LAST})
            told.append(warehouse.rows("select client_ref, came_from from sides order by 1"))
    assert told[0] == told[1]
    assert "20260920" in str(told[1])


@pytest.mark.parametrize("step", ["rewrite_warehouse", "_let_go"])
def test_cut_short_the_next_night_lets_go_the_rest(
    after_two_nights: Path, tmp_path: Path, retired: Office, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def cut_short(*_: object) -> None:
        raise KeyboardInterrupt

    office = office_with(after_two_nights, tmp_path / "cut")
    with monkeypatch.context() as patched:
        patched.setattr(retention, step, cut_short)
        with pytest.raises(KeyboardInterrupt):
            retire(office.settings, LAST)
    retire(office.settings, LAST)
    assert office.state() == retired.state()
    assert b"Zrejected" not in office.everything_on_disk()
    assert retire(office.settings, LAST) == Retired()


def test_a_preview_counts_and_changes_nothing(after_two_nights: Path, tmp_path: Path) -> None:
    office = office_with(after_two_nights, tmp_path / "home")
    assert retire(office.settings, LAST, dry_run=True) == Retired(files=4, rows=6, originals=4)
    assert office.state() == Office(after_two_nights).state()
    assert len(list(office.settings.archive.rglob("*.csv"))) == 6


def test_what_no_limit_names_is_kept_for_ever(kept: Office) -> None:
    before = kept.state()
    assert retire(kept.settings, date(2099, 1, 1)) == Retired()
    assert kept.state() == before


class TestFiles:
    @pytest.fixture
    def office(self, tmp_path: Path) -> Office:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "settings.toml").write_text(
            "[retention]\nreport_days = 10\nreports_kept = 2\nquarantine_days = 10\naccess_log_days = 40\n"
        )
        return Office(tmp_path / "home", LAST)

    def published(self, office: Office, *ages: int) -> None:
        for age in ages:
            day = (LAST - timedelta(days=age)).isoformat()
            for version in ("aaa", "bbb"):
                folder = office.settings.reports / ".versions" / f"{day}-{version}"
                folder.mkdir(parents=True)
                (folder / "run.json").write_text("{}")
            (office.settings.reports / day).symlink_to(Path(".versions") / f"{day}-bbb")

    def nights(self, office: Office) -> list[str]:
        return sorted(path.name for path in office.settings.reports.glob("????-*"))

    def test_reports_go_with_all_their_versions(self, office: Office) -> None:
        self.published(office, 30, 20, 5, 0)
        assert retire(office.settings, LAST).reports == 2
        assert self.nights(office) == ["2026-11-15", "2026-11-20"]
        assert {p.name[:10] for p in (office.settings.reports / ".versions").iterdir()} == set(self.nights(office))

    def test_the_newest_stay_however_old(self, office: Office) -> None:
        self.published(office, 90, 60, 30)
        retire(office.settings, LAST)
        assert self.nights(office) == ["2026-09-21", "2026-10-21"]

    def test_as_of_a_night_that_was_let_go(self, office: Office) -> None:
        self.published(office, 30, 5, 0)
        retire(office.settings, LAST)
        with pytest.raises(NoReportError, match=r"no report of 2026-10-21 any more: reports are kept for 10 days"):
            read_run(office.settings, LAST - timedelta(days=30))

    def test_refused_files_go_with_their_notes(self, office: Office) -> None:
        for name, night in (("old", "2026-11-01"), ("new", "2026-11-19")):
            (office.settings.quarantine / f"{name}.csv").write_text("x")
            (office.settings.quarantine / f"{name}.reason.json").write_text(json.dumps({"night": night}))
        assert retire(office.settings, LAST).quarantined == 1
        assert sorted(p.name for p in office.settings.quarantine.iterdir()) == ["new.csv", "new.reason.json"]

    def test_months_of_the_access_log_go_whole(self, office: Office) -> None:
        folder = office.settings.home / FOLDER
        folder.mkdir()
        for month in ("2026-09", "2026-10", "2026-11"):
            (folder / f"{month}.jsonl").write_text("{}\n")
        assert retire(office.settings, LAST).access_logs == 1
        assert sorted(p.name for p in folder.iterdir()) == ["2026-10.jsonl", "2026-11.jsonl"]


def test_a_limit_has_to_be_a_number_of_days(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[retention]\nraw_days = 0\n")
    with pytest.raises(SettingsError, match=r"retention.raw_days"):
        load_settings(tmp_path)
