"""Whatever oneclient makes in a home is its owner's alone, whichever door made it and whatever its umask was."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kept_home import oneclient, settings_of

from pipelines.private import too_open
from pipelines.settings import load_settings, read_settings

ROOT = Path(__file__).parents[2]
EVERY_DOOR = """
import os, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from click.testing import CliRunner
from kept_home import kept_home
from the_desk import Desk
from pipelines.cli import main
from pipelines.private import too_open
from pipelines.settings import read_settings
from pipelines.warehouse import open_warehouse

folder = Path(sys.argv[1])
os.umask(0o022)
home = kept_home(folder)
for words in (("report",), ("merge", "plan"), ("merge", "undo", "--all", "--by", "kim")):
    assert CliRunner().invoke(main, [*words, "--home", str(home)]).exit_code == 0, words

os.umask(0o022)  # from here on as in a server that hosts others
settings = read_settings(home)
desk = Desk(settings)
candidate = next(iter(__import__("pandas").read_parquet(home / "reports/2026-11-20/candidates.parquet").candidate_id))
page = f"/candidates/{{candidate}}"
assert desk.fill(page, f"{{page}}/reveal").status_code == 303
assert desk.fill(page, f"{{page}}/decide", verdict="unsure", reason="looked").status_code == 303
assert desk.fill("/practice", "/practice", verdict="same").status_code == 303
another = read_settings(folder / "another")
Desk(another).read("/practice")
open_too = too_open(another.home)

os.umask(0o077)  # as load_settings leaves it
with open_warehouse(settings) as warehouse:
    warehouse.execute("create table staged.more as select * from range(10)")
    warehouse.execute("set memory_limit = '40MB'")
    warehouse.execute("create temp table large as select md5(i::varchar) as said from range(2_000_000) as r(i)")
    open_too += too_open(home, {{settings.inbox}})
print("open:", *open_too)
"""


@pytest.fixture(scope="module")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home that every door has been used on, by a process that came in with the umask 022; and what it saw open."""
    folder = tmp_path_factory.mktemp("doors")
    script = EVERY_DOOR.format(paths=[str(ROOT), *(str(ROOT / "tests" / room) for room in ("", "custody", "review"))])
    ran = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert ran.returncode == 0, ran.stderr
    return folder / "home", ran.stdout.splitlines()[-1]


def test_after_every_door_all_that_is_there_is_private(used_home: tuple[Path, str]) -> None:
    home, seen = used_home
    assert seen == "open:"
    there = {path.relative_to(home).parts[0] for path in home.rglob("*")}
    assert there >= {
        "oneclient.duckdb", "decisions.sqlite", "archive", "quarantine", "models", "reports", "published",
        "access", "practice.jsonl", "page.key",
    }  # fmt: skip
    for path in (home, *home.rglob("*")):
        if not path.is_symlink():
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


@pytest.fixture
def home(used_home: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(used_home[0], tmp_path / "home", symlinks=True)


def test_doctor_counts_what_is_open_and_the_command_it_names_mends_it(home: Path) -> None:
    (home / "reports").chmod(0o755)
    (home / "decisions.sqlite").chmod(0o640)
    finding = private(home)
    assert not finding["well"]
    assert finding["found"].startswith("2 paths")
    assert finding["next"] == f"Run: chmod -R go= {home}"
    subprocess.run(shlex.split(str(finding["next"]))[1:], check=True)
    assert private(home)["well"]


def test_what_people_put_there_keeps_its_own_rights(home: Path) -> None:
    delivered = home / "inbox" / "kent_purchase_orders_20261121.csv"
    delivered.write_text("a,b\n1,2\n")
    delivered.chmod(0o644)
    assert private(home)["well"]
    assert too_open(home) == [home / "inbox" / delivered.name]


def test_a_copy_of_a_file_that_all_may_read_is_private(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home")
    (tmp_path / "in").mkdir()
    delivered = tmp_path / "in" / "kent_purchase_orders_20261121.csv"
    delivered.write_text("a,b\n1,2\n")
    delivered.chmod(0o666)
    assert oneclient("nightly", "--home", settings.home, "--inbox", delivered.parent).exit_code == 0
    copies = [path for path in settings.quarantine.iterdir() if path.suffix == ".csv"]
    assert [path.stat().st_mode & 0o777 for path in copies] == [0o600]


def test_a_server_keeps_its_umask_and_every_other_process_gets_ours(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        read_settings(tmp_path / "home")
        assert os.umask(0o022) == 0o022
        load_settings(tmp_path / "home")
        assert os.umask(0o022) == 0o077
    finally:
        os.umask(before)
    assert too_open(tmp_path / "home") == []


def private(home: Path) -> dict[str, object]:
    findings = json.loads(oneclient("doctor", "--home", home, "--json").stdout)["findings"]
    return next(finding for finding in findings if finding["check"] == "private")
