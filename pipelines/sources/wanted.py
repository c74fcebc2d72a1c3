"""Fields that a feed can be read without, and had better not be: what follows where no heading carries them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """One of these ``fields`` should have a heading; ``follows`` says what becomes of the rows if none has."""

    fields: tuple[str, ...]
    called: str
    follows: str

    @property
    def name(self) -> str:
        """The fields, as a person would write the mapping."""
        return " or ".join(self.fields)


def _person(rows: str) -> tuple[Wanted, ...]:
    """What a feed of people should say of each, with the rows by their name."""
    alone = f"{rows} would be compared without"
    return (
        Wanted(("surname",), "surname", f"{rows} would be registered without a surname"),
        Wanted(("forename",), "forename", f"{rows} would be registered without a forename"),
        Wanted(("date_of_birth",), "birth date", f"{alone} it, and twins, or father and son, are hardly told apart"),
        Wanted(("address_1", "postcode"), "address or postcode", f"{alone} a home, and few who moved or married found"),
    )


WANTED = {
    "purchase_orders": (
        *_person("orders"),
        Wanted(
            ("social_services_ref",), "Social Services Reference",
            "no order would find the client that it is for, and each person would be a new one",
        ),
        Wanted(("rate",), "rate", "no order would count for any money, and the dearest cases would not come first"),
        Wanted(("weekly_units",), "weekly units", "no order would count for any money"),
    ),
    "roster_clients": (
        *_person("clients"),
        Wanted(
            ("social_services_ref",), "Social Services Reference",
            "no order would find these clients, and each would make a second record",
        ),
    ),
}  # fmt: skip
"""For each feed of people, what is said of them, most telling first."""


def not_there(feed: str, fields: Collection[str]) -> list[Wanted]:
    """What a feed is wanted to carry and a mapping to these fields does not, most telling first."""
    return [one for one in WANTED.get(feed, ()) if not set(one.fields) & set(fields)]
