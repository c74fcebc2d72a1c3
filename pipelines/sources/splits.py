"""Columns of an unknown file that carry several fields in one cell, found by their values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pipelines.feeds import Feed
from pipelines.sources.common_names import leaning
from pipelines.sources.full_addresses import POSTCODE
from pipelines.sources.full_names import order_of, split_names
from pipelines.sources.heading_words import NEAR, likeness
from pipelines.sources.moments import is_moment, split_moments
from pipelines.sources.phones import numbers_in
from pipelines.sources.split import PARTS, Kind, Order, Split

_NAMES = 0.6  # the share of cells that have to be names, where the heading does not say so
_NAMED = 0.5  # where it does
_SEVERAL_LINES = 0.5
_SEVERAL_NUMBERS = 0.08


@dataclass(frozen=True)
class Found:
    """A column that carries several fields: how sure that is from 0 to 1, and why."""

    kind: Kind
    fields: tuple[str, ...]
    confidence: float
    because: str
    order: Order | None = None

    def split(self, taken: Collection[str] = ()) -> Split | None:
        """The split, without the fields that other columns carry; None if nothing of use is left."""
        fields = tuple(field for field in self.fields if field not in taken)
        if not fields or (self.kind == "full_name" and not {"forename", "surname"} <= set(fields)):
            return None
        return Split(**{self.kind: fields}, order=self.order)


def find_split(heading: str, values: Sequence[str], feed: Feed, plain: Mapping[str, str]) -> Found | None:
    """What a column of distinct filled ``values`` carries together, if it does.

    ``plain`` are the fields that columns of their own carry by their headings, with these headings.
    """
    if not values:
        return None
    each = (finder(heading, values, feed, plain) for finder in (_name, _address, _moment, _phones))
    return next(filter(None, each), None)


def _name(heading: str, values: Sequence[str], feed: Feed, plain: Mapping[str, str]) -> Found | None:
    others = {field for field, carrier in plain.items() if carrier != heading}
    if not {"forename", "surname"} <= set(feed.field_names) or {"forename", "surname"} <= others:
        return None
    sounds = max(likeness(heading, "full_name"), likeness(heading, "surname") if _with_commas(values) else 0.0)
    parts = split_names(values, PARTS["full_name"])
    whole = [each.parts for each in parts if {"forename", "surname"} <= set(each.parts)]
    share = len(whole) / len(values)
    known = sum(any(leaning(word) for word in value.replace(",", " ").split()) for value in values) / len(values)
    if sounds < NEAR and (known < _NAMES or share < 0.8 or "forename" in others):
        return None
    if sounds >= NEAR and share < _NAMED:
        return None
    order = order_of(values)
    how = "commas between surname and forename" if _with_commas(values) else f"{order or 'no order'} in most"
    because = f"whole names: {share:.0%} of its values can be taken apart ({how})"
    confidence = (1 + share) / 2 if sounds >= NEAR else 0.75 * share
    return Found("full_name", PARTS["full_name"], round(confidence, 2), because, order)


def _with_commas(values: Sequence[str]) -> bool:
    return sum("," in value for value in values) >= 0.5 * len(values)


def _address(heading: str, values: Sequence[str], feed: Feed, plain: Mapping[str, str]) -> Found | None:
    others = {field for field, carrier in plain.items() if carrier != heading}
    if "address_1" not in feed.field_names or "address_1" in others:
        return None
    sounds = max(likeness(heading, "full_address"), likeness(heading, "address_1"))
    with_postcode = sum(_holds_postcode(value) for value in values) / len(values)
    lines = sum(len(re.findall(r"[^,;\r\n]+", value)) > 2 for value in values) / len(values)
    if with_postcode >= _SEVERAL_LINES:
        confidence = (1 + with_postcode) / 2 if sounds >= NEAR else 0.8 * with_postcode
        because = f"whole addresses: {with_postcode:.0%} of its values hold a postcode"
        return Found("full_address", PARTS["full_address"], round(confidence, 2), because)
    if sounds >= NEAR and lines >= _SEVERAL_LINES and not {"address_2", "town"} & others:
        because = f"whole addresses: {lines:.0%} of its values have three lines or more"
        return Found("full_address", PARTS["full_address"], round((1 + lines) / 2, 2), because)
    return None


def _holds_postcode(value: str) -> bool:
    found = POSTCODE.search(value)
    return bool(found) and len(POSTCODE.sub("", value).strip(" ,\n")) > 4


def _moment(heading: str, values: Sequence[str], feed: Feed, plain: Mapping[str, str]) -> Found | None:
    if feed.name != "roster_visits" or sum(map(is_moment, values)) < 0.7 * len(values):
        return None
    if not any(each.parts.get("start_time") for each in split_moments(values, ("visit_date", "start_time"))):
        return None
    others = {field for field, carrier in plain.items() if carrier != heading}
    actual = likeness(heading, "actual_start")
    planned = max(likeness(heading, "start_time"), likeness(heading, "visit_date"), likeness(heading, "start_date"))
    if max(actual, planned) < NEAR:
        return None
    clock = "actual_start" if actual > planned else "start_time"
    share = sum(map(is_moment, values)) / len(values)
    fields = (clock,) if "visit_date" in others or clock == "actual_start" else ("visit_date", clock)
    because = f"by its heading, and {share:.0%} of its values are a date with a time"
    return Found("date_and_time", fields, round((max(actual, planned) + share) / 2, 2), because)


def _phones(heading: str, values: Sequence[str], feed: Feed, plain: Mapping[str, str]) -> Found | None:
    if "phone" not in feed.field_names or likeness(heading, "phone") < NEAR:
        return None
    several = sum(numbers_in(value) > 1 for value in values) / len(values)
    if several < _SEVERAL_NUMBERS or sum(numbers_in(value) > 0 for value in values) < 0.5 * len(values):
        return None
    return Found(
        "phones", PARTS["phones"], 0.95, f"by its heading, and {several:.0%} of its values hold several numbers"
    )
