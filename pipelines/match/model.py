"""The model: what is compared, on which levels, and how much each level says.

A pair of records at one home agrees on surname, address and phone because two people live together. So *home* is one
comparison, and at one home surname and birth date count only for what they say among people of one household. Levels
marked ``measured`` take their u from the register (how often two different people fall on them); the others carry the
ratio that holds inside a household, which pairs taken at random cannot show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Agreement = Literal["same", "close", "different", "missing"]

SAME_HOME = "(home_l = home_r and home_l is not null)"
SAME_PHONE = (
    "(coalesce(phone_l = phone_r, false) or coalesce(phone_l = mobile_r, false)"
    " or coalesce(mobile_l = phone_r, false) or coalesce(mobile_l = mobile_r, false))"
)
SWAPPED = "(forename_l = surname_r and surname_l = forename_r)"


@dataclass(frozen=True)
class Level:
    """One way in which two records compare. ``m``: share of true pairs that fall here; ``u``: share of others.

    ``term`` names the column whose frequency stands in for u: two people called Ebenezer say more than two Johns.
    """

    name: str
    words: str
    agreement: Agreement
    condition: str
    m: float = 0.0
    u: float = 0.0
    term: str | None = None
    measured: bool = True

    @property
    def is_missing(self) -> bool:
        return self.agreement == "missing"


@dataclass(frozen=True)
class Comparison:
    """One thing compared: its levels, first that fits counts, and the columns shown beside it."""

    name: str
    label: str
    shows: tuple[str, ...]
    levels: tuple[Level, ...]

    def level_at(self, gamma: int) -> Level:
        """The level that Splink numbered ``gamma`` (missing is -1, then from the last upwards)."""
        known = [level for level in self.levels if not level.is_missing]
        return known[len(known) - 1 - gamma] if gamma >= 0 else next(level for level in self.levels if level.is_missing)


def _missing(condition: str) -> Level:
    return Level("missing", "missing on one side", "missing", condition)


FORENAME = Comparison(
    "forename",
    "Forename",
    ("forename",),
    (
        _missing("forename_l is null or forename_r is null"),
        Level("exact", "the same forename", "same", "forename_l = forename_r", 0.70, 0.006, term="forename"),
        Level("swapped", "forename and surname swapped", "close", SWAPPED, 0.01, 0.00002),
        Level(
            "nickname", "one is a short form of the other", "close",
            "forename_root_l = forename_root_r or known_as_l = forename_root_r or forename_root_l = known_as_r",
            0.12, 0.004,
        ),
        Level(
            "initial", "one is the other's initial", "close",
            "(length(forename_l) = 1 or length(forename_r) = 1) and left(forename_l, 1) = left(forename_r, 1)",
            0.04, 0.002,
        ),
        Level(
            "close", "nearly the same forename", "close",
            "jaro_winkler_similarity(forename_l, forename_r) >= 0.9 or starts_with(forename_l, forename_r || ' ')"
            " or starts_with(forename_r, forename_l || ' ')",
            0.10, 0.006,
        ),
        Level("different", "a different forename", "different", "else", 0.012, 0.98),
    ),
)  # fmt: skip

SURNAME = Comparison(
    "surname",
    "Surname",
    ("surname", "other_names"),
    (
        _missing(f"surname_l is null or surname_r is null or {SWAPPED}"),
        Level(
            "same_at_home", "the same surname, at one home", "same", f"surname_l = surname_r and {SAME_HOME}",
            0.55, 0.35, measured=False,
        ),
        Level("exact", "the same surname", "same", "surname_l = surname_r", 0.30, 0.0015, term="surname"),
        Level(
            "other_name", "one surname is among the other's names", "close",
            "contains(' ' || coalesce(other_names_r, '') || ' ', ' ' || surname_l || ' ')"
            " or contains(' ' || coalesce(other_names_l, '') || ' ', ' ' || surname_r || ' ')"
            " or contains(' ' || surname_l || ' ', ' ' || surname_r || ' ')"
            " or contains(' ' || surname_r || ' ', ' ' || surname_l || ' ')"
            " or replace(surname_l, ' ', '') = replace(surname_r, ' ', '')",
            0.04, 0.0005,
        ),
        Level(
            "close", "nearly the same surname", "close",
            "jaro_winkler_similarity(surname_l, surname_r) >= 0.92 or damerau_levenshtein(surname_l, surname_r) = 1",
            0.06, 0.003,
        ),
        Level("different", "a different surname", "different", "else", 0.05, 0.99),
    ),
)  # fmt: skip

BIRTH = Comparison(
    "birth",
    "Born",
    ("born_on",),
    (
        _missing("born_l is null or born_r is null"),
        Level(
            "first_of_january", "both born on 1 January of one year, which is often an estimate", "same",
            "born_l = born_r and right(born_l, 4) = '0101'", 0.02, 0.0004,
        ),
        Level(
            "same_at_home", "the same birth date, at one home (twins share it too)", "same",
            f"born_l = born_r and {SAME_HOME}", 0.55, 0.006, measured=False,
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
            "damerau_levenshtein(born_l, born_r) = 1", 0.06, 0.0012,
        ),
        Level("different", "a different birth date", "different", "else", 0.03, 0.998),
    ),
)  # fmt: skip

HOME = Comparison(
    "home",
    "Home",
    ("address", "postcode", "phone", "mobile"),
    (
        _missing(
            "(address_l is null or address_r is null) and (postcode_l is null or postcode_r is null)"
            " and (coalesce(phone_l, mobile_l) is null or coalesce(phone_r, mobile_r) is null)"
        ),
        Level("same_address", "the same address", "same", SAME_HOME, 0.55, 0.0003, term="home"),
        Level(
            "near_address", "the same postcode or phone, and nearly the same address", "close",
            f"(coalesce(postcode_l = postcode_r, false) or {SAME_PHONE})"
            " and jaro_winkler_similarity(address_l, address_r) >= 0.9",
            0.12, 0.0001,
        ),
        Level("same_phone", "the same phone", "close", SAME_PHONE, 0.10, 0.0002),
        Level("same_postcode", "the same postcode", "close", "postcode_l = postcode_r", 0.06, 0.0008),
        Level("different", "another home", "different", "else", 0.17, 0.998),
    ),
)  # fmt: skip

GENDER = Comparison(
    "gender",
    "Gender",
    ("gender",),
    (
        _missing("gender_l is null or gender_r is null"),
        Level("same", "the same gender", "same", "gender_l = gender_r", 0.99, 0.53),
        Level("different", "a different gender", "different", "else", 0.01, 0.47),
    ),
)

NHS_NUMBER = Comparison(
    "nhs_number",
    "NHS number",
    ("nhs_number",),
    (
        _missing("nhs_number_l is null or nhs_number_r is null"),
        Level("same", "the same NHS number", "same", "nhs_number_l = nhs_number_r", 0.98, 0.00002, measured=False),
        Level(
            "close", "valid NHS numbers that differ by a slip", "close",
            "damerau_levenshtein(nhs_number_l, nhs_number_r) <= 2", 0.01, 0.0001, measured=False,
        ),
        Level("different", "two valid, different NHS numbers", "different", "else", 0.01, 0.9998, measured=False),
    ),
)  # fmt: skip

REFERENCE = Comparison(
    "reference",
    "Social Services Reference",
    ("council", "reference"),
    (
        _missing("reference_core_l is null or reference_core_r is null or coalesce(council_l <> council_r, false)"),
        Level("same", "the same reference", "same", "reference_l = reference_r", 0.15, 0.0001, measured=False),
        Level(
            "slip", "the same reference but for a prefix, suffix, zero or letter O", "same",
            "reference_core_l = reference_core_r", 0.45, 0.0001, measured=False,
        ),
        Level(
            "near", "references that differ by one digit or two crossed", "close",
            "damerau_levenshtein(reference_core_l, reference_core_r) = 1 and length(reference_core_l) >= 5",
            0.25, 0.0010, measured=False,
        ),
        Level("different", "different references of one council", "different", "else", 0.15, 0.9988, measured=False),
    ),
)  # fmt: skip

COMPARISONS = (FORENAME, SURNAME, BIRTH, HOME, GENDER, NHS_NUMBER, REFERENCE)

BLOCKING: dict[str, str] = {
    "SAME_NHS_NUMBER": "l.nhs_number = r.nhs_number",
    "SAME_REFERENCE_CORE": "l.reference_core = r.reference_core",
    "SAME_BIRTH_AND_FORENAME_ROOT": "l.born = r.born and l.forename_root = r.forename_root",
    "SAME_BIRTH_AND_SURNAME": "l.born = r.born and l.surname = r.surname",
    "SAME_BIRTH_AND_SWAPPED_NAMES": "l.born = r.born and l.forename = r.surname",
    "SAME_BIRTH_AND_POSTCODE": "l.born = r.born and l.postcode = r.postcode",
    "SAME_NAME": "l.surname = r.surname and l.forename_root = r.forename_root",
    "SWAPPED_NAME": "l.surname = r.forename and l.forename = r.surname",
    "SAME_POSTCODE_AND_FORENAME_ROOT": "l.postcode = r.postcode and l.forename_root = r.forename_root",
    "SAME_HOME_AND_INITIALS": "l.home = r.home and left(l.forename, 1) = left(r.forename, 1)",
    "SAME_PHONE_AND_INITIAL": "l.phone = r.phone and left(l.forename, 1) = left(r.forename, 1)",
}

TERMS = tuple(sorted({level.term for c in COMPARISONS for level in c.levels if level.term}))


def splink_settings(prior: float) -> dict[str, Any]:
    """The model as Splink settings. ``prior``: the probability that two records taken at random are one person."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "client_id",
        "probability_two_random_records_match": prior,
        "comparisons": [_splink_comparison(comparison) for comparison in COMPARISONS],
        "blocking_rules_to_generate_predictions": [{"blocking_rule": rule} for rule in BLOCKING.values()],
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
        "additional_columns_to_retain": [],
    }


def _splink_comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "output_column_name": comparison.name,
        "comparison_description": comparison.label,
        "comparison_levels": [_splink_level(level) for level in comparison.levels],
    }


def _splink_level(level: Level) -> dict[str, Any]:
    if level.is_missing:
        return {"sql_condition": level.condition, "label_for_charts": level.words, "is_null_level": True}
    written: dict[str, Any] = {
        "sql_condition": "ELSE" if level.condition == "else" else level.condition,
        "label_for_charts": level.words,
        "m_probability": level.m,
        "u_probability": level.u,
        "fix_m_probability": True,
        "fix_u_probability": not level.measured,
    }
    if level.term:
        written |= {"tf_adjustment_column": level.term, "tf_adjustment_weight": 1.0}
        written |= {"disable_tf_exact_match_detection": True}
    return written
