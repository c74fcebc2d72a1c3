"""The doctor holds the archive, the decision log and what is published against the warehouse."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from office import client, order
from the_merges import Provider

from pipelines.doctor import Finding, examine
from pipelines.merge.commands import apply
from pipelines.merge.publish import publish_merges
from pipelines.merge.selection import Selection
from pipelines.merge.status import merge_status
from pipelines.nightly import run_night

FILES = ("archive", "warehouse is newest", "reports", "published", "merge runs")


@pytest.fixture(scope="module")
def after_a_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after a nightly run and a merge; no test changes it."""
    provider = Provider(tmp_path_factory.mktemp("doctor") / "home")
    provider.clients(
        client("A1", Status="Active"),
        client("A2", Forename="Annie", KeySafe="4711", Status="Ended", EndDate="01/02/2026"),
    )
    provider.orders(order("PO1", SocialServicesRef="111"))
    run_night(provider.settings, provider.settings.inbox, provider.day)
    shutil.copy(provider.settings.database, provider.settings.home / "before.duckdb")
    provider.decides("careplan/A1 careplan/A2", survivor="careplan/A1", references={"careplan": "A1"}, aliases="keep")
    apply(provider.settings, Selection(), who="Sam", reason="", progress=lambda *_: None)
    return provider.settings.home


@pytest.fixture
def provider(after_a_night: Path, tmp_path: Path) -> Provider:
    return Provider(shutil.copytree(after_a_night, tmp_path / "home", symlinks=True))


def found(provider: Provider) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(provider.settings)}


def unwell(provider: Provider) -> dict[str, str]:
    """But for the model, which a register of three records does not hold."""
    checks = (finding for finding in examine(provider.settings) if finding.check != "model holds")
    return {finding.check: finding.found for finding in checks if not finding.well}


def archived(provider: Provider, feed: str) -> Path:
    return next((provider.settings.archive / feed).glob("*.csv"))


def test_after_a_night_and_a_merge_all_is_well(provider: Provider) -> None:
    told = found(provider)
    assert [told[check].found for check in FILES if not told[check].well] == []
    assert told["archive"].found.startswith("of 2 originals 0 are missing")
    run_night(provider.settings, provider.settings.inbox, provider.day)
    assert unwell(provider) == {}


def _delete(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _change_a_cell(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"Archer", b"Archet"))


@pytest.mark.parametrize(
    ("feed", "deed", "counted"),
    [
        pytest.param("purchase_orders", _delete, "1 are missing", id="deleted"),
        pytest.param("purchase_orders", _change_a_cell, "1 are not as they were", id="a cell changed"),
        pytest.param("roster_clients", _cut, "1 are not as they were", id="a row cut off a file that lacks columns"),
    ],
)
def test_a_changed_archive(provider: Provider, feed: str, deed: Callable[[Path], None], counted: str) -> None:
    deed(archived(provider, feed))
    told = unwell(provider)
    assert list(told) == ["archive"]
    assert counted in told["archive"]


def test_a_warehouse_that_is_older_than_its_archive_and_its_log(provider: Provider) -> None:
    provider.orders(order("PO2", SocialServicesRef="222", Forename="Bea"), on="20261121")
    run_night(provider.settings, provider.settings.inbox, provider.day)
    (provider.settings.home / "before.duckdb").replace(provider.settings.database)
    told = unwell(provider)
    assert told["warehouse is newest"].startswith("1 files in archive/ are not in the ledger")
    assert "1 sign-offs of the log were never begun here" in told["merge runs"]
    (merge,) = merge_status(provider.settings).merges
    assert merge.state == "not begun"


@pytest.mark.parametrize("what", ["published", "reports", "published/current", "published/events.jsonl"])
def test_what_was_published_is_deleted(provider: Provider, what: str) -> None:
    path = provider.settings.home / what
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    check = what.partition("/")[0]
    assert list(unwell(provider)) == [check]
    publish_merges(provider.settings)
    assert list(unwell(provider)) == ([check] if check == "reports" else [])


def test_what_was_published_is_changed(provider: Provider) -> None:
    worklist = provider.settings.published / "current" / "worklist.xlsx"
    worklist.write_bytes(worklist.read_bytes() + b" ")
    assert "worklist.xlsx in published/current was changed" in unwell(provider)["published"]


def test_an_event_is_changed(provider: Provider) -> None:
    feed = provider.settings.published / "events.jsonl"
    feed.write_bytes(feed.read_bytes().replace(b"careplan/A1", b"careplan/A3"))
    assert unwell(provider)["published"] == "line 1 is not as it was published"


def test_what_is_published_is_older_than_the_register(provider: Provider) -> None:
    provider.clients(client("A3", Forename="Zoe", Surname="Zell", DateOfBirth="01/01/1950"), on="20261121")
    provider.night()
    assert "is out of date" in unwell(provider)["published"]
