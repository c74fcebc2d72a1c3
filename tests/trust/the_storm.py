"""A small home, the commands that change it, what may befall them, and all that a home says of itself afterwards."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from processes import TOO_LONG_SECONDS, Ended, Processes, Running, Sky
from the_disk import Disk

from pipelines.decisions.store import open_decisions
from pipelines.fingerprint import fingerprint
from pipelines.merge.publish import FILES as PUBLISHED
from pipelines.nightly import run_night
from pipelines.review.commands import decide_tier, list_candidates
from pipelines.review.publish import _FILES as REPORTED
from pipelines.sample import make_sample
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import WarehouseBusyError, open_warehouse

SECOND = date(2026, 11, 20)
LOCK_WAIT_SECONDS = 2.0
COMMANDS = {
    "nightly": ("nightly", "--day", SECOND),
    "apply": ("merge", "apply", "--by", "Sam"),
    "undo": ("merge", "undo", "--all", "--by", "Kim"),
    "report": ("report",),
    "decide": ("decide", "--all", "likely", "--verdict", "different", "--by", "Jo", "--reason", "rang"),
}
FAULTS = (
    "killed", "disk full", "read-only", "clock back", "taken for long", "taken for a while",
    "warehouse log cut", "warehouse log damaged", "decisions log cut",
)  # fmt: skip
_OF_THE_WAREHOUSE = ("nightly", "apply", "undo", "report")
_OF_ITS_LOG = ("nightly", "apply", "undo")
_OF_THE_DECISIONS = ("nightly", "apply", "undo", "decide")
_CHECKPOINTS = {"nightly": (0, 2, 4, 6, 8), "apply": (1, 2), "undo": (1, 2)}  # at which the log is not empty
_ANY = ("nightly", "apply", "undo", "report", "decide")


@dataclass(frozen=True)
class Case:
    """One command and what befalls it, drawn from seed and number."""

    seed: int
    number: int

    @property
    def fault(self) -> str:
        return FAULTS[self.number % len(FAULTS)]

    @property
    def command(self) -> str:
        groups = {"warehouse log": _OF_ITS_LOG, "decisions log": _OF_THE_DECISIONS, "taken for": _OF_THE_WAREHOUSE}
        named = next((commands for begins, commands in groups.items() if self.fault.startswith(begins)), _ANY)
        return self.luck("command").choice(named)

    def luck(self, of: str) -> random.Random:
        return random.Random(f"{self.seed} {self.number} {of}")  # noqa: S311 - a moment, not a secret

    def __str__(self) -> str:
        return f"{self.seed}.{self.number}-{self.command}-{self.fault}".replace(" ", "_")


@dataclass(frozen=True)
class State:
    """Everything that has to be as if nothing had happened. Clock times are no part of it, but of the versions of what
    is published, which says on which day somebody decided or signed off."""

    all: str
    linked: str
    log: tuple[Any, ...]
    files: tuple[Any, ...]
    kept: tuple[tuple[str, str], ...]
    published: tuple[tuple[str, str], ...]

    def whatever_the_day(self) -> State:
        """The same, but for the day on which it was done."""
        return replace(self, published=tuple((link, "") for link, _ in self.published))


@dataclass(frozen=True)
class Undisturbed:
    """A home before a command, its state after it, how long that takes, and how much disk at most."""

    before: Path
    after: State
    seconds: float
    bytes: int


def state_of(settings: Settings) -> State:
    """The state of a home."""
    with open_warehouse(settings) as warehouse:
        files = warehouse.rows("select * exclude (landed_at) from raw.files order by all")
    with open_decisions(settings) as store:
        assert store.verify_chain() is None
        log = tuple(
            (e.kind, e.who, e.door, e.candidate_id, e.verdict, e.reason, e.evidence_hash, e.undoes, e.plan)
            for e in store.entries()
        )
    kept = [p for of in ("inbox", "archive", "quarantine") for p in (settings.home / of).rglob("[!.]*") if p.is_file()]
    return State(
        fingerprint(settings),
        fingerprint(settings, "linked"),
        log,
        tuple(map(repr, files)),
        tuple(sorted((str(p.relative_to(settings.home)), _hash(p)) for p in kept)),
        tuple((str(link.relative_to(settings.home)), link.readlink().name) for link in _links(settings)),
    )


def assert_nothing_is_lost(settings: Settings, before: Path) -> None:
    """At any moment: each delivered file is in the inbox, or its copy in archive or quarantine; and what is published
    is whole."""
    copies = {p.name for of in (settings.archive, settings.quarantine) for p in of.rglob("[!.]*")}
    for delivered in (p for p in (before / "inbox").rglob("[!.]*") if p.is_file()):
        still_there = settings.home / delivered.relative_to(before)
        assert still_there.exists() or any(_hash(delivered)[:16] in name for name in copies), delivered.name
    for link in _links(settings):
        wanted = REPORTED if link.parent == settings.reports else PUBLISHED if link.name == "current" else ()
        assert not {*wanted} - {p.name for p in link.resolve(strict=True).iterdir()}
        for table in link.glob("*.parquet"):
            pq.read_table(table)


def assert_nothing_is_left_over(settings: Settings) -> None:
    """Once a command has run to its end: nothing half done."""
    left = [p for p in settings.home.rglob("*") if p.name.endswith((".partial", ".link", ".wal"))]
    left += list(settings.scratch.rglob("*")) if settings.scratch.exists() else []
    assert not left


def decided(folder: Path, lock_wait_seconds: float = 60, second: date = SECOND) -> Settings:
    """A home after the night before ``second``, with candidates that are decided; what comes in that night lies beside
    it."""
    home, later = folder / "home", folder / "later"
    home.mkdir(parents=True)
    (home / "settings.toml").write_text(f"[warehouse]\nlock_wait_seconds = {lock_wait_seconds}\nthreads = 2\n")
    settings = load_settings(home)
    make_sample(folder / "feeds", clients=30, visits=120, nights=2, seed=5, day=second)
    inbox, first = folder / "feeds" / "inbox", second - timedelta(days=1)
    shutil.copytree(inbox / f"{first}", settings.inbox, dirs_exist_ok=True)
    run_night(settings, settings.inbox, first)
    cells = {"move_active_orders": "yes", "aliases": "keep"}
    decide_tier(settings, "near-certain", verdict="same", who="ann", reason="looked", cells=cells)
    later.mkdir()
    for feed in ("careplan_roster_visits", "kent_purchase_orders"):
        shutil.copy(inbox / f"{second}" / f"{feed}_{second:%Y%m%d}.csv", later)
    (later / "brought_by_hand.csv").write_text("nobody,knows\n1,2\n")
    open_ones = [c.candidate_id for c in list_candidates(settings, None) if not c.settled]
    said = "".join(f"{candidate},unsure,Ivy,\n" for candidate in open_ones)
    (later / "ivy_decisions.csv").write_text(f"candidate_id,verdict,by,reason\n{said}")
    return settings


def undisturbed_homes(folder: Path, processes: Processes, disk: Disk) -> dict[str, Undisturbed]:
    """Each command as it goes when nothing goes wrong."""
    home = decided(folder / "decided", LOCK_WAIT_SECONDS).home
    merged = load_settings(shutil.copytree(home, folder / "merged", symlinks=True))
    assert processes.run(*COMMANDS["apply"], "--home", merged.home).code == 0
    delivered = shutil.copytree(merged.home, folder / "delivered", symlinks=True)
    deliver_later(load_settings(delivered), folder / "decided")
    homes = {"nightly": delivered, "apply": home, **dict.fromkeys(("undo", "report", "decide"), merged.home)}
    return {
        command: _undisturbed(command, before, folder / f"after-{command}", processes, disk)
        for command, before in homes.items()
    }


def deliver_later(settings: Settings, folder: Path) -> None:
    """What comes in for the second night is put into the inbox: orders, visits, decisions, and what nobody can read."""
    for file in sorted((folder / "later").iterdir()):
        shutil.copy(file, settings.inbox)


def befall(case: Case, home: Path, told: Undisturbed, processes: Processes, disk: Disk) -> Ended:
    """Run the command of a case, and let its fault befall it. The fault is over when this ends."""
    luck = case.luck("fault")
    run = partial(processes.run, *COMMANDS[case.command], "--home", home)
    moment = luck.uniform(0, told.seconds)
    match case.fault:
        case "killed":
            ended = run(kill_after=moment)
        case "disk full":
            with disk.full_after(int(luck.uniform(0, told.bytes))) as sky:
                ended = run(sky=sky)
        case "read-only":
            parts = ("", "archive", "inbox", "quarantine", "reports", "reports/.versions", "published")
            with disk.read_only(home / luck.choice([part for part in parts if (home / part).exists()])):
                ended = run()
        case "clock back":
            ended = run(sky=Sky(clock_off_hours=-luck.uniform(0, 100)))
        case "taken for long" | "taken for a while":
            running = processes.start(*COMMANDS[case.command], "--home", home)
            time.sleep(moment * 0.8)
            a_while = LOCK_WAIT_SECONDS / 8 if case.fault == "taken for a while" else TOO_LONG_SECONDS
            ended = _taken(load_settings(home), running, a_while)
        case "warehouse log cut" | "warehouse log damaged":
            ended = run(sky=Sky(killed_at_checkpoint=luck.choice(_CHECKPOINTS[case.command])))
            (_cut if case.fault == "warehouse log cut" else _damage)(home / "oneclient.duckdb.wal", luck)
        case "decisions log cut":
            ended = _decisions_cut(home, luck, partial(run, kill_after=moment))
    return ended


def _undisturbed(command: str, before: Path, after: Path, processes: Processes, disk: Disk) -> Undisturbed:
    home = shutil.copytree(before, after, symlinks=True)
    used = most = disk.used()
    running = processes.start(*COMMANDS[command], "--home", home)
    while not running.ended_within(0):
        most = max(most, disk.used())
    ended = running.wait()
    assert (ended.code, ended.complained) == (0, "")
    assert_nothing_is_left_over(load_settings(home))
    needs = most - used if disk.is_real else 2 * (home / "oneclient.duckdb").stat().st_size
    return Undisturbed(before, state_of(load_settings(home)), ended.seconds, needs)


def _taken(settings: Settings, running: Running, seconds: float) -> Ended:
    """Somebody else takes the warehouse between two of a command's steps, for so long or until it gives up."""
    has_been_taken = False
    while not (has_been_taken or running.ended_within(0)):
        with suppress(WarehouseBusyError), open_warehouse(settings):
            has_been_taken = True
            running.ended_within(seconds)
    return running.wait()


def _decisions_cut(home: Path, luck: random.Random, killed: Callable[[], Ended]) -> Ended:
    """Somebody looks at the decisions all the while, so that their log is not put away; then its end is lost."""
    store = home / "decisions.sqlite"
    log = store.with_name("decisions.sqlite-wal")
    with closing(sqlite3.connect(store)) as somebody:
        somebody.execute("select count(*) from entries").fetchall()
        ended = killed()
        found = [(file, file.read_bytes()) for file in (store, log) if file.exists()]
    for file, content in found:
        file.write_bytes(content)
    store.with_name("decisions.sqlite-shm").unlink(missing_ok=True)
    if log.exists():
        _cut(log, luck)
    return ended


def _cut(log: Path, luck: random.Random) -> None:
    os.truncate(log, luck.randrange(log.stat().st_size + 1))


def _damage(log: Path, luck: random.Random) -> None:
    content = bytearray(log.read_bytes())
    content[luck.randrange(len(content))] ^= 0b0101_0101
    log.write_bytes(content)


def _links(settings: Settings) -> list[Path]:
    found = [
        *settings.reports.glob("????-??-??"),
        *settings.published.glob("current"),
        *settings.published.glob("plans/*"),
    ]
    return sorted(link for link in found if link.is_symlink())


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
