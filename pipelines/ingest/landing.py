"""What became of one delivered file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["loaded", "repeated", "quarantined", "waiting"]


@dataclass(frozen=True)
class Landing:
    """What became of one delivered file. ``file_id`` comes from its content, so the same file is the same id.

    ``code`` says why a quarantined file was refused (``docs/errors.md``);
    ``repeated`` files were loaded before; ``waiting`` files are still being written and are taken next time.
    """

    file_id: int
    content_hash: str
    source: str
    feed: str
    issuer: str
    status: Status
    reason: str | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    left_in_inbox: bool = False
    code: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON and XCom: no file name, no cell."""
        return asdict(self)
