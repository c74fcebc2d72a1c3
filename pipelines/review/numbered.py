"""How the Social Services References of two records are told: number and council apart, and what differs in words.

The names of what differs are those of the root-cause report (``sql/3_matched/misses.sql``).
"""

from __future__ import annotations

import re

REFERENCE = "Social Services Reference"
NONE_SENT = "none sent"

_COUNCIL = "; council: "
_PHRASES = {
    "leading zero": "a leading zero",
    "letter O for zero": "the letter O for zero",
    "suffix": "a suffix",
    "prefix": "a prefix",
}


def say_reference(reference: str | None, council: str | None) -> str:
    """``00345678; council: KENT``; without a reference ``none sent; council: KENT``, without either nothing."""
    if not council:
        return reference or ""
    return f"{reference or NONE_SENT}{_COUNCIL}{council}"


def said_apart(said: str) -> tuple[str, str]:
    """The reference and the council that ``say_reference`` told, each empty if there is none."""
    reference, label, council = said.rpartition(_COUNCIL)
    if not label:
        return said, ""
    return "" if reference == NONE_SENT else reference, council


def what_differs(one: str, other: str) -> str:
    """What two references differ by, as far as their shape tells it; empty if it does not."""
    left, right = _key(one), _key(other)
    if not left or not right or one == other:
        return ""
    found = {
        "capital or small letters": one.upper() == other.upper(),
        "a space or punctuation": left == right,
        "leading zero": left.lstrip("0") == right.lstrip("0"),
        "letter O for zero": left.replace("O", "0") == right.replace("O", "0"),
        "suffix": left.startswith(right) or right.startswith(left),
        "prefix": left.endswith(right) or right.endswith(left),
    }
    return next((what for what, is_so in found.items() if is_so), "")


def say_difference(level: str, words: str, one: str | None, other: str | None) -> str:
    """What is told of a pair that the model put on a ``level``: what differs if they are alike, else its ``words``."""
    one, other = one or "", other or ""
    if what := what_differs(one, other) if level in {"same", "slip", "near"} else "":
        return f"the same reference but for {_PHRASES.get(what, what)}"
    if level == "slip":
        return "the same reference but for several slips at once"
    if level == "near":
        crossed = sorted(_key(one)) == sorted(_key(other))
        return "references with two digits crossed" if crossed else "references that differ by one digit"
    return words


def _key(reference: str) -> str:
    return re.sub("[^A-Z0-9]", "", reference.upper())
