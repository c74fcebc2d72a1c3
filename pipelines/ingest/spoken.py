"""Which day a file speaks for, and in which order the files of one day were written, by their names."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), start=1
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_BETWEEN = r"[-_. ]?"
_ISO = re.compile(r"(?<!\d)(20\d\d)([-_. ]?)(0?[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01]|(?<=[-_. ])[1-9])(?!\d)")
_ISO_WITH_TIME = re.compile(
    r"(?<!\d)(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?(?:\d{3})?(?!\d))"
)
_BRITISH = re.compile(r"(?<!\d)(0?[1-9]|[12]\d|3[01])([-_. ]?)(0?[1-9]|1[0-2])\2(20\d\d)(?!\d)")
_BRITISH_SHORT = re.compile(r"(?<!\d)(0?[1-9]|[12]\d|3[01])([-_. ])(0?[1-9]|1[0-2])\2(\d\d)(?![-_. ]?\d)")
_NAMED = re.compile(rf"(?<!\d)(0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?{_BETWEEN}({_MONTH}){_BETWEEN}(20\d\d|\d\d)(?!\d)")
_NAMED_ISO = re.compile(rf"(?<!\d)(20\d\d){_BETWEEN}({_MONTH}){_BETWEEN}(0?[1-9]|[12]\d|3[01])(?!\d)")
_WEEK = re.compile(r"(?<![a-z])(?:w|wk|week|kw)[-_. ]?(0?[1-9]|[1-4]\d|5[0-3])(?:-(0?[1-9]|[1-4]\d|5[0-3]))?(?!\d)")
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
_MONTH_OF_YEAR = re.compile(r"(?<!\d)(20\d\d)[-_. ](0[1-9]|1[0-2])(?![-_. ]?\d)")
_NAMED_MONTH = re.compile(
    rf"(?<![a-z0-9])({_MONTH}){_BETWEEN}(20\d\d)(?!\d)|(?<!\d)(20\d\d){_BETWEEN}({_MONTH})(?![a-z])"
)
_WEEK_BEGINS = re.compile(r"(?<![a-z])(?:w[-_. ]?c|wb|week[-_. ]?(?:commencing|beginning|starting|from))(?![a-z])")


def spoken_on(file_name: str, delivered: date) -> date:
    """The day that a file speaks for: the last day in its name, never later than the one it was ``delivered`` for.

    Of a range of days, a week or a month in the name the last day counts. A name without a day speaks for the day of
    its delivery.
    """
    last = max(_days(file_name.lower(), delivered), default=delivered)
    return min(last, delivered)


def name_key(file_name: str) -> str:
    """A key that sorts names as people number them: 9 before 10, ``part2`` before ``part10``, ``x`` before ``x (2)``.

    Ends with the name itself, so that no two names are equal. ``natural_key`` in ``sql/macros.sql`` is the same.
    """
    stem = re.sub(r"\.[a-z0-9]{1,5}$", "", file_name.lower())
    padded = re.sub(r"\d+", lambda digits: digits[0].lstrip("0").rjust(30), stem)
    return f"{padded}\n{file_name}"


def _days(name: str, delivered: date) -> Iterator[date]:
    found = list(_whole_days(name, delivered))
    if found:
        yield from (day + timedelta(days=6) for day in found if _WEEK_BEGINS.search(name))
        yield from found
        return
    for first, last in _WEEK.findall(name):
        years = [int(year) for year in _YEAR.findall(name)] or [delivered.year, delivered.year - 1]
        ends = [end for year in years if (end := _end_of_week(year, int(last or first)))]
        begun = [end for end in ends if end - timedelta(days=6) <= delivered]
        yield from (begun or ends)[:1]
    for year, month in _MONTH_OF_YEAR.findall(name):
        yield _end_of_month(int(year), int(month))
    for month, year, other_year, other_month in _NAMED_MONTH.findall(name):
        yield _end_of_month(int(year or other_year), _MONTHS[month or other_month])


def _whole_days(name: str, delivered: date) -> Iterator[date]:
    for year, _, month, day in _ISO.findall(name):
        yield from _day(year, month, day)
    for year, month, day in _ISO_WITH_TIME.findall(name):
        yield from _day(year, month, day)
    for day, _, month, year in _BRITISH.findall(name):
        yield from _day(year, month, day)
    for day, month, year in _NAMED.findall(name):
        yield from _day(year if len(year) > 2 else f"20{year}", _MONTHS[month], day)
    for year, month, day in _NAMED_ISO.findall(name):
        yield from _day(year, _MONTHS[month], day)
    for day, _, month, year in _BRITISH_SHORT.findall(_ISO.sub("", _BRITISH.sub("", name))):
        for found in _day(f"20{year}", month, day):
            if abs((found - delivered).days) < 800:  # 20-11-26 is read as a day of 2026, not as one of 2020
                yield found


def _day(year: str | int, month: str | int, day: str | int) -> Iterator[date]:
    try:
        yield date(int(year), int(month), int(day))
    except ValueError:
        return


def _end_of_week(year: int, week: int) -> date | None:
    try:
        return date.fromisocalendar(year, week, 7)
    except ValueError:
        return None


def _end_of_month(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
