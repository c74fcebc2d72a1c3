"""Which date formats the dates of a file are written in, and whether its days or its months come first."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

FORMATS = (
    "%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%m/%d/%Y", "%m-%d-%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y",
    "%d/%b/%Y", "%B %d, %Y", "%b %d, %Y", "%Y/%m/%d", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
    "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%y", "%d-%m-%y", "%d.%m.%y",
    "%d-%b-%y", "%d %b %y", "%m/%d/%y", "%m-%d-%y",
)  # fmt: skip
_TWO_NUMBERS = re.compile(r"\s*(\d{1,2})([/.-])(\d{1,2})\2(?:\d{4}|\d{2})\b")
_MONTH_FIRST = re.compile(r"%m.%d.%[Yy]")
_DAY_FIRST = re.compile(r"%d.%m.%[Yy]")
_DAY_OR_MONTH = re.compile(rf"{_DAY_FIRST.pattern}|{_MONTH_FIRST.pattern}")


@dataclass(frozen=True)
class WrittenDates:
    """The formats that the dates need, those that most need first, and what a person should know about them."""

    formats: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_as(value: str, form: str) -> datetime | None:
    """A date as one format has it, or None. Years outside 1850 to 2200 are slips."""
    try:
        found = datetime.strptime(value.strip(), form)
    except ValueError:
        return None
    return found if 1850 <= found.year < 2200 else None


def any_date(value: str) -> datetime | None:
    """A date in the first of all formats that it fits; a day goes before a month."""
    return next(filter(None, map(partial(read_as, value), FORMATS)), None)


def written_dates(
    values: Sequence[str], otherwise: Iterable[str], short_fields: Collection[str] = ("date_of_birth",)
) -> WrittenDates:
    """The formats of the dates among some values; those of ``otherwise`` if there is no date.

    ``short_fields`` are the fields whose years have two digits, if any have.
    """
    pairs = [(int(found[1]), int(found[3])) for found in map(_TWO_NUMBERS.match, values) if found]
    day_proved, month_proved = sum(a > 12 for a, _ in pairs), sum(b > 12 for _, b in pairs)
    month_first = month_proved > day_proved
    excluded = _DAY_FIRST if month_first else _MONTH_FIRST
    offered = [form for form in FORMATS if not excluded.match(form)]
    formats = _needed(values, offered)
    notes = list(_order(pairs, day_proved, month_proved)) if any(map(_DAY_OR_MONTH.match, formats)) else []
    if short := [form for form in formats if form.endswith("%y")]:
        notes.append(f"{', '.join(short)}: years of two digits. {_century(short_fields)}")
    return WrittenDates(tuple(formats) or tuple(otherwise), tuple(notes))


def _order(pairs: Sequence[tuple[int, int]], day_proved: int, month_proved: int) -> Iterable[str]:
    if day_proved and month_proved:
        first, few = ("months", day_proved) if month_proved > day_proved else ("days", month_proved)
        yield f"MIXED: most numbers say that {first} come first, {few:,} say otherwise and are not read. Ask the sender"
    elif day_proved:
        yield f"days come first: {day_proved:,} of {len(pairs):,} dates can be read no other way"
    elif month_proved:
        yield f"MONTHS COME FIRST: {month_proved:,} of {len(pairs):,} dates can be read no other way"
    else:
        yield "whether days or months come first cannot be told from these dates: days are taken to. Ask the sender"


def _century(fields: Collection[str]) -> str:
    births = "Births are taken to lie in the past" if "date_of_birth" in fields else ""
    others = "other dates near today: write two_digit_years: past if they never lie ahead"
    if set(fields) <= {"date_of_birth"}:
        return f"{births}."
    return f"{births}; {others}." if births else f"{others[0].upper()}{others[1:]}."


def _needed(values: Sequence[str], offered: Sequence[str]) -> list[str]:
    """As few formats as read all that any of them reads; years of two digits go first, since %Y would take them too."""
    reads: Callable[[str], set[int]] = lambda form: {n for n, value in enumerate(values) if read_as(value, form)}  # noqa: E731
    read = {form: reads(form) for form in offered}
    needed: list[str] = []
    left = set().union(*read.values()) if read else set()
    while left:
        best = max(offered, key=lambda form: len(read[form] & left))
        needed.append(best)
        left -= read[best]
    return sorted(needed, key=lambda form: not form.endswith("%y"))
