"""Whatever befalls a command (killed, no room, no rights, a wrong clock, somebody else at the warehouse, a log that
lost its end), it says what to do in one sentence; and once the same command has run again, all is as if nothing had
happened.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import Processes
from the_disk import Disk
from the_storm import (
    COMMANDS,
    Case,
    Undisturbed,
    assert_nothing_is_left_over,
    assert_nothing_is_lost,
    befall,
    state_of,
    undisturbed_homes,
)

from pipelines.settings import load_settings

FULL = os.environ.get("PROVE") == "full"
SEED = int(os.environ.get("STORM_SEED", "20261120"))
CASES = [Case(SEED, number) for number in range(540 if FULL else 12)]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    disk = Disk(tmp_path_factory.mktemp("storm") / "disk")
    yield disk
    disk.unmount()


@pytest.fixture(scope="module")
def undisturbed(processes: Processes, disk: Disk) -> dict[str, Undisturbed]:
    return undisturbed_homes(disk.folder, processes, disk)


@pytest.mark.prove
@pytest.mark.parametrize("case", CASES, ids=str)
def test_run_again_after_any_fault_all_is_as_if_nothing_had_happened(
    undisturbed: dict[str, Undisturbed],
    processes: Processes,
    disk: Disk,
    case: Case,
    record_property: Callable[[str, object], None],
) -> None:
    told = undisturbed[case.command]
    home = shutil.copytree(told.before, disk.folder / "home", symlinks=True)
    try:
        settings = load_settings(home)
        ended = befall(case, home, told, processes, disk)
        record_property("ended", {None: "killed", 0: "done"}.get(ended.code, ended.complained))
        assert ended.code in {None, 0, 1}, ended.complained
        assert (ended.code == 1) == _is_one_sentence_that_helps(ended.complained), ended.complained
        assert_nothing_is_lost(settings, told.before)
        again = processes.run(*_command(case, home))
        if again.code and case.fault == "warehouse log damaged":
            record_property("again", again.complained)
            assert "oneclient.duckdb.wal) cannot be read" in again.complained
            (home / "oneclient.duckdb.wal").rename(disk.folder / "set aside")
            again = processes.run(*_command(case, home))
        assert (again.code, again.complained) == (0, "")
        assert_nothing_is_lost(settings, told.before)
        assert_nothing_is_left_over(settings)
        if case.fault == "clock back":
            assert state_of(settings).whatever_the_day() == told.after.whatever_the_day()
        else:
            assert state_of(settings) == told.after
    finally:
        shutil.rmtree(home)


def _command(case: Case, home: Path) -> tuple[object, ...]:
    return *COMMANDS[case.command], "--home", home


def _is_one_sentence_that_helps(complained: str) -> bool:
    """One line that says what to do: no traceback, and nothing that nobody foresaw."""
    one_line = complained.startswith("oneclient: ") and complained.count("\n") == 1 and ". " in complained
    return one_line and "nobody foresaw" not in complained
