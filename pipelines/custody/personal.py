"""What is personal in a row as sent, what stands in its place afterwards, and what a person is known by.

docs/privacy.md says why each field is erased or stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pipelines.stage.forgotten import FORGOTTEN

TOKEN = "$token"  # noqa: S105 - stands for the token of a rostering id
ENDED = "Ended"  # a status that every reader takes for past
LEAST_LENGTH = 4  # of a number that is looked for by itself

_PERSON = dict.fromkeys(
    (
        "social_services_ref", "nhs_number", "title", "forename", "gender", "date_of_birth", "address_1", "address_2",
        "town", "postcode", "phone",
    ),
    "",
) | {"surname": FORGOTTEN}  # fmt: skip
_OF_A_ROSTER = ("known_as", "other_names", "county", "mobile", "email", "branch", "area")

# For each feed: field → what stands there afterwards. A field that is not named here stays as sent.
ERASED: Mapping[str, Mapping[str, str]] = {
    "purchase_orders": _PERSON,
    "roster_clients": _PERSON | dict.fromkeys(_OF_A_ROSTER, "") | {"client_id": TOKEN, "status": ENDED},
    "roster_visits": {"client_id": TOKEN},
    "roster_enrolments": {"client_id": TOKEN, "care_band": "", "key_worker": ""},
}


@dataclass(frozen=True)
class KnownBy:
    """What a person is known by in text that no column explains: rows that were rejected, files that were refused.

    Numbers, births and contacts are without spaces, punctuation and case; names are sets of words in capitals.
    """

    client_refs: frozenset[str]
    candidate_ids: frozenset[str]
    nhs_numbers: frozenset[str]
    numbers: frozenset[str]
    forenames: frozenset[frozenset[str]]
    surnames: frozenset[frozenset[str]]
    births: frozenset[str]
    contacts: frozenset[str]

    def are_meant(self, cells: Iterable[str], *, number_alone: bool = False) -> bool:
        """Whether a row is about this person: by NHS number, by name, or by a number, a birth or a contact with a name.

        ``number_alone``: a rostering id is enough, as in a file of visits, which holds no names.
        """
        cells = [cell for cell in cells if cell]
        told = {_key(cell) for cell in cells}
        words = {word for cell in cells for word in _words(cell)}
        if told & self.nhs_numbers or self.client_refs & set(cells) or self.candidate_ids & set(cells):
            return True
        number = {one for one in told & self.numbers if not number_alone or len(one) >= LEAST_LENGTH}
        forename = any(name <= words for name in self.forenames)
        surname = any(name <= words for name in self.surnames)
        birth, contact = bool(told & self.births), bool(told & self.contacts)
        if number:
            return number_alone or forename or surname or birth or contact
        return forename and (surname or birth)

    def are_named(self, text: str) -> bool:
        """Whether free text names this person: by a surname, or by a number that nobody else has."""
        words = set(_words(text))
        whole = _key(text)
        numbers = {one for one in (*self.nhs_numbers, *self.numbers) if len(one) > LEAST_LENGTH}
        return any(name <= words for name in self.surnames) or any(number in whole for number in numbers)


def known_by(rows: Iterable[Mapping[str, object]], client_refs: Iterable[str], candidate_ids: Iterable[str]) -> KnownBy:
    """From a person's source rows (columns of ``staged.source_records`` and of rows as sent)."""
    rows = list(rows)

    def said(*fields: str) -> list[str]:
        return [str(row[field]) for row in rows for field in fields if row.get(field) not in (None, "")]

    births = {_key(text) for text in said("born_as_sent", "date_of_birth")}
    for row in rows:
        if isinstance(born := row.get("born_on"), date):
            births |= {f"{born:{form}}" for form in ("%Y%m%d", "%d%m%Y", "%Y%m%d000000")}
    return KnownBy(
        client_refs=frozenset(client_refs),
        candidate_ids=frozenset(candidate_ids),
        nhs_numbers=_keys(said("nhs_as_sent", "nhs_number")),
        numbers=_keys(said("reference", "social_services_ref", "roster_id", "client_id")),
        forenames=_names(said("forename", "known_as")),
        surnames=_names(said("surname")),
        births=frozenset(births - {""}),
        contacts=_keys(said("phone", "mobile", "email", "address_1", "postcode")),
    )


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).upper()


def _words(text: str) -> list[str]:
    return [word.upper() for word in re.findall(r"[^\W_]+", text)]


def _keys(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(key for text in texts if (key := _key(text)))


def _names(texts: Iterable[str]) -> frozenset[frozenset[str]]:
    found = (frozenset(word for word in _words(text) if len(word) > 1) for text in texts)
    return frozenset(name for name in found if name and name != {FORGOTTEN.upper()})
