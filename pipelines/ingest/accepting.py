"""``oneclient accept``: a person says that a held file is right, and it goes back into the inbox."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.private import whole_file
from pipelines.sealing import is_sealed, unseal
from pipelines.settings import Settings
from pipelines.troubles import AlreadyThereError, KnownError
from pipelines.turns import my_turn
from pipelines.warehouse import open_warehouse

ACCEPTABLE = {"F21": "it lacks too many records", "F22": "it would create too many clients"}
"""The reasons for which a file is held until a person accepts it."""


class NotAcceptableError(KnownError):
    """The named file is not held, or for a reason that accepting it does not mend."""

    code = "F23"


@dataclass(frozen=True)
class Accepted:
    """A held file that was accepted; ``inbox_file`` is where it lies until the next nightly run loads it."""

    content_hash: str
    code: str
    accepted_by: str
    reason: str
    inbox_file: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def accept_file(settings: Settings, named: str, *, who: str, reason: str, inbox: Path) -> Accepted:
    """Record that a person accepts a held file, and put it back into the inbox. Accepting it again changes nothing.

    ``named`` is its name, the first letters of its hash (six at least), or a path in quarantine. Raises
    NotAcceptableError.
    """
    with my_turn(settings.archive):
        note = _find_note(settings, named)
        code = str(note.get("code"))
        if code not in ACCEPTABLE:
            raise NotAcceptableError(
                f"The file was refused because of {code}, which accepting it does not mend: {note.get('reason')}"
            )
        copy = settings.quarantine / str(note["copy"])
        if not copy.exists():
            raise NotAcceptableError("Its copy in quarantine is gone. Put the file into the inbox again yourself.")
        target = inbox / Path(str(note["file_name"])).name
        if target.exists():
            raise AlreadyThereError(f"{target} is there already. Move it away, or let the next nightly run load it.")
        inbox.mkdir(parents=True, exist_ok=True)
        waiting = target.with_name(f".{target.name}.accepted")  # hidden, until the acceptance is recorded
        waiting.unlink(missing_ok=True)
        _restore(copy, waiting, settings)
        accepted = Accepted(str(note["content_hash"]), code, who, reason, str(target))
        with open_warehouse(settings) as warehouse, warehouse.transaction():
            warehouse.execute(
                "insert into raw.accepted_files"
                " values ($content_hash, $copy_hash, $source, $code, $accepted_by, $reason, $accepted_at)",
                {
                    "content_hash": accepted.content_hash,
                    "copy_hash": _hash(waiting),
                    "source": note.get("source"),
                    "code": code,
                    "accepted_by": who,
                    "reason": reason,
                    "accepted_at": datetime.now(UTC),
                },
            )
        waiting.rename(target)
    return accepted


def _find_note(settings: Settings, named: str) -> dict[str, Any]:
    """The newest note in quarantine on a file of that name, hash or path. Raises NotAcceptableError."""
    found = []
    for path in sorted(settings.quarantine.glob("*.reason.json")):
        note = json.loads(path.read_text("utf-8"))
        stem = path.name.removesuffix(".reason.json")
        file = Path(named).name
        by_hash = len(named) >= 6 and str(note.get("content_hash", "")).startswith(named.lower())
        if note.get("file_name") in {named, file} or by_hash or file == stem or file.startswith(f"{stem}."):
            found.append((note.get("night", ""), path.stat().st_mtime_ns, note))
    if not found:
        raise NotAcceptableError(
            "No file of that name, hash or path is in quarantine. HOME/quarantine holds the held files, each with its "
            "reason beside it."
        )
    return dict(max(found, key=lambda one: one[:2])[2])


def _restore(copy: Path, target: Path, settings: Settings) -> None:
    if settings.key and is_sealed(copy):
        unseal(copy, target, settings.key)
        return
    with copy.open("rb") as kept, whole_file(target) as file:
        file.write(kept.read())


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
