"""What can be seen of a home without opening its stores: its files, its disk, its settings, who is at work."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pipelines.decisions.two_persons import SWITCHED_OFF
from pipelines.doctor.finding import Finding
from pipelines.match.models import load_model
from pipelines.match.spark.submit import spark_submit
from pipelines.private import too_open
from pipelines.settings import Settings, SettingsError
from pipelines.sources import load_sources

LEAST_DISK_BYTES = 2_000_000_000
NIGHT_BY_WAREHOUSE = 2.5  # what may spill while a night works, by the size of the warehouse: docs/capacity.md
_PASSING = (".partial", ".link", ".restoring")
_SHOWN = 5
_AN_HOUR, _A_DAY = 3_600, 86_400  # how long nobody has touched what is taken for left over; in scratch/, a day


def _sources(settings: Settings) -> Finding:
    try:
        return Finding("source mappings", True, f"{len(load_sources(settings.sources))} mappings can be read")
    except SettingsError as error:
        return Finding("source mappings", False, str(error), "Correct the mapping in HOME/sources.")


def _writable(settings: Settings) -> Finding:
    """Asked of the folders and the files that a night writes, not by writing: nothing of it may be in the way."""
    home = settings.home
    kept = [home, *(path for path in home.iterdir() if not path.name.endswith((".turn", *_PASSING)))]
    shut = sorted(path.name for path in kept if not os.access(path, os.R_OK | os.W_OK))
    return Finding(
        "writable", not shut, f"{len(shut)} parts of the home cannot be written{_named(shut)}",
        "Make the disk writable, or give this user the home: sudo chown -R $USER HOME. Nothing runs until then.",
    )  # fmt: skip


def _disk(settings: Settings) -> Finding:
    """Room for a backup beside the home, which is never larger, and for what a night spills."""
    free = shutil.disk_usage(settings.home).free
    warehouse = settings.database.stat().st_size if settings.database.exists() else 0
    home = _size(settings.home)
    needed = max(LEAST_DISK_BYTES, home + NIGHT_BY_WAREHOUSE * warehouse)
    return Finding(
        "disk", free >= needed,
        f"{free / 1e9:,.1f} GB free; the home takes {home / 1e9:,.1f} GB, a backup beside it and a night up to "
        f"{needed / 1e9:,.1f} GB",
        "Free some disk before the next night, or keep backups on another disk. [retention] lets go what is old.",
    )  # fmt: skip


def _private(settings: Settings) -> Finding:
    """Whether others than their owner have a right to what oneclient keeps; what people deliver keeps its own."""
    people_write = {settings.inbox, settings.sources, settings.home / "settings.toml"}
    found = too_open(settings.home, people_write)
    return Finding(
        "private", not found, f"{len(found)} paths in the home are open to others than their owner",
        f"Run: chmod -R go= {shlex.quote(str(settings.home))}",
    )  # fmt: skip


def _model(settings: Settings) -> Finding:
    try:
        model = load_model(settings)
    except SettingsError as error:
        return Finding("model", False, str(error), "Run: oneclient train")
    return Finding("model", True, f"model {model.version}" if model else "none yet: the first night trains one")


def spark() -> Finding:
    """Whether Spark, where it is the engine of matching, can be started."""
    try:
        return Finding("spark", True, f"{spark_submit()}")
    except SettingsError as error:
        return Finding("spark", False, "the engine of matching is Spark, which cannot be started", str(error))


def _quarantine(settings: Settings) -> Finding:
    notes = len(list(settings.quarantine.glob("*.reason.json")))
    found = f"{notes} files in quarantine"
    return Finding("quarantine", notes == 0, found, "Read the .reason.json beside each, act on it, and delete both.")


def _two_persons(settings: Settings) -> Finding:
    on = settings.decisions.two_persons
    return Finding("two persons", True, "approver and executor of a merge are two" if on else SWITCHED_OFF)


def _at_work(settings: Settings) -> Finding:
    """Who has a turn (``pipelines/turns.py``). One that is killed lets go of it, so a turn file is never in the way."""
    taken = [f"{name} (process {process})" for name, process in turns_taken(settings)]
    found = f"at work: {', '.join(taken)}" if taken else "nobody lands files or publishes now"
    return Finding("turns", True, f"{found}; turn files may stay where they are")


def _left_over(settings: Settings) -> Finding:
    """What a killed process left half done, and nobody needs."""
    if turns_taken(settings):
        return Finding("leftovers", True, "somebody is at work: run doctor again when nobody is")
    left = sorted(_passing(settings))
    size = sum(map(_size, left)) / 1e6
    names = " ".join(shlex.quote(str(path)) for path in left[:_SHOWN])
    return Finding(
        "leftovers", not left, f"{len(left)} files and folders that a killed process left half done, {size:,.1f} MB",
        f"Nothing needs them. When no command runs on this home: rm -r {names}{' …' if len(left) > _SHOWN else ''}",
    )  # fmt: skip


def turns_taken(settings: Settings) -> list[tuple[str, str]]:
    """The turns that processes have now: what for, and the process, as far as the system tells."""
    found = []
    for file in sorted(settings.home.glob(".*.turn")):
        with file.open("rb") as turn:
            try:
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                found.append((file.name.strip(".").removesuffix(".turn"), _holder(os.fstat(turn.fileno()).st_ino)))
    return found


def _holder(inode: int) -> str:
    """The number of the process that holds a lock on a file; Linux tells it."""
    locks = Path("/proc/locks")
    for line in locks.read_text().splitlines() if locks.exists() else ():
        words = line.split()
        if words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
            return words[4]
    return "unknown"


def _passing(settings: Settings) -> Iterator[Path]:
    """What publishing, rewriting, restoring and DuckDB leave when they are killed, and nobody has touched since."""
    beside = settings.home.parent.glob(f".{settings.home.name}.restoring")
    yield from (path for path in beside if _untouched(path, _AN_HOUR))
    for above, folders, files in os.walk(settings.home):
        folder = Path(above)
        folders[:] = [name for name in folders if folder / name not in {settings.inbox, settings.scratch}]
        passing = [name for name in (*folders, *files) if name.endswith(_PASSING)]
        yield from (folder / name for name in passing if _untouched(folder / name, _AN_HOUR))
        folders[:] = [name for name in folders if name not in passing]
    in_scratch = settings.scratch.iterdir() if settings.scratch.exists() else ()
    yield from (path for path in in_scratch if _untouched(path, _A_DAY))


def _untouched(path: Path, seconds: float) -> bool:
    """Whether nobody has written to a file, or to anything in a folder, for so long."""
    try:
        return all(time.time() - one.lstat().st_mtime > seconds for one in (path, *path.rglob("*")))
    except FileNotFoundError:
        return False


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; what goes away meanwhile counts nothing."""
    if path.is_symlink() or path.is_file():
        return path.lstat().st_size
    found = 0
    for above, _, files in os.walk(path):
        for name in files:
            try:
                found += (Path(above) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return found


def _named(names: list[str]) -> str:
    return f": {', '.join(names[:_SHOWN])}{' …' if len(names) > _SHOWN else ''}" if names else ""


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    _sources, _writable, _disk, _private, _model, _quarantine, _two_persons, _at_work, _left_over,
)  # fmt: skip
