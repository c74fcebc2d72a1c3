"""What the crash storm rests on, one rule at a time."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from office import Office, client
from the_disk import Disk

from pipelines.decisions.database import StoreUnavailableError
from pipelines.decisions.statement import Statement
from pipelines.decisions.store import open_decisions
from pipelines.disk import DiskError, disk_trouble
from pipelines.nightly import report
from pipelines.settings import Settings, load_settings
from pipelines.stage.register import stage_files
from pipelines.warehouse import WarehouseBusyError, WarehouseDamagedError, open_warehouse

HOLD_OPEN = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
KEEP_AND_DIE = """
import os, signal, sys, duckdb
con = duckdb.connect(sys.argv[1])
con.execute("create table raw.kept as select range as n from range(100)")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_original_leaves_the_inbox_once_its_rows_are_in_the_database_file(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB says nothing of a write-ahead log that is cut off: the rows would be gone, and what brought them."""
    log = office.settings.database.with_name("oneclient.duckdb.wal")
    hung_on_the_log = []
    unlink = Path.unlink

    def watched(path: Path, missing_ok: bool = False) -> None:
        if path.parent == office.settings.inbox:
            hung_on_the_log.append(log.exists() and log.stat().st_size > 0)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", watched)
    office.clients(client("A1"))
    office.deliver("careplan_roster_visits_20261120.csv", "no,headings\n1,2\n")
    assert [landing.status for landing in office.land_all()] == ["loaded", "quarantined"]
    assert hung_on_the_log == [False, False]


def test_a_damaged_log_of_the_warehouse_is_told_with_what_to_do_and_that_is_enough(office: Office) -> None:
    office.clients(client("A1"))
    office.night()
    subprocess.run([sys.executable, "-c", KEEP_AND_DIE, str(office.settings.database)], check=False)
    log = office.settings.database.with_name("oneclient.duckdb.wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 0xFF
    log.write_bytes(content)
    what_to_do = r"oneclient\.duckdb\.wal\) cannot be read.* Move that file out of the home, and run the same command"
    with pytest.raises(WarehouseDamagedError, match=what_to_do), open_warehouse(office.settings):
        pass
    log.rename(log.with_suffix(".aside"))
    assert office.one("select count(*) from staged.clients") == 1


def test_a_warehouse_that_is_none_is_told_with_what_to_do(office: Office) -> None:
    office.settings.database.write_bytes(b"something else" * 1000)
    with pytest.raises(WarehouseDamagedError, match="Restore it from its last backup"), open_warehouse(office.settings):
        pass


def test_the_sign_offs_are_read_once_the_warehouse_is_taken(office: Office) -> None:
    """Read before, they would lack the merge that had the warehouse meanwhile, and staging would take it back."""
    office.settings.home.joinpath("settings.toml").write_text("[warehouse]\nlock_wait_seconds = 0.1\n")
    settings = load_settings(office.settings.home)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_OPEN, str(settings.database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(WarehouseBusyError):
            stage_files(settings, office.day)
        holder.communicate()
    assert not settings.decisions_file.exists()


def test_what_a_killed_process_left_half_published_is_swept_away(office: Office) -> None:
    office.clients(client("A1"))
    office.night()
    half = office.settings.reports / ".versions" / "2026-11-19-0123456789ab.partial"
    half.mkdir(parents=True)
    (half / "run.json").write_text("{")
    folder = report(office.settings, office.day)
    assert not half.exists()
    assert [link.name for link in office.settings.reports.glob("[!.]*")] == [folder.name]


def decide(settings: Settings) -> None:
    facts = '[{"client_ref": "careplan/A1"}, {"client_ref": "careplan/A2"}]'
    from pipelines.decisions.evidence import evidence_hash

    said = Statement(
        "C0000000001", "careplan/A1", "careplan/A2", "same", "Jo", "cli", "rang", evidence_hash(facts), facts
    )
    with open_decisions(settings) as store:
        store.record([said])


def test_what_was_decided_is_in_the_file_itself_even_while_somebody_looks(office: Office, tmp_path: Path) -> None:
    decide(office.settings)
    with closing(sqlite3.connect(office.settings.decisions_file)) as somebody:
        somebody.execute("select * from entries").fetchall()
        with open_decisions(office.settings) as store:
            store.undo("C0000000001", "Jo", "cli")
        shutil.copy(office.settings.decisions_file, tmp_path / "alone.sqlite")
    with closing(sqlite3.connect(tmp_path / "alone.sqlite")) as without_its_log:
        assert without_its_log.execute("select kind from entries order by 1").fetchall() == [("undo",), ("verdict",)]


def test_a_damaged_decision_store_is_told_with_what_to_do(office: Office) -> None:
    decide(office.settings)
    content = office.settings.decisions_file.read_bytes()
    office.settings.decisions_file.write_bytes(b"something else!!" + content[16:])
    with pytest.raises(StoreUnavailableError, match=r"is damaged\. Restore it from its last backup"):
        decide(office.settings)


def test_a_full_disk_has_one_code_for_decisions_too(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk")
    try:
        if not disk.is_real:
            pytest.skip("no disk of one's own can be mounted here")
        settings = load_settings(disk.folder / "home")
        decide(settings)
        with disk.full_after(0):
            for _ in range(2):
                with pytest.raises(Exception) as failed:
                    withdraw(settings)
                told = failed.value if isinstance(failed.value, DiskError) else disk_trouble(failed.value)
                assert told is not None
                assert told.trouble.code == "X2"
        withdraw(settings)
    finally:
        disk.unmount()


def withdraw(settings: Settings) -> None:
    with open_decisions(settings) as store:
        store.undo("C0000000001", "Jo", "cli")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "is full"),
        (duckdb.TransactionException("Failed to commit: Could not write file: No space left on device"), "is full"),
        (sqlite3.OperationalError("database or disk is full"), "is full"),
        (OSError(errno.EROFS, "Read-only file system"), "is read-only"),
        (duckdb.IOException("Cannot open file: Read-only file system"), "is read-only"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "is read-only"),
        (PermissionError(errno.EACCES, "Permission denied"), "may not be read or written"),
        (OSError(errno.EIO, "Input/output error"), "is full or damaged"),
    ],
)
def test_trouble_with_the_disk_is_one_sentence_whoever_had_it(error: Exception, said: str) -> None:
    wrapped = RuntimeError("the report was not written")
    wrapped.__cause__ = error
    told = disk_trouble(wrapped)
    assert told is not None
    assert said in str(told)
    assert "run the same command again" in str(told)


def test_other_trouble_is_not_the_disks() -> None:
    assert disk_trouble(FileNotFoundError(errno.ENOENT, "No such file or directory")) is None
    assert disk_trouble(duckdb.ConstraintException("Duplicate key")) is None
