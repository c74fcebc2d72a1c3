"""What is compared, on which levels, and how much each level says before anything is learnt.

Each level carries the share of true pairs (m) and of other pairs (u) that are expected on it; training measures both
where the records allow.

A pair of records at one home agrees on surname, address and phone because two people live together. So *home* is one
comparison, and at one home surname and birth date count only for what they say among people of one household: those
levels are ``shipped``, since pairs taken at random cannot show what happens inside a household.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Agreement = Literal["same", "close", "different", "missing"]


@dataclass(frozen=True)
class Level:
    """One way in which two records compare. ``m``: share of true pairs that fall here; ``u``: share of others.

    ``term`` names the column whose frequency stands in for u: two people called Ebenezer say more than two Johns.
    ``condition`` is SQL over ``<column>_l`` and ``<column>_r``, or a tuple of alternatives, of which those whose
    columns are there are joined by *or*. A level none of whose alternatives can be asked is left out.
    """

    name: str
    words: str
    agreement: Agreement
    condition: str | tuple[str, ...]
    m: float = 0.0
    u: float = 0.0
    term: str | None = None
    shipped: bool = False


@dataclass(frozen=True)
class Comparison:
    """One thing compared: its levels, first that fits counts, and the columns shown beside it.

    It is missing when on one side none of the columns that it ``asks`` for is filled, or when ``passes_if`` holds.
    ``identifies`` names the levels that say *the same*, if it compares a number that one person alone should have.
    """

    name: str
    label: str
    shows: tuple[str, ...]
    asks: tuple[str, ...]
    levels: tuple[Level, ...]
    passes_if: str = ""
    identifies: tuple[str, ...] = ()

    def level_at(self, gamma: int) -> Level:
        """The level that Splink numbered ``gamma`` (missing is -1, then from the last upwards)."""
        return self.levels[len(self.levels) - 1 - gamma] if gamma >= 0 else MISSING

    def level_named(self, name: str) -> Level:
        """The level of that name."""
        return next((level for level in self.levels if level.name == name), MISSING)


MISSING = Level("missing", "missing on one side", "missing", "")


def _slips(column: str, at_most: int = 1) -> str:
    """Whether two values differ by so few slips (a character more, less or other, or two crossed).

    Counting slips costs ten times what its two forerunners do, which let nothing go: one slip in the same length leaves
    at most two places different, and Jaro-Winkler is never below 0.75 for so few in four characters or more.
    """
    left, right = f"{column}_l", f"{column}_r"
    counted = f"damerau_levenshtein({left}, {right}) <= {at_most}"
    places = f" when length({left}) <> length({right}) then {counted} when hamming({left}, {right}) > 2 then false"
    return (
        f"case when jaro_winkler_similarity({left}, {right}) < 0.75 then false{places if at_most == 1 else ''}"
        f" else {counted} end"
    )


def _further_names_differ() -> str:
    """Whether both records have further given names, and each has one that the other has not.

    Brothers are often named Mohammed Aslam and Mohammed Akram: a first name that agrees does not make them one person.
    A name agrees by its formal form, as an initial or as a close spelling; one that is added or missing is no
    contradiction. The second and the third name are asked.
    """
    one, other = ([f"split_part(forename_root_{side}, ' ', {place})" for place in (2, 3)] for side in "lr")

    def agree(a: str, b: str) -> str:
        return (
            f"({a} = {b} or length({a}) = 1 and starts_with({b}, {a}) or length({b}) = 1 and starts_with({a}, {b})"
            f" or jaro_winkler_similarity({a}, {b}) >= 0.88)"
        )

    def among(names: list[str], others: list[str]) -> str:
        found = [f"({' or '.join(agree(name, b) for b in others)})" for name in names]
        return f"({found[0]} and ({names[1]} = '' or {found[1]}))"

    # As a case: of "not (… or …)" over columns that are all null, DuckDB 2.0.0 makes an internal error.
    return (
        "case when contains(forename_root_l, ' ') and contains(forename_root_r, ' ')"
        f" then case when {among(one, other)} then false when {among(other, one)} then false else true end"
        " else false end"
    )


def _first(column: str) -> str:
    """The first of several given names."""
    return f"split_part({column}, ' ', 1)"


_TWO_NAMES_GIVEN = _further_names_differ()
_SWAPPED = "(forename_l = surname_r and surname_l = forename_r)"
_SAME_HOME = "(home_l = home_r)"

FORENAME = Comparison(
    "forename", "Forename", ("forename",), ("forename",),
    (
        Level("exact", "the same forename", "same", "forename_l = forename_r", 0.70, 0.006, term="forename"),
        Level("swapped", "forename and surname swapped", "close", _SWAPPED, 0.01, 0.00002),
        Level(
            "nickname", "one is a short form of the other", "close",
            tuple(
                f"{one} = {other} and not {_TWO_NAMES_GIVEN}"
                for one, other in (
                    (_first("forename_root_l"), _first("forename_root_r")),
                    ("known_as_l", _first("forename_root_r")),
                    (_first("forename_root_l"), "known_as_r"),
                )
            ),
            0.12, 0.004,
        ),
        Level(
            "two_names", "two forenames, each common in its own right", "different", "own_name_l <> own_name_r",
            0.01, 0.40,
        ),
        Level(
            "initial", "one is the other's initial", "close",
            "(length(forename_l) = 1 or length(forename_r) = 1) and left(forename_l, 1) = left(forename_r, 1)",
            0.03, 0.002,
        ),
        Level(
            "close", "nearly the same forename", "close",
            (
                f"jaro_winkler_similarity(forename_l, forename_r) >= 0.88 and not {_TWO_NAMES_GIVEN}",
                "starts_with(forename_l, forename_r || ' ') or starts_with(forename_r, forename_l || ' ')",
            ),
            0.10, 0.006,
        ),
        Level(
            "alike", "forenames that sound a little alike", "different",
            "jaro_winkler_similarity(forename_l, forename_r) >= 0.7", 0.02, 0.03,
        ),
        Level("different", "a different forename", "different", "else", 0.02, 0.95),
    ),
)  # fmt: skip

SURNAME = Comparison(
    "surname", "Surname", ("surname", "other_names"), ("surname",),
    (
        Level(
            "same_at_home", "the same surname, at one home", "same", f"surname_l = surname_r and {_SAME_HOME}",
            0.55, 0.35, shipped=True,
        ),
        Level("exact", "the same surname", "same", "surname_l = surname_r", 0.30, 0.0015, term="surname"),
        Level(
            "other_name", "one surname is among the other's names", "close",
            (
                "contains(' ' || other_names_r || ' ', ' ' || surname_l || ' ')",
                "contains(' ' || other_names_l || ' ', ' ' || surname_r || ' ')",
                "contains(surname_l, surname_r) and contains(' ' || surname_l || ' ', ' ' || surname_r || ' ')",
                "contains(surname_r, surname_l) and contains(' ' || surname_r || ' ', ' ' || surname_l || ' ')",
                "replace(surname_l, ' ', '') = replace(surname_r, ' ', '')",
            ),
            0.04, 0.0005,
        ),
        Level(
            "close", "nearly the same surname", "close",
            (
                "jaro_winkler_similarity(surname_l, surname_r) >= 0.88",
                _slips("surname"),
            ),
            0.06, 0.003,
        ),
        Level(
            "alike", "surnames that sound a little alike", "different",
            "jaro_winkler_similarity(surname_l, surname_r) >= 0.7", 0.01, 0.02,
        ),
        Level("different", "a different surname", "different", "else", 0.04, 0.975),
    ),
    passes_if=_SWAPPED,
)  # fmt: skip

BIRTH = Comparison(
    "birth", "Born", ("born_on",), ("born",),
    (
        Level(
            "first_of_january", "both born on 1 January of one year, which is often an estimate", "same",
            "born_l = born_r and right(born_l, 4) = '0101'", 0.02, 0.0004,
        ),
        Level(
            "same_at_home", "the same birth date, at one home (twins share it too)", "same",
            f"born_l = born_r and {_SAME_HOME}", 0.55, 0.006, shipped=True,
        ),
        Level("exact", "the same birth date", "same", "born_l = born_r", 0.30, 0.00004),
        Level(
            "day_month_swapped", "day and month swapped", "close",
            "left(born_l, 4) = left(born_r, 4) and right(born_l, 2) = substr(born_r, 5, 2)"
            " and substr(born_l, 5, 2) = right(born_r, 2)",
            0.02, 0.0001,
        ),
        Level(
            "one_digit", "one digit of the birth date differs, or two stand crossed", "close",
            _slips("born"), 0.05, 0.0012,
        ),
        Level(
            "two_parts", "two of day, month and year agree", "close",
            "(left(born_l, 4) = left(born_r, 4))::int + (substr(born_l, 5, 2) = substr(born_r, 5, 2))::int"
            " + (right(born_l, 2) = right(born_r, 2))::int = 2",
            0.02, 0.006,
        ),
        Level(
            "same_year", "the same year of birth", "different", "left(born_l, 4) = left(born_r, 4)", 0.01, 0.02,
        ),
        Level("different", "a different birth date", "different", "else", 0.03, 0.97),
    ),
)  # fmt: skip

HOME = Comparison(
    "home", "Home", ("address", "town", "postcode", "phone", "mobile"), ("address", "postcode", "phone", "mobile",),
    (
        Level("same_address", "the same address", "same", _SAME_HOME, 0.50, 0.0003, term="home"),
        Level(
            "near_address", "nearly the same address, and the same postcode or phone", "close",
            tuple(
                f"{same} and jaro_winkler_similarity(address_l, address_r) >= 0.88"
                for same in ("postcode_l = postcode_r", "phone_l = phone_r", "mobile_l = mobile_r")
            ),
            0.14, 0.0001,
        ),
        Level(
            "same_phone", "the same phone", "close",
            ("phone_l = phone_r", "mobile_l = mobile_r", "phone_l = mobile_r", "mobile_l = phone_r"),
            0.10, 0.0002,
        ),
        Level(
            "like_address", "nearly the same address", "close",
            "jaro_winkler_similarity(address_l, address_r) >= 0.92", 0.03, 0.0003,
        ),
        Level("same_postcode", "the same postcode", "close", "postcode_l = postcode_r", 0.05, 0.0008, term="postcode"),
        Level(
            "near_postcode", "postcodes that differ by one character", "close",
            _slips("postcode"), 0.02, 0.002,
        ),
        Level("same_outcode", "the same postal district", "close", "outcode_l = outcode_r", 0.03, 0.02),
        Level("different", "another home", "different", "else", 0.13, 0.97),
    ),
)  # fmt: skip

TOWN = Comparison(
    "town", "Town", ("town",), ("town",),
    (
        Level("same", "the same town", "same", "town_l = town_r", 0.80, 0.02, term="town"),
        Level("close", "nearly the same town", "close", "jaro_winkler_similarity(town_l, town_r) >= 0.88", 0.08, 0.005),
        Level("different", "another town", "different", "else", 0.12, 0.97),
    ),
)  # fmt: skip

GENDER = Comparison(
    "gender", "Gender", ("gender",), ("gender",),
    (
        Level("same", "the same gender", "same", "gender_l = gender_r", 0.99, 0.53),
        Level("different", "a different gender", "different", "else", 0.01, 0.47),
    ),
)  # fmt: skip

NHS_NUMBER = Comparison(
    "nhs_number", "NHS number", ("nhs_number",), ("nhs_number",),
    (
        Level("same", "the same NHS number", "same", "nhs_number_l = nhs_number_r", 0.98, 0.00002, shipped=True),
        Level(
            "close", "valid NHS numbers that differ by a slip", "close",
            _slips("nhs_number", 2), 0.01, 0.0001, shipped=True,
        ),
        Level("different", "two valid, different NHS numbers", "different", "else", 0.01, 0.9998, shipped=True),
    ),
    identifies=("same",),
)  # fmt: skip

REFERENCE = Comparison(
    "reference", "Social Services Reference", ("council", "reference"), ("reference_core",),
    (
        Level("same", "the same reference", "same", "reference_l = reference_r", 0.15, 0.0001, shipped=True),
        Level(
            "slip", "the same reference but for a prefix, suffix, zero or letter O", "same",
            "reference_core_l = reference_core_r", 0.45, 0.0001, shipped=True,
        ),
        Level(
            "near", "references that differ by one digit or two crossed", "close",
            f"length(reference_core_l) >= 5 and {_slips('reference_core')}",
            0.25, 0.0010, shipped=True,
        ),
        Level("different", "different references of one council", "different", "else", 0.15, 0.9988, shipped=True),
    ),
    passes_if="council_l <> council_r",
)  # fmt: skip

NATIONAL_ID = Comparison(
    "national_id", "National number", ("national_id",), ("national_id",),
    (
        Level("same", "the same number", "same", "national_id_l = national_id_r", 0.80, 0.00002),
        Level(
            "close", "numbers that differ by one digit or two crossed", "close",
            _slips("national_id"), 0.15, 0.00002,
        ),
        Level(
            "near", "numbers that differ by two digits", "close",
            _slips("national_id", 2), 0.02, 0.0005,
        ),
        Level("different", "different numbers", "different", "else", 0.03, 0.999),
    ),
    # It has no check digit, so a slip of one is more often a slip than another person's.
    identifies=("same", "close", "near"),
)  # fmt: skip

EMAIL = Comparison(
    "email", "E-mail", ("email",), ("email",),
    (
        Level("same", "the same e-mail", "same", "email_l = email_r", 0.65, 0.00002),
        Level(
            "same_name", "the same name in the e-mail", "close",
            "split_part(email_l, '@', 1) = split_part(email_r, '@', 1)", 0.10, 0.0004,
        ),
        Level(
            "close", "nearly the same e-mail", "close",
            "jaro_winkler_similarity(email_l, email_r) >= 0.92", 0.10, 0.0005,
        ),
        Level("different", "another e-mail", "different", "else", 0.15, 0.998),
    ),
)  # fmt: skip

BIRTH_PLACE = Comparison(
    "birth_place", "Birth place", ("birth_place",), ("birth_place",),
    (
        Level("same", "the same birth place", "same", "birth_place_l = birth_place_r", 0.80, 0.005, term="birth_place"),
        Level(
            "close", "nearly the same birth place", "close",
            "jaro_winkler_similarity(birth_place_l, birth_place_r) >= 0.88", 0.04, 0.002,
        ),
        Level("different", "another birth place", "different", "else", 0.16, 0.99),
    ),
)  # fmt: skip

OCCUPATION = Comparison(
    "occupation", "Occupation", ("occupation",), ("occupation",),
    (
        Level("same", "the same occupation", "same", "occupation_l = occupation_r", 0.85, 0.07, term="occupation"),
        Level("different", "another occupation", "different", "else", 0.15, 0.93),
    ),
)  # fmt: skip

EVERY_COMPARISON = (
    FORENAME, SURNAME, BIRTH, HOME, GENDER, NHS_NUMBER, REFERENCE, NATIONAL_ID, EMAIL, BIRTH_PLACE, OCCUPATION,
)  # fmt: skip

REGISTER_COLUMNS = (
    "forename", "forename_root", "own_name", "known_as", "other_names", "surname", "born", "gender", "address", "town",
    "postcode", "outcode", "home", "phone", "mobile", "email", "nhs_number", "council", "reference", "reference_core",
)  # fmt: skip
