"""The doctor says what stands in the way of a night, and what to do: who holds the warehouse, what a killed process
left, which disk cannot be written, which schema and which versions are not ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from office import Office
from the_disk import Disk

from pipelines.decisions.database import open_database
from pipelines.doctor import Finding, airflow, examine, home, installation
from pipelines.settings import Settings, load_settings
from pipelines.turns import my_turn
from pipelines.warehouse import open_warehouse

HOLD = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
TAKE_A_TURN = """
import sys
from pathlib import Path
from pipelines.turns import my_turn
with my_turn(Path(sys.argv[1])):
    print('open', flush=True)
    sys.stdin.read()
"""


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(settings)}


@contextmanager
def another_process(code: str, path: Path) -> Iterator[int]:
    """It does what the code says until the block ends; gives its number."""
    root = Path(home.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process.pid
        process.communicate()


def test_a_new_home_is_well(office: Office) -> None:
    assert [finding for finding in examine(office.settings) if not finding.well] == []


def test_it_names_the_process_that_holds_the_warehouse(office: Office) -> None:
    (office.settings.home / "settings.toml").write_text("[warehouse]\nlock_wait_seconds = 0.1\n")
    settings = load_settings(office.settings.home)
    with another_process(HOLD, settings.database) as number:
        warehouse = found(settings)["warehouse"]
    assert f"Wait for the running night or merge to end (process {number})" in warehouse.found
    assert "warehouse" not in found(settings)


def test_a_turn_is_nobodys_once_its_process_has_ended(office: Office) -> None:
    with another_process(TAKE_A_TURN, office.settings.archive) as number:
        assert f"at work: archive (process {number})" in found(office.settings)["turns"].found
    assert "nobody lands files or publishes now" in found(office.settings)["turns"].found
    assert (office.settings.home / ".archive.turn").exists()


class TestWhatAKilledProcessLeft:
    @pytest.fixture
    def left(self, office: Office) -> list[Path]:
        settings = office.settings
        for folder in (settings.reports / ".versions" / "2026-11-19-0123456789ab.partial", settings.scratch):
            folder.mkdir(parents=True)
        half, spilled = folder_file(settings), settings.scratch / "duckdb_temp_storage.tmp"
        beside = settings.home / ".oneclient.duckdb.partial"
        for file in (half, spilled, beside):
            file.write_bytes(bytes(1_000_000))
        return [half.parent, spilled, beside]

    def test_is_told_with_the_command_that_clears_it_away(self, office: Office, left: list[Path]) -> None:
        age(*left, hours=25)
        leftovers = found(office.settings)["leftovers"]
        assert not leftovers.well
        assert leftovers.found.startswith("3 files and folders that a killed process left half done, 3.0 MB")
        subprocess.run(leftovers.next.partition("on this home: ")[2], shell=True, check=True)  # noqa: S602 - as told
        assert found(office.settings)["leftovers"].well
        assert not any(path.exists() for path in left)

    @pytest.mark.parametrize("hours", [0, 2])
    def test_is_not_told_while_it_may_be_in_use(self, office: Office, left: list[Path], hours: int) -> None:
        age(*left, hours=hours)
        told = found(office.settings)["leftovers"]
        assert str(left[1]) not in told.next
        assert told.well is (hours == 0)

    def test_is_not_judged_while_somebody_publishes(self, office: Office, left: list[Path]) -> None:
        age(*left, hours=25)
        with my_turn(office.settings.reports):
            assert "somebody is at work" in found(office.settings)["leftovers"].found


def folder_file(settings: Settings) -> Path:
    return settings.reports / ".versions" / "2026-11-19-0123456789ab.partial" / "run.json"


def age(*paths: Path, hours: int) -> None:
    then = time.time() - hours * 3_600
    for path in (each for one in paths for each in (*one.rglob("*"), one)):
        os.utime(path, (then, then))


def test_a_home_that_cannot_be_written_is_told_and_nothing_else_falls_over(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk")
    try:
        settings = load_settings(disk.folder / "home")
        assert found(settings)["writable"].well
        with disk.read_only(settings.home):
            told = found(settings)
        assert not told["writable"].well
        assert "oneclient.duckdb" in told["writable"].found
        assert "is read-only" in told["decisions"].found or "may not be read" in told["decisions"].found
    finally:
        disk.unmount()


def test_too_little_disk_for_a_backup_and_a_night_is_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "a backup beside it and a night up to 2.0 GB" in found(office.settings)["disk"].found
    monkeypatch.setattr(home, "NIGHT_BY_WAREHOUSE", 1e12)
    assert not found(office.settings)["disk"].well


class TestSchemas:
    def test_of_a_newer_oneclient(self, office: Office) -> None:
        with open_warehouse(office.settings) as warehouse:
            warehouse.execute("insert into main.schemas values (99, 'oneclient 9.8.7', now())")
        schemas = found(office.settings)["schemas"]
        assert not schemas.well
        assert "made by oneclient 9.8.7" in schemas.found

    def test_that_are_pending(self, office: Office) -> None:
        with open_database(office.settings, older="as it is", made_at="0002"):
            pass
        told = found(office.settings)
        assert "decisions 0002 of 0003; 1 upgrades are pending" in told["schemas"].found
        assert "then run: oneclient upgrade" in told["schemas"].next
        assert "then run: oneclient upgrade" in told["decisions"].found


class TestVersions:
    def test_are_those_that_were_asked_for(self) -> None:
        assert "DuckDB 2.0.0, Splink 5.0.0, Airflow 3.3.2" in installation.versions().found
        assert installation.versions().well

    def test_that_are_not_are_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(installation, "ROOT", tmp_path)
        (tmp_path / "requirements.lock").write_text(
            "duckdb==1.9.9 \\\n    --hash=sha256:00\nnone-such==1 ; os_name == 'x'\n"
        )
        assert (
            "1 of another version than in requirements.lock: duckdb 2.0.0, not ==1.9.9" in installation.versions().found
        )
        (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["duckdb<2", "no-such-package>=1"]\n')
        told = installation.versions()
        assert not told.well
        assert "not as asked for: duckdb 2.0.0, not <2; no-such-package missing, not >=1" in told.found


def test_without_airflow_nights_run_by_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "none"))
    (told,) = airflow.examine()
    assert told.well
    assert told.found.endswith("nights run by the command line (or set AIRFLOW_HOME)")
    assert not (tmp_path / "none").exists()
