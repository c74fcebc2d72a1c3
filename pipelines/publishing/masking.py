"""Values that may leave the building: enough of each stays to recognise it by, not enough to know it.

Names keep their first letter, dates their year, numbers their last two or three characters, addresses the postcode's
outward part. Equal values stay equal.
"""

from __future__ import annotations

import re

HIDDEN = "•••"

_OF_A_FEED = frozenset(("purchase", "orders", "roster", "clients", "visits", "enrolments", "csv", "xlsx"))
_POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][A-Z0-9]?)\s*[0-9][A-Z]{2}\b", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")
_DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/. ](?:\d\d?|[A-Za-z]{3,9})[-/. ]\d{4}")
_BIRTH = re.compile(r"birth|born|date", re.IGNORECASE)
_ADDRESS = re.compile(r"address|home|postcode", re.IGNORECASE)
# An issuer's name, then perhaps the kind of the number. More than two digits in a row are no name but a number.
_ISSUED = re.compile(
    r"(?P<issuer>[^\W\d_](?:[^\W\d]|[.-]|(?<!\d)\d{1,2}(?!\d))*[/: ]\s*"
    r"(?:(?:reference|order|social.services.reference|roster.client.id|nhs.number)[/: ]\s*)?)?"
    r"(?P<number>.*)",
    re.IGNORECASE | re.DOTALL,
)


def mask_value(field: str, value: str) -> str:
    """What may be seen of one value of ``field``. An empty value stays empty."""
    if not value.strip():
        return value
    if _ADDRESS.search(field):
        postcode = _POSTCODE.search(value)
        return f"{HIDDEN} {postcode[1].upper()} {HIDDEN}" if postcode else HIDDEN
    if _BIRTH.search(field) or _DATE.fullmatch(value.strip()):
        year = _YEAR.search(value)
        return f"{HIDDEN} {year[0]}" if year else HIDDEN
    if 2 * sum(c.isdigit() for c in value) >= sum(c.isalnum() for c in value):
        return mask_number(value)
    return " ".join(mask_word(word) for word in value.split())


def mask_reference(reference: str) -> str:
    """A reference with its issuer kept: ``KENT/reference/00123456`` becomes ``KENT/reference/•••456``."""
    issued = _ISSUED.fullmatch(reference)
    issuer, number = (issued["issuer"] or "", issued["number"]) if issued else ("", reference)
    return issuer + mask_number(number) if number else mask_number(reference)


def mask_file_name(name: str) -> str:
    """A file's name of which only the feed and the ending are kept: whoever named it may have named a client, too."""
    return re.sub(r"[^\W_]+", lambda word: word[0] if word[0].casefold() in _OF_A_FEED else mask_word(word[0]), name)


def mask_word(word: str) -> str:
    """One word: its first letter, or the end of a number."""
    if any(c.isdigit() for c in word):
        return mask_number(word)
    return next((c for c in word if c.isalnum()), "") + HIDDEN


def mask_number(number: str) -> str:
    """The more digits, the more of the end may be seen; of fewer than five, nothing."""
    digits = sum(c.isdigit() for c in number)
    kept = 3 if digits >= 8 else 2 if digits >= 5 else 0
    characters = [c for c in number if c.isalnum()]
    return HIDDEN + "".join(characters[len(characters) - kept :])
