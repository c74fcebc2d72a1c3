"""Laws 1, 2, 8 and 9 over whole nights of sample feeds: nothing lost, twice is once, nothing told, same in same out."""

from __future__ import annotations

import csv
import logging
import re
import shutil
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from office import Office
from python_calamine import CalamineWorkbook

from pipelines.fingerprint import fingerprint
from pipelines.nightly import Night, run_night
from pipelines.quality import TableGateError, pass_gate
from pipelines.review.publish import last_night, read_report, rebuild_report
from pipelines.sample import make_sample
from pipelines.warehouse import open_warehouse

FIRST, SECOND = date(2026, 11, 19), date(2026, 11, 20)
DELIMITERS = {"kent": ";", "leeds": "\t"}
CP1252 = {"kent", "rosterly"}
FIRST_HEADINGS = {"FileReference", "ClientID", "VisitID"}
PERSONAL = {
    "NHSNumber", "Forename", "KnownAs", "OtherNames", "Surname", "DateOfBirth", "Address1", "Address2", "Postcode",
    "Phone", "Mobile", "Email", "SocialServicesRef", "KeySafe", "AccessDetails",
}  # fmt: skip
Table = tuple[list[str], list[list[str]]]


class Watch(logging.Handler):
    """Every line that ``pipelines`` logs, at any level, and every warning of anybody else."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("pipelines") or record.levelno >= logging.WARNING:
            self.lines.append(self.format(record))

    def __enter__(self) -> Watch:
        self.before = logging.getLogger("pipelines").level
        logging.getLogger("pipelines").setLevel(logging.DEBUG)
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger("pipelines").setLevel(self.before)


@dataclass(frozen=True)
class Feeds:
    """Sample feeds of two nights; a copy of them is one provider's inbox."""

    folder: Path

    def inbox(self, home: Path) -> Path:
        return shutil.copytree(self.folder, home / "inbox", dirs_exist_ok=True)

    def files(self) -> list[Path]:
        return sorted(p for p in self.folder.rglob("*") if p.is_file())


@dataclass(frozen=True)
class TwoNights:
    """A home after two nights, what each did, its report and state as published then, and every line logged."""

    office: Office
    nights: tuple[Night, Night]
    first_fingerprint: str
    reports: dict[date, dict[str, bytes]]
    logged: list[str]


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Feeds:
    out = tmp_path_factory.mktemp("sample")
    make_sample(out, clients=400, visits=1_000, seed=11, nights=2, day=SECOND)
    return Feeds(out / "inbox")


@pytest.fixture(scope="module")
def run(feeds: Feeds, tmp_path_factory: pytest.TempPathFactory) -> TwoNights:
    """Run once for all; no test changes it."""
    return _two_nights(feeds, tmp_path_factory.mktemp("laws") / "home")


@pytest.fixture(scope="module")
def elsewhere(feeds: Feeds, tmp_path_factory: pytest.TempPathFactory) -> TwoNights:
    """The same feeds in another home."""
    return _two_nights(feeds, tmp_path_factory.mktemp("elsewhere") / "another" / "home")


@pytest.fixture
def office(run: TwoNights, tmp_path: Path) -> Office:
    """A copy of the home after two nights, to be changed."""
    shutil.copytree(run.office.settings.home, tmp_path / "home", symlinks=True)
    return Office(tmp_path / "home", SECOND)


class TestNothingLost:
    """Law 1."""

    def test_each_file_is_read_loaded_and_rejected_as_its_rows_say(self, feeds: Feeds, run: TwoNights) -> None:
        ledger = {
            (day, name): (read, loaded + rejected)
            for day, name, read, loaded, rejected in run.office.rows(
                "select delivered_for, file_name, rows_read, rows_loaded, rows_rejected from raw.files"
            )
        }
        assert ledger == {(_night_of(file), file.name): (len(_rows(file)),) * 2 for file in feeds.files()}

    def test_what_was_loaded_is_in_raw_and_what_was_rejected_is_kept(self, run: TwoNights) -> None:
        for file_id, feed, loaded, rejected in run.office.rows(
            "select file_id, feed, rows_loaded, rows_rejected from raw.files"
        ):
            counted = "select count(*) from {} where file_id = $file"
            assert run.office.one(counted.format(f"raw.{feed}"), file=file_id) == loaded
            assert run.office.one(counted.format("raw.rejected_rows"), file=file_id) == rejected

    def test_a_rejected_row_says_which_it_is_and_why(self, run: TwoNights) -> None:
        rejected = run.office.rows("select row_number, reason, row_as_sent from raw.rejected_rows")
        assert rejected
        assert all(number > 1 and reason and row for number, reason, row in rejected)

    def test_every_original_is_kept(self, run: TwoNights) -> None:
        assert len([p for p in run.office.settings.archive.rglob("*") if p.is_file()]) == run.office.one(
            "select count(*) from raw.files where status = 'loaded'"
        )
        assert not [p for p in run.office.settings.inbox.rglob("*") if p.is_file()]

    def test_every_visit_and_order_counts_for_a_live_client(self, run: TwoNights) -> None:
        for feed, table, key in (
            ("roster_visits", "visits", "visit_id"),
            ("purchase_orders", "purchase_orders", "purchase_order_number || '/' || line_number"),
        ):
            sent = run.office.one(f"select count(distinct (issuer, trim({key}))) from raw.{feed}")
            assert sent == run.office.one(
                f"select count(*) from staged.{table} join staged.clients using (client_id)"
                " where survivor_id = client_id"
            )

    def test_a_bad_file_does_not_stop_a_good_one(self, feeds: Feeds, tmp_path: Path) -> None:
        office = Office(tmp_path / "home", SECOND)
        good = next(f for f in feeds.files() if "roster_clients" in f.name and f.suffix == ".csv")
        office.deliver("a_roster_clients_20261120.xlsx", b"not a workbook")
        office.deliver(good.name, good.read_bytes())
        night = run_night(office.settings, office.settings.inbox, SECOND)
        assert [landing.status for landing in night.landings] == ["quarantined", "loaded"]
        assert night.staging.written["staged.clients"] > 0


class TestTwiceIsOnce:
    """Law 2."""

    def test_the_same_night_again(self, run: TwoNights, office: Office) -> None:
        written = _times(office.settings.reports)
        again = run_night(office.settings, office.settings.inbox, SECOND)
        assert again.landings == []
        assert (again.staging.files, again.staging.written, again.staging.new_clients) == (0, {}, {})
        assert again.matching.scored_again == 0
        assert again.matching.tiers == run.nights[1].matching.tiers
        assert fingerprint(office.settings) == fingerprint(run.office.settings)
        assert _report(office, SECOND) == run.reports[SECOND]
        assert {path: at for path, at in _times(office.settings.reports).items() if path in written} == written

    def test_the_same_files_under_other_names(self, feeds: Feeds, run: TwoNights, office: Office) -> None:
        for number, file in enumerate(feeds.files()):
            feed = re.search(r"purchase_orders|roster_\w+?(?=_)", file.name)
            assert feed
            office.deliver(f"resent{number}_{feed.group()}_20301231{file.suffix}", file.read_bytes())
        again = run_night(office.settings, office.settings.inbox, SECOND)
        assert {landing.status for landing in again.landings} == {"repeated"}
        assert len(again.landings) == len(feeds.files())
        assert fingerprint(office.settings) == fingerprint(run.office.settings)
        assert _report(office, SECOND) == run.reports[SECOND]

    def test_the_same_file_reference_with_fewer_rows(self, feeds: Feeds, run: TwoNights, office: Office) -> None:
        orders = [f for f in feeds.files() if "purchase_orders" in f.name]
        for file in orders:
            office.deliver(file.name, b"\n".join(file.read_bytes().splitlines()[:-1]) + b"\n")
        again = run_night(office.settings, office.settings.inbox, SECOND)
        assert {landing.status for landing in again.landings} == {"quarantined"}
        assert len(again.landings) == len(orders)
        assert fingerprint(office.settings) == fingerprint(run.office.settings)
        assert read_report(office.settings, SECOND).candidates == read_report(run.office.settings, SECOND).candidates

    def test_an_interrupted_night_run_again(self, feeds: Feeds, run: TwoNights, tmp_path: Path) -> None:
        office = Office(tmp_path / "home", FIRST)
        feeds.inbox(office.settings.home)
        for step in ("bringing the register up to date", "matching", "writing the report"):
            with pytest.raises(KeyboardInterrupt):
                run_night(office.settings, office.settings.inbox, FIRST, _interrupted_at(step))
        run_night(office.settings, office.settings.inbox, FIRST)
        assert fingerprint(office.settings) == run.first_fingerprint
        assert _report(office, FIRST) == run.reports[FIRST]


class TestPersonalData:
    """Law 8."""

    def test_not_in_the_log(self, feeds: Feeds, run: TwoNights) -> None:
        log = "\n".join(run.logged)
        assert "published the report" in log
        assert _said(_personal(feeds), log) == set()

    def test_not_in_the_name_of_any_file_of_the_home(self, feeds: Feeds, office: Office) -> None:
        office.deliver("MARGARET_OSULLIVAN_19380403.docx", "a letter")
        office.deliver("careplan_roster_clients_Peggy_OSullivan.csv", 'ClientID,Surname\n1,"cut')
        run_night(office.settings, office.settings.inbox, SECOND)
        kept = [p for p in office.settings.home.rglob("*") if office.settings.inbox not in p.parents]
        assert len([p for p in kept if p.parent == office.settings.quarantine]) == 4
        names = "\n".join(str(p.relative_to(office.settings.home)) for p in kept)
        assert _said(_personal(feeds) | {"MARGARET", "OSULLIVAN", "Peggy", "OSullivan", "19380403"}, names) == set()

    def test_not_in_what_the_night_tells_airflow(self, feeds: Feeds, run: TwoNights) -> None:
        told = "\n".join(repr(night.as_dict()) for night in run.nights)
        assert _said(_personal(feeds), told) == set()

    @pytest.mark.parametrize("cell", ["surname", "born_as_sent", "address_1", "nhs_as_sent"])
    def test_not_in_the_text_of_an_exception(self, feeds: Feeds, office: Office, cell: str) -> None:
        """A suite fails because a name, a birth date or an address stands where it should not."""
        with open_warehouse(office.settings) as warehouse:
            rows = warehouse.frame(f"select 1 as client_id, 'R1' as reference, {cell} as kind from staged.clients")
            with pytest.raises(TableGateError, match="rows do not fit") as failed:
                pass_gate(warehouse, SECOND, "staged.references", [rows])
        assert _said(_personal(feeds), "".join(traceback.format_exception(failed.value))) == set()


class TestSameInSameOut:
    """Law 9."""

    def test_the_same_state(self, run: TwoNights, elsewhere: TwoNights) -> None:
        assert fingerprint(run.office.settings) == fingerprint(elsewhere.office.settings)
        assert fingerprint(run.office.settings, "linked") == fingerprint(elsewhere.office.settings, "linked")

    def test_the_same_model_and_candidates_to_the_last_digit(self, run: TwoNights, elsewhere: TwoNights) -> None:
        every = "select * from matched.candidates order by candidate_id"
        assert run.office.rows(every) == elsewhere.office.rows(every)
        assert len(run.office.rows(every)) > 50
        assert [night.matching for night in run.nights] == [night.matching for night in elsewhere.nights]
        assert run.nights[0].matching.model_version == run.nights[1].matching.model_version

    def test_the_same_reports_byte_for_byte(self, run: TwoNights, elsewhere: TwoNights) -> None:
        assert run.reports == elsewhere.reports
        assert set(run.reports[FIRST]) >= {"index.html", "candidates.xlsx", "candidates.parquet", "run.json"}

    def test_the_report_of_a_past_night_as_it_was(self, run: TwoNights, office: Office) -> None:
        assert run.reports[FIRST]["index.html"] != run.reports[SECOND]["index.html"]
        assert _report(office, FIRST) == run.reports[FIRST]
        version = (office.settings.reports / f"{FIRST}").resolve()
        for written in ("index.html", "candidates.xlsx"):
            (version / written).unlink()
        kept = version.rename(version.with_name("kept"))
        (office.settings.reports / f"{FIRST}").unlink()
        (office.settings.reports / f"{FIRST}").symlink_to(Path(".versions") / kept.name)
        rebuild_report(office.settings, FIRST)
        assert _report(office, FIRST) == run.reports[FIRST]

    def test_a_past_day_that_comes_late_leaves_the_reports_of_the_others(self, run: TwoNights, office: Office) -> None:
        past = date(2026, 11, 18)
        headings = "VisitID,ClientID,VisitDate,PlannedMinutes"
        office.deliver("2026-11-18/careplan_roster_visits_20261118.csv", f"{headings}\nLATE1,CP-LATE,18/11/2026,30\n")
        night = run_night(office.settings, office.settings.inbox, past)
        assert [landing.rows_loaded for landing in night.landings] == [1]
        assert office.one("select count(*) from staged.visits where visit_id = 'LATE1'") == 1
        assert read_report(office.settings, past).run.day == past
        assert {day: _report(office, day) for day in (FIRST, SECOND)} == run.reports
        assert last_night(office.settings) == SECOND


def _two_nights(feeds: Feeds, home: Path) -> TwoNights:
    office = Office(home, FIRST)
    feeds.inbox(home)
    with Watch() as watch:
        first = run_night(office.settings, office.settings.inbox, FIRST)
        as_published, first_fingerprint = _report(office, FIRST), fingerprint(office.settings)
        second = run_night(office.settings, office.settings.inbox, SECOND)
    reports = {FIRST: as_published, SECOND: _report(office, SECOND)}
    return TwoNights(office, (first, second), first_fingerprint, reports, watch.lines)


def _report(office: Office, day: date) -> dict[str, bytes]:
    folder = (office.settings.reports / day.isoformat()).resolve()
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (folder / ".versions").rglob("*") if path.is_file()}


def _night_of(file: Path) -> date:
    return date.fromisoformat(file.parent.name)


def _grid(file: Path) -> list[list[str]]:
    if file.suffix == ".xlsx":
        return [list(map(str, row)) for row in CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()]
    issuer = file.name.split("_")[0]
    with file.open(encoding="cp1252" if issuer in CP1252 else "utf-8-sig", newline="") as lines:
        return list(csv.reader(lines, delimiter=DELIMITERS.get(issuer, ",")))


def _table(file: Path) -> Table:
    """The headings of a file, and the rows below them that are not blank."""
    grid = _grid(file)
    header = next(n for n, row in enumerate(grid) if row and row[0].strip() in FIRST_HEADINGS)
    return grid[header], [row for row in grid[header + 1 :] if any(cell.strip() for cell in row)]


def _rows(file: Path) -> list[list[str]]:
    return _table(file)[1]


def _personal(feeds: Feeds) -> set[str]:
    """Every cell about a person in the feeds that is long enough not to stand anywhere by chance."""
    found: set[str] = set()
    for file in feeds.files():
        headings, rows = _table(file)
        places = [n for n, heading in enumerate(headings) if heading.strip() in PERSONAL]
        found |= {row[n].strip() for row in rows for n in places if n < len(row)}
    assert len(found) > 1_000
    return {cell for cell in found if len(cell) > 3}


def _said(cells: set[str], text: str) -> set[str]:
    """Which of the cells stand in the text, as words of their own."""
    likely = {cell for cell in cells if cell in text}
    return {cell for cell in likely if re.search(rf"(?<![\w-]){re.escape(cell)}(?![\w-])", text)}


def _interrupted_at(step: str) -> Callable[[str, int, int], None]:
    def progress(now: str, done: int, of: int) -> None:
        if now == step:
            raise KeyboardInterrupt

    return progress
