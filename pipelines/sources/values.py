"""What the values of a column look like, whatever its heading says: how many of them are what a field would hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from statistics import median

from stdnum.gb import nhs

from pipelines.feeds import Field
from pipelines.sources.common_names import forenames, surnames
from pipelines.sources.dates import any_date
from pipelines.sources.moments import is_moment

LOOKED_AT = 400  # distinct values of a column
ADULT = 16

_POSTCODE = re.compile(r"(GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2})", re.IGNORECASE)
_PHONE = re.compile(r"(\+44|0044|0)[123578]\d{8,9}")
_MOBILE = re.compile(r"(\+44|0044|0)7\d{9}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_TIME = re.compile(r"\d{1,2}[:.]\d\d([:.]\d\d)?( ?[AP]M)?", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?£?\s?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
_STREET = re.compile(
    r"\d+\w?\b.*\b(road|rd|street|st|lane|ln|avenue|ave|close|drive|way|court|crescent|gardens|grove|place|terrace)\b",
    re.IGNORECASE,
)
_GENDERS = {"M", "F", "MALE", "FEMALE", "MAN", "WOMAN", "U", "UNKNOWN", "OTHER", "NOT KNOWN", "NON-BINARY", "X"}
_TITLES = {"MR", "MRS", "MISS", "MS", "DR", "REV", "SIR", "LADY", "PROF", "MX"}

Fits = Callable[[str], bool]


def _names(kind: str) -> frozenset[str]:
    """Common names, in capitals."""
    return forenames() if kind == "forename" else surnames()


def _digits(value: str) -> str:
    return re.sub(r"[\s()-]", "", value)


def _nhs_number(value: str) -> bool:
    digits = str(nhs.compact(value))
    return bool(nhs.is_valid(digits)) and len(set(digits)) > 1


_LIKE: dict[str, Fits] = {
    "nhs_number": _nhs_number,
    "postcode": lambda value: bool(_POSTCODE.fullmatch(value)),
    "phone": lambda value: bool(_PHONE.fullmatch(_digits(value)) or _MOBILE.fullmatch(_digits(value))),
    "mobile": lambda value: bool(_MOBILE.fullmatch(_digits(value))),
    "email": lambda value: bool(_EMAIL.fullmatch(value)),
    "gender": lambda value: value.upper() in _GENDERS,
    "title": lambda value: value.upper().rstrip(".") in _TITLES,
    "forename": lambda value: value.upper() in _names("forename"),
    "surname": lambda value: value.upper() in _names("surname"),
    "address_1": lambda value: bool(_STREET.match(value)),
}
_OF_TYPE: dict[str, Fits] = {
    "date": lambda value: any_date(value) is not None or is_moment(value) or bool(re.fullmatch(r"[1-6]\d{4}", value)),
    "time": lambda value: bool(_TIME.fullmatch(value)),
    "integer": lambda value: bool(_NUMBER.fullmatch(value)),
    "decimal": lambda value: bool(_NUMBER.fullmatch(value)),
}
# The share of values from which they alone, without the heading, say what a column holds.
TELLING: Mapping[str, float] = {
    "nhs_number": 0.7, "postcode": 0.7, "email": 0.8, "gender": 0.9, "title": 0.9, "mobile": 0.8, "phone": 0.8,
    "date_of_birth": 0.8, "forename": 0.6, "surname": 0.6, "address_1": 0.6, "visit_date": 0.8, "start_time": 0.9,
}  # fmt: skip
# Those whose values can say that a heading is wrong; names and addresses have no form to tell them by.
FORMAL = frozenset(("nhs_number", "postcode", "phone", "mobile", "email", "gender", "title"))


def filled(values: Sequence[str]) -> list[str]:
    """Distinct values that say something, as many as are looked at."""
    return list(dict.fromkeys(value.strip() for value in values if value.strip()))[:LOOKED_AT]


def share_like(field: Field, values: Sequence[str]) -> float | None:
    """The share of distinct filled values that are what the field holds; None where that cannot be told."""
    fits = _LIKE.get(field.name) or _OF_TYPE.get(field.type)
    if fits is None or not values:
        return None
    return sum(map(fits, values)) / len(values)


def are_births(values: Sequence[str]) -> bool:
    """Whether most dates are those of people who are grown up by now: no visit or contract began so long ago."""
    years = [found.year for found in map(any_date, values) if found]
    return bool(years) and median(years) < date.today().year - ADULT


def are_ids(values: Sequence[str]) -> bool:
    """Whether the values, of which none is empty, number the rows: all different, with a digit in each."""
    told = [value.strip() for value in values]
    return len(set(told)) == len(told) > 0 and all(re.search(r"\d", v) and len(v) <= 30 for v in told)


_ID = re.compile(r"[\w./#-]+(?: [\w./#-]+){0,2}")
_CODE = re.compile(r"[A-Z]{3,12}")


def share_of_ids(values: Sequence[str]) -> float:
    """The share of distinct filled values that can be an id or reference: short, in one word or few, with a digit."""
    fits = [
        len(value) <= 30
        and bool(_ID.fullmatch(value))
        and (any(map(str.isdigit, value)) or bool(_CODE.fullmatch(value)))
        and not _TIME.fullmatch(value)
        and not _POSTCODE.fullmatch(value)
        and not (any(sign in value for sign in "/- .") and any_date(value))
        and not re.fullmatch(r"\d+\.\d+", value)
        for value in values
    ]
    return sum(fits) / len(fits) if fits else 0.0


def share_different(cells: Sequence[str]) -> float:
    """The share of filled cells that no other cell repeats."""
    told = [cell.strip() for cell in cells if cell.strip()]
    return len(set(told)) / len(told) if told else 0.0
