"""Publishing: a reader sees the old report or the new one, never half of one; a past night can be written again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from examples import NIGHT, a_candidate, a_couple, a_report
from office import Office, client

from pipelines.nightly import run_night
from pipelines.review import publish
from pipelines.review.contents import Report
from pipelines.review.publish import NoReportError, last_night, publish_report, read_report, rebuild_report

FILES = ["candidates.parquet", "candidates.xlsx", "clusters.parquet", "index.html", "references.json", "run.json"]


@pytest.fixture
def gathered(office: Office, monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """What the warehouse will tell of the night: the last report of this list."""
    office.clients(client("1"))
    office.night()
    reports = [a_report(a_candidate(), a_couple())]
    monkeypatch.setattr(publish, "gather_summary", lambda settings, warehouse, day: _summary(reports[-1]))
    monkeypatch.setattr(publish, "gather_cases", lambda warehouse, summary: _hashed(reports[-1]))
    return reports


def _hashed(report: Report) -> Report:
    """As it is gathered: the run knows by a hash what was found."""
    return replace(report, run=replace(report.run, evidence_hash=sha256(repr(report.candidates).encode()).hexdigest()))


def _summary(report: Report) -> Report:
    return replace(_hashed(report), candidates=(), clusters=())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_night_is_published_as_a_page_a_workbook_and_its_data(office: Office, gathered: list[Report]) -> None:
    folder = publish_report(office.settings, NIGHT)
    assert folder == office.settings.reports / "2026-11-20"
    assert sorted(contents(folder)) == FILES
    assert last_night(office.settings) == NIGHT


def test_what_was_published_is_read_back_whole(office: Office, gathered: list[Report]) -> None:
    publish_report(office.settings, NIGHT)
    assert read_report(office.settings, NIGHT) == _hashed(gathered[-1])


def test_the_same_contents_are_the_same_version(office: Office, gathered: list[Report]) -> None:
    first = publish_report(office.settings, NIGHT).resolve()
    written = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    assert publish_report(office.settings, NIGHT).resolve() == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == written


def test_other_contents_are_another_version_and_the_first_is_kept(office: Office, gathered: list[Report]) -> None:
    first = publish_report(office.settings, NIGHT).resolve()
    gathered.append(a_report(a_candidate()))
    second = publish_report(office.settings, NIGHT).resolve()
    assert first != second
    assert sorted(contents(first)) == sorted(contents(second)) == FILES
    assert len(read_report(office.settings, NIGHT).candidates) == 1


@pytest.mark.parametrize("step", ["render_page", "write_workbook"])
def test_a_crash_while_writing_leaves_the_old_report(
    office: Office, gathered: list[Report], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    link = publish_report(office.settings, NIGHT)
    before, target = contents(link), link.resolve()
    gathered.append(a_report(a_candidate()))
    with monkeypatch.context() as broken:
        broken.setattr(publish, step, _fail)
        with pytest.raises(OSError, match="No space"):
            publish_report(office.settings, NIGHT)
    assert link.resolve() == target
    assert contents(link) == before
    publish_report(office.settings, NIGHT)
    assert read_report(office.settings, NIGHT) == _hashed(gathered[-1])


def test_a_crash_before_the_link_is_swung_leaves_the_old_report(
    office: Office, gathered: list[Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    link = publish_report(office.settings, NIGHT)
    before = contents(link)
    gathered.append(a_report(a_candidate()))
    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", _fail)
        with pytest.raises(OSError, match="No space"):
            publish_report(office.settings, NIGHT)
    assert contents(link) == before
    publish_report(office.settings, NIGHT)
    assert read_report(office.settings, NIGHT) == _hashed(gathered[-1])


def test_a_past_night_is_rebuilt_from_what_it_published_alone(office: Office, gathered: list[Report]) -> None:
    published = publish_report(office.settings, NIGHT)
    before = contents(published)
    for written in ("index.html", "candidates.xlsx"):
        (published.resolve() / written).unlink()
    moved = published.resolve().rename(published.resolve().with_name("2026-11-20-elsewhere"))
    published.unlink()
    published.symlink_to(Path(".versions") / moved.name)
    gathered.append(a_report())
    assert contents(rebuild_report(office.settings, NIGHT)) == before


def test_a_night_without_a_report_cannot_be_rebuilt(office: Office, gathered: list[Report]) -> None:
    publish_report(office.settings, NIGHT)
    with pytest.raises(NoReportError, match=r"no report of 2026-11-19\. Nights with a report: 2026-11-20\."):
        rebuild_report(office.settings, NIGHT - timedelta(days=1))


def test_a_home_in_which_no_night_ran_has_nothing_to_publish(office: Office) -> None:
    with pytest.raises(NoReportError, match="Run: oneclient nightly"):
        publish_report(office.settings, NIGHT)
    assert last_night(office.settings) is None


def test_a_night_without_any_file_publishes_an_empty_report(office: Office) -> None:
    night = run_night(office.settings, office.settings.inbox, date(2026, 11, 20))
    assert night.report is not None
    assert read_report(office.settings, night.day).candidates == ()


def test_the_link_is_relative_so_that_the_home_can_be_moved(office: Office, gathered: list[Report]) -> None:
    link = publish_report(office.settings, NIGHT)
    assert not link.readlink().is_absolute()


def _fail(*_: object, **__: object) -> None:
    raise OSError("No space left on device")
