"""A column that carries several fields: a full name, an address, a date and time, telephones, one id for two fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, model_validator

from pipelines.feeds import Feed
from pipelines.mistakes import near

Order = Literal["surname first", "forename first"]
Kind = Literal["full_name", "full_address", "date_and_time", "phones", "same"]

PARTS: Mapping[str, tuple[str, ...]] = {
    "full_name": ("title", "forename", "surname", "known_as", "other_names"),
    "full_address": ("address_1", "address_2", "town", "county", "postcode"),
    "phones": ("phone", "mobile"),
}
"""What a cell of each kind can be taken apart into. (A date and time: a field of either type, or of both.)"""


class Split(BaseModel):
    """One cell into several fields. Exactly one kind is given, with the fields that its parts go to.

    A cell of ``same`` goes whole to each of its fields. ``order`` says which name comes first in a full name without a
    comma; left out, each file's own column shows it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    full_name: tuple[str, ...] | None = None
    full_address: tuple[str, ...] | None = None
    date_and_time: tuple[str, ...] | None = None
    phones: tuple[str, ...] | None = None
    same: tuple[str, ...] | None = None
    order: Order | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in get_args(Kind) if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"a column that is split has one of {', '.join(get_args(Kind))}")
        if self.order and self.kind != "full_name":
            raise ValueError("order can only be given with full_name")
        if len(set(self.fields)) != len(self.fields):
            raise ValueError(f"{self.kind} names a field twice")
        if self.kind == "date_and_time" and len(self.fields) > 2:
            raise ValueError("date_and_time has a date and a time, such as [visit_date, start_time]")
        if self.kind in PARTS and (unknown := [part for part in self.fields if part not in PARTS[self.kind]]):
            named = ", ".join(f"{part}{near(part, PARTS[self.kind])}" for part in unknown)
            raise ValueError(f"{self.kind} has no {named}; it can have {', '.join(PARTS[self.kind])}")
        if not self.fields:
            raise ValueError(f"{self.kind} names no field")
        return self

    @property
    def kind(self) -> Kind:
        """Which kind of cell it is."""
        return next(kind for kind in get_args(Kind) if getattr(self, kind) is not None)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the parts go to, in the order in which they are written."""
        found: tuple[str, ...] = getattr(self, self.kind)
        return found

    def fields_in(self, feed: Feed) -> tuple[str, ...]:
        """Those of the fields that the feed has. (An order has no ``known_as``: it is read and not kept.)"""
        return tuple(field for field in self.fields if field in feed.field_names)

    def mistake_in(self, feed: Feed) -> str | None:
        """What is wrong with the split for a feed, or None."""
        types = {field.name: field.type for field in feed.fields}
        if self.kind in ("date_and_time", "same"):
            if unknown := [field for field in self.fields if field not in types]:
                named = ", ".join(f"{field}{near(field, types)}" for field in unknown)
                return f"columns name fields that {feed.name} does not have: {named}"
            told = [types[field] for field in self.fields]
            if self.kind == "date_and_time" and told not in (["date", "time"], ["date"], ["time"]):
                return "date_and_time needs a date and then a time of day, such as [visit_date, start_time]"
        elif not self.fields_in(feed):
            return f"columns name fields that {feed.name} does not have: {', '.join(self.fields)}"
        return None


def column_of(written: Any) -> str | Split:
    """What a mapping says of one heading: a field, or a split. Raises ValueError for anything else."""
    if isinstance(written, str | Split):
        return written
    if not isinstance(written, dict):
        raise ValueError("each heading needs a field, or a split such as {full_name: [forename, surname]}")
    kinds = get_args(Kind)
    if unknown := [str(key) for key in written if key not in (*kinds, "order")]:
        named = ", ".join(f"{key}{near(key, (*kinds, 'order'))}" for key in unknown)
        raise ValueError(f"there is no way to split a cell called {named}; there are {', '.join(kinds)}")
    for kind in kinds:
        fields = written.get(kind)
        if fields is not None and not (isinstance(fields, list | tuple) and all(isinstance(f, str) for f in fields)):
            raise ValueError(f"{kind} needs a list of fields, such as {{{kind}: [{', '.join(_example(kind))}]}}")
    if written.get("order") not in (None, *get_args(Order)):
        raise ValueError(f"order must be one of {', '.join(get_args(Order))}")
    try:
        return Split(**written)
    except ValueError as error:
        raise ValueError(_first(error)) from None


def _example(kind: str) -> tuple[str, ...]:
    return PARTS.get(kind, ("visit_date", "start_time"))


def _first(error: Any) -> str:
    problem = error.errors(include_url=False)[0]
    return str(problem["ctx"]["error"]) if problem["type"] == "value_error" else str(problem["msg"])
