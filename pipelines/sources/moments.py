"""A date and a time of day in one cell, taken apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipelines.feeds import FEEDS
from pipelines.sources.full_names import Parts

_CLOCK = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?(?:\s?[ap]\.?m\.?)?|\d{1,2}\s?[ap]\.?m\.?|\d{4}(?=h|hrs)"
_TIME = rf"(?P<time>{_CLOCK})(?:\s*(?:hrs?|h))?"
_DATE_FIRST = re.compile(rf"(?P<date>\S.*?\d.*?)(?:T|\s*,\s*|\s+at\s+|\s+-\s+|\s+){_TIME}", re.IGNORECASE)
_TIME_FIRST = re.compile(rf"{_TIME}(?:\s*,\s*|\s+on\s+|\s+-\s+|\s+)(?P<date>\S.*\d.*)", re.IGNORECASE)
_WITH_ZONE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d:?\d\d)", re.IGNORECASE)
_SERIAL = re.compile(r"\d{5}\.\d+")
_WEEKDAY = re.compile(r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+", re.IGNORECASE)
_A_DATE = re.compile(
    r"\d{1,4}[/.\- ]\d{1,2}[/.\- ]\d{1,4}|\d{8}|[a-z]{3,9} \d{1,2},? \d{4}"
    r"|\d{1,2}(?:st|nd|rd|th)?[ /-][a-z]{3,9}[ /-]?,?\s?\d{2,4}",
    re.IGNORECASE,
)
_MIDNIGHT = re.compile(r"0{1,2}[:.]00([:.]00([.,]0+)?)?")
_HERE = ZoneInfo("Europe/London")
_TIMES = frozenset(field.name for feed in FEEDS.values() for field in feed.fields if field.type == "time")


def split_moments(cells: Sequence[str], fields: Sequence[str]) -> list[Parts]:
    """Each cell of a column (distinct, filled) taken apart into a date and a time, as ``fields`` are called.

    A field alone gets its part, and the other part is not wanted.
    A cell that has no time of its own stays a date whole, so that it is read as one, or counted as unread. Where every
    cell has midnight, the column has no times. A time with a zone is turned into the time in the UK.
    """
    pairs = [_split(" ".join(cell.split())) for cell in cells]
    no_times = all(not time or _MIDNIGHT.fullmatch(time) for _, time in pairs)
    if len(fields) == 1:
        return [Parts({fields[0]: (time or date) if fields[0] in _TIMES else date}) for date, time in pairs]
    day, clock = fields
    return [Parts({day: date} | ({clock: time} if time and not no_times else {})) for date, time in pairs]


def is_moment(cell: str) -> bool:
    """Whether a cell holds a date and a time."""
    return bool(_split(" ".join(cell.split()))[1])


def _split(cell: str) -> tuple[str, str]:
    if _WITH_ZONE.fullmatch(cell):
        try:
            there = datetime.fromisoformat(cell.upper().replace(" ", "T", 1).replace(" ", "")).astimezone(_HERE)
        except ValueError:
            return cell, ""
        return there.date().isoformat(), there.strftime("%H:%M:%S")
    if _SERIAL.fullmatch(cell):
        whole, _, part = cell.partition(".")
        seconds = round(float(f"0.{part}") * 86_400)
        if seconds < 86_400:
            return whole, str((datetime.min + timedelta(seconds=seconds)).time())
        return cell, ""
    bare = _WEEKDAY.sub("", cell)
    for pattern in (_DATE_FIRST, _TIME_FIRST):
        if (match := pattern.fullmatch(bare)) and _A_DATE.fullmatch(match["date"]):
            return match["date"], match["time"]
    return cell, ""
