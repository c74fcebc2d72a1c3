"""Decisions that come by the inbox: every ``*decisions*.xlsx`` or ``.csv`` in it is handed back by the night."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pipelines.ingest.archive import as_it_is
from pipelines.ingest.discover import name_of
from pipelines.ingest.refusal import FileRefusedError
from pipelines.private import make_folder, whole_file
from pipelines.review.handback import HandBack, hand_back
from pipelines.review.published import NoReportError
from pipelines.sealing import seal_again, sealed_name, sealing
from pipelines.settings import Settings
from pipelines.troubles import TROUBLES, KnownError

log = logging.getLogger(__name__)


@dataclass
class TakenIn:
    """What the files of one night brought: counts only."""

    files: int = 0
    recorded: int = 0
    repeated: int = 0
    refused: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON and XCom."""
        return asdict(self)


def take_in(settings: Settings, path: Path, day: date, taken: TakenIn) -> None:
    """Hand back one file of the inbox, keep it in the archive, and set what was refused aside with its reasons.

    The inbox file goes last, and twice is once, so a crash on the way does no harm. One that is still being written is
    left for the next night.
    """
    before = path.stat()
    with path.open("rb") as file:
        name = f"decisions-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
    suffix = path.suffix.lower()
    key = settings.key
    refused_copy = settings.quarantine / f"{name}.refused{suffix}"
    try:
        found = hand_back(settings, path, door="inbox", refused_copy=refused_copy)
        whole = None
    except (FileRefusedError, NoReportError) as error:
        found, whole = HandBack(), error
    if (path.stat().st_size, path.stat().st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        return
    if whole:
        _keep(path, sealed_name(refused_copy, key), key)
    elif key and refused_copy.exists():
        seal_again(refused_copy, None, key)
    if whole or found.refused:
        _note(sealed_name(refused_copy, key), f"{name}.refused.reason.json", path, day, whole, found)
    if not whole:
        _keep(path, sealed_name(settings.archive / "decisions" / f"{name}{suffix}", key), key)
    path.unlink()
    taken.files += 1
    taken.recorded += len(found.sequence_numbers)
    taken.repeated += found.repeated
    taken.refused += len(found.refused) + bool(whole)
    log.info("%s: %d decisions recorded, %d rows refused", name, len(found.sequence_numbers), len(found.refused))


def _keep(path: Path, copy: Path, key: SecretStr | None) -> None:
    make_folder(copy.parent)
    with whole_file(copy) as file, sealing(file, key) as out:
        as_it_is(path)(out)


def _note(copy: Path, name: str, path: Path, day: date, whole: KnownError | None, found: HandBack) -> None:
    trouble = whole.trouble if whole else TROUBLES["F15"]
    note = {
        "file_name": name_of(path),
        "night": day.isoformat(),
        "reason": str(whole or "Some rows were refused: correct them in the copy and put it into the inbox again."),
        "code": trouble.code,
        "see": trouble.see,
        "rows": [asdict(one) for one in found.refused],
        "copy": copy.name,
    }
    copy.with_name(name).write_text(json.dumps(note, indent=2, ensure_ascii=False) + "\n", "utf-8")
