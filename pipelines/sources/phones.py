"""Several telephone numbers in one cell, taken apart: the first landline, and the first mobile."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.sources.full_names import Parts

MORE_NUMBERS = "more telephone numbers than there are fields for"
NOT_THEIR_OWN = "a telephone number of another person"

_BETWEEN = re.compile(r"[/;,|&\r\n]+|\s(?:or|and)\s|\s{3,}", re.I)
_OTHERS = re.compile(
    r"\b(son|daughter|wife|husband|partner|mum|mother|dad|father|sister|brother|niece|nephew|neighbour|friend|nok|gp|"
    r"next of kin|carer|warden|office|work)\b",
    re.I,
)
_MOBILE = re.compile(r"(?:\+?44|0044|0)?7\d{9}")
_NUMBER = re.compile(r"(?:(?:\+|00)44[\s().-]*(?:\(0\))?|\(?0)(?:[\s().-]*\d){9,10}(?!\d)")


def split_phones(cells: Sequence[str], fields: Sequence[str]) -> list[Parts]:
    """Each cell of a column (distinct, filled) taken apart into the numbers that ``fields`` (phone, mobile) can hold.

    A cell without a number that can be told stays whole in the first field. Where a number has no field, or is another
    person's, the cell is not read for the field that is left.
    """
    return [_split(cell, fields) for cell in cells]


def numbers_in(cell: str) -> int:
    """How many telephone numbers a cell holds."""
    return len(_NUMBER.findall(cell))


def _split(cell: str, fields: Sequence[str]) -> Parts:
    pieces = [piece for piece in _BETWEEN.split(cell) if _NUMBER.search(piece)]
    if not pieces:
        return Parts({fields[0]: cell.strip()})
    own = [number.strip() for piece in pieces if not _OTHERS.search(piece) for number in _NUMBER.findall(piece)]
    parts: dict[str, str] = {}
    rest = []
    for number in dict.fromkeys(own):
        wanted = "mobile" if _MOBILE.fullmatch(re.sub(r"[^\d+]", "", number)) else "phone"
        if wanted in fields and wanted not in parts:
            parts[wanted] = number
        else:
            rest.append(number)
    for number in rest:
        if free := next((name for name in fields if name not in parts), None):
            parts[free] = number
    reason = NOT_THEIR_OWN if any(map(_OTHERS.search, pieces)) else None
    if len(set(own)) > len(parts):
        reason = MORE_NUMBERS
    if reason is None:
        return Parts(parts)
    about = next((name for name in fields if name not in parts), fields[-1])
    parts.pop(about, None)
    return Parts(parts, reason, about)
