"""Text that somebody else sent, fit to be shown: what turns or hides the letters beside it is named, not obeyed."""

from __future__ import annotations

import re

# Unicode's format characters (category Cf): marks of direction, signs of no width, tags; and control characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0001-\U000e007f]"
)


def legible(text: str) -> str:
    """The text with each unseen character named: a mark that turns the direction round becomes ``‹U+202E›``."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(_named, text.replace("\r\n", "\n"))


def _named(found: re.Match[str]) -> str:
    return f"‹U+{ord(found[0]):04X}›"
