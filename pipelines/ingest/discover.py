"""What lies in the inbox for a night."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatch
from pathlib import Path

from pipelines.ingest.spoken import name_key
from pipelines.troubles import NotThereError

_USUAL = {
    ".csv", ".txt", ".tsv", ".tab", ".dat", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".doc", ".docx", ".pdf", ".zip",
    ".gz", ".7z", ".json", ".xml", ".html", ".eml", ".msg", ".parquet",
}  # fmt: skip
HAND_BACKS = ("*decisions*.xlsx", "*decisions*.csv")
_STILL_WRITTEN = {".part", ".partial", ".tmp", ".crdownload", ".filepart"}


@dataclass(frozen=True)
class Delivery:
    """One file to land. ``delivery_id`` stands for its place in the inbox, so that no file name travels in XCom."""

    delivery_id: str
    path: Path


def discover(inbox: Path, day: date) -> list[Delivery]:
    """The files to land on the night of ``day``, in a fixed order.

    A file in the inbox itself is for the next night that runs; one in a dated folder (``inbox/2026-11-20/``) waits for
    that night, so that nights can be backfilled. Hidden files and those with a name for unfinished transfers are left.
    What is no plain file (a link, a pipe, a device) is among them, so that it is told; ``land_file`` never opens it.
    Raises FileNotFoundError when there is no such inbox.
    """
    if not inbox.is_dir():
        raise NotThereError("There is no such inbox folder. Make it, or name another with --inbox.")
    folders = [inbox, *sorted(f for f in inbox.iterdir() if _is_folder(f) and _is_due(f.name, day))]
    return [
        Delivery(hashlib.sha256(os.fsencode(path.relative_to(inbox))).hexdigest()[:16], path)
        for folder in folders
        for path in sorted(folder.iterdir(), key=lambda path: name_key(name_of(path)))
        if not _is_folder(path) and not path.name.startswith(".") and path.suffix.lower() not in _STILL_WRITTEN
    ]


@dataclass(frozen=True)
class FileState:
    """Which file is at a path, and in which state: another file of the same name and size has another inode or time."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def state_of(path: Path) -> FileState:
    """The state of a file now. Raises OSError when it is gone."""
    now = path.lstat()
    return FileState(now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)


def is_plain_file(path: Path) -> bool:
    """Whether it may be opened: a link could lead out of the inbox, and a pipe would be waited on for ever.

    Raises OSError when it is gone.
    """
    return stat.S_ISREG(path.lstat().st_mode)


def is_hand_back(path: Path) -> bool:
    """Whether a plain file of the inbox holds decisions that were handed back, by its name. It is not landed."""
    return is_plain_file(path) and any(fnmatch(path.name.lower(), pattern) for pattern in HAND_BACKS)


def name_of(path: Path) -> str:
    """The file's name as text that can be kept; bytes that are no UTF-8 are shown as such."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def kept_suffix(path: Path) -> str:
    """The ending under which a copy of the file is kept: a usual one, or none, for what follows a dot may be a name."""
    suffix = path.suffix.lower()
    return suffix if suffix in _USUAL else ""


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_due(folder: str, day: date) -> bool:
    try:
        return date.fromisoformat(folder) <= day
    except ValueError:
        return False
