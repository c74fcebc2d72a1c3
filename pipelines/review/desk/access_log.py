"""Who saw whose personal data: one line of JSON for each look, appended to ``HOME/access/YYYY-MM.jsonl``.

A line is kept before anything is shown: when it cannot be written, nothing is shown. It holds ids, never values.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

FOLDER = "access"
Act = Literal["reveal", "look", "search by name", "open by two refs"]


def record_access(home: Path, who: str, act: Act, ids: Iterable[str]) -> None:
    """Append one line. ``ids``: the candidates or clusters that were shown or found. Raises OSError."""
    now = datetime.now(UTC)
    line = {"at": now.isoformat(timespec="milliseconds"), "who": who, "act": act, "ids": sorted(ids)}
    folder = home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    file = os.open(folder / f"{now:%Y-%m}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.write(file, (json.dumps(line) + "\n").encode())
        os.fsync(file)
    finally:
        os.close(file)


def read_accesses(home: Path) -> list[dict[str, Any]]:
    """Every line, oldest first."""
    files = sorted((home / FOLDER).glob("????-??.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
