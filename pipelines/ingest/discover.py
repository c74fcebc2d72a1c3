"""What lies in the inbox for a night."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

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
    Raises FileNotFoundError when there is no such inbox.
    """
    if not inbox.is_dir():
        raise FileNotFoundError("There is no such inbox folder. Make it, or name another with --inbox.")
    folders = [inbox, *sorted(f for f in inbox.iterdir() if f.is_dir() and _is_due(f.name, day))]
    return [
        Delivery(hashlib.sha256(str(path.relative_to(inbox)).encode()).hexdigest()[:16], path)
        for folder in folders
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in _STILL_WRITTEN
    ]


def find_delivery(inbox: Path, day: date, delivery_id: str) -> Path | None:
    """The file that a delivery id stands for, or None when it was landed in the meantime."""
    return next((d.path for d in discover(inbox, day) if d.delivery_id == delivery_id), None)


def _is_due(folder: str, day: date) -> bool:
    try:
        return date.fromisoformat(folder) <= day
    except ValueError:
        return False
