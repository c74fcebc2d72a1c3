"""One check, and the words in which it is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and if it is not well, what to do next."""

    check: str
    well: bool
    found: str
    next: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
