"""Tokens that only this home can make and read: in forms against forged requests, in addresses for what was searched.

They are encrypted and dated (Fernet). The key is ``HOME/page.key``, made at first use, the same for every process.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

KEY_FILE = "page.key"
HALF_AN_HOUR = 30 * 60
WORKING_DAY = 12 * 60 * 60


class BrokenSealError(Exception):
    """The token is not one of ours, is of another purpose, or is too old."""


class Seals:
    """Seals and opens the tokens of one home."""

    def __init__(self, home: Path) -> None:
        self.key = _key(home / KEY_FILE)

    def seal(self, purpose: str, **said: Any) -> str:
        """A token that says something for one purpose."""
        return Fernet(self.key).encrypt(json.dumps([purpose, said]).encode()).decode()

    def read(self, purpose: str, token: str, most_seconds: int) -> dict[str, Any]:
        """What a token says, and ``sealed_at`` in seconds since 1970. Raises BrokenSealError."""
        fernet = Fernet(self.key)
        try:
            found, said = json.loads(fernet.decrypt(token.encode("ascii", "replace"), ttl=most_seconds))
            sealed_at = fernet.extract_timestamp(token.encode())
        except (InvalidToken, ValueError):
            raise BrokenSealError from None
        if found != purpose:
            raise BrokenSealError
        return {**said, "sealed_at": sealed_at}


def _key(file: Path) -> bytes:
    """The key of a home; of several processes that come first at once, one makes it."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as made:
            made.write(Fernet.generate_key())
        try:
            os.link(partial, file)
        except FileExistsError:
            pass
        finally:
            partial.unlink()
        return file.read_bytes()
