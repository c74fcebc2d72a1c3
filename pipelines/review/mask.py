"""A report that may leave the building: enough of each value stays to recognise it by, not enough to know it.

Names keep their first letter, dates their year, numbers their last two or three characters, addresses the postcode's
outward part. Equal values stay equal; the agreement, the words and the weights stay as they were.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pipelines.review.contents import Candidate, Comparison, Confusion, Miss, Report, Side

HIDDEN = "•••"

_POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][A-Z0-9]?)\s*[0-9][A-Z]{2}\b", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")
_DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/. ](?:\d\d?|[A-Za-z]{3,9})[-/. ]\d{4}")
_BIRTH = re.compile(r"birth|born|date", re.IGNORECASE)
_ADDRESS = re.compile(r"address|home|postcode", re.IGNORECASE)
_WORD = re.compile(r"[^\s,;:()\"“”‘]+")
# An issuer's name, then perhaps the kind of the number. More than two digits in a row are no name but a number.
_ISSUED = re.compile(
    r"(?P<issuer>[^\W\d_](?:[^\W\d]|[.-]|(?<!\d)\d{1,2}(?!\d))*[/: ]\s*"
    r"(?:(?:reference|order|social.services.reference|roster.client.id|nhs.number)[/: ]\s*)?)?"
    r"(?P<number>.*)",
    re.IGNORECASE | re.DOTALL,
)


def mask_report(report: Report) -> Report:
    """The same report with every client's values and references masked."""
    return replace(
        report,
        candidates=tuple(_mask_candidate(candidate) for candidate in report.candidates),
        misses=tuple(_mask_miss(miss) for miss in report.misses),
        confusions=tuple(_mask_confusion(confusion) for confusion in report.confusions),
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
        return _mask_number(value)
    return " ".join(_mask_word(word) for word in value.split())


def mask_reference(reference: str) -> str:
    """A reference with its issuer kept: ``KENT/reference/00123456`` becomes ``KENT/reference/•••456``."""
    issued = _ISSUED.fullmatch(reference)
    issuer, number = (issued["issuer"] or "", issued["number"]) if issued else ("", reference)
    return issuer + _mask_number(number) if number else _mask_number(reference)


def _mask_candidate(candidate: Candidate) -> Candidate:
    said = {word for c in candidate.comparisons for value in (c.left, c.right) for word in _words_of(value)}
    return replace(
        candidate,
        relation=_mask_words(candidate.relation, said),
        left=_mask_side(candidate.left),
        right=_mask_side(candidate.right),
        comparisons=tuple(_mask_comparison(comparison, said) for comparison in candidate.comparisons),
    )


def _mask_miss(miss: Miss) -> Miss:
    return replace(
        miss,
        sent_ref=mask_reference(miss.sent_ref),
        held_ref=mask_reference(miss.held_ref),
        sent_reference=miss.sent_reference and _mask_number(miss.sent_reference),
        held_reference=miss.held_reference and _mask_number(miss.held_reference),
        correction=_mask_words(miss.correction, _words_of(f"{miss.sent_reference} {miss.held_reference}")),
    )


def _mask_confusion(confusion: Confusion) -> Confusion:
    return replace(
        confusion,
        number=_mask_number(confusion.number),
        left_ref=mask_reference(confusion.left_ref),
        right_ref=mask_reference(confusion.right_ref),
    )


def _mask_comparison(comparison: Comparison, said: set[str]) -> Comparison:
    return replace(
        comparison,
        left=mask_value(comparison.field, comparison.left),
        right=mask_value(comparison.field, comparison.right),
        words=_mask_words(comparison.words, said),
    )


def _mask_side(side: Side) -> Side:
    return replace(
        side,
        client_ref=mask_reference(side.client_ref),
        references=tuple(mask_reference(reference) for reference in side.references),
    )


def _words_of(value: str) -> set[str]:
    """The words of a value that would give it away in a sentence: those with a capital or a digit."""
    return {word for word in _WORD.findall(value) if len(word) > 1 and any(c.isupper() or c.isdigit() for c in word)}


def _mask_words(words: str, said: set[str]) -> str:
    """An explanation such as "Peggy is short for Margaret", where it repeats what the records say."""
    return _WORD.sub(lambda word: _mask_word(word[0]) if word[0].strip(".!?’") in said else word[0], words)


def _mask_word(word: str) -> str:
    if any(c.isdigit() for c in word):
        return _mask_number(word)
    return next((c for c in word if c.isalnum()), "") + HIDDEN


def _mask_number(number: str) -> str:
    """The more digits, the more of the end may be seen; of fewer than five, nothing."""
    digits = sum(c.isdigit() for c in number)
    kept = 3 if digits >= 8 else 2 if digits >= 5 else 0
    characters = [c for c in number if c.isalnum()]
    return HIDDEN + "".join(characters[len(characters) - kept :])
