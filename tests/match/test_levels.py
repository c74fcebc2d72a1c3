"""Each level of each comparison, as two records in and one level out."""

from __future__ import annotations

import pytest

from pipelines.match.blocking import BLOCKING, blocking_columns, blocking_condition
from pipelines.match.comparisons import REGISTER_COLUMNS
from pipelines.match.model import comparisons_for, splink_settings
from pipelines.warehouse import scratch_warehouse

EVERY_COLUMN = (*REGISTER_COLUMNS, "national_id", "birth_place", "occupation")


def level(comparison_name: str, left: dict[str, str], right: dict[str, str]) -> str:
    """The level that two records fall on, by the very conditions that Splink is given."""
    comparisons = comparisons_for(EVERY_COLUMN)
    comparison = next(c for c in comparisons if c.name == comparison_name)
    written = splink_settings([comparison], [], 0.001)["comparisons"][0]["comparison_levels"]
    names = ["missing", *(known.name for known in comparison.levels)]
    cases = " ".join(
        f"when {w['sql_condition']} then '{name}'"
        for w, name in zip(written, names, strict=True)
        if w["sql_condition"] != "ELSE"
    )
    cells = ", ".join(
        f"{_text(record.get(column))} as {column}_{side}"
        for side, record in (("l", left), ("r", right))
        for column in EVERY_COLUMN
    )
    with scratch_warehouse() as scratch:
        return str(scratch.one(f"select case {cases} else '{names[-1]}' end from (select {cells})"))


def _text(value: str | None) -> str:
    return "null::varchar" if value is None else "'" + value.replace("'", "''") + "'"


def person(text: str) -> dict[str, str]:
    """``forename=JEAN surname=SMITH`` as a record; an underscore stands for a space."""
    return {key: value.replace("_", " ") for key, value in (cell.split("=") for cell in text.split())}


@pytest.mark.parametrize(
    ("comparison", "left", "right", "expected"),
    [
        ("forename", "forename=JEAN", "forename=JEAN", "exact"),
        ("forename", "forename=PEGGY forename_root=MARGARET", "forename=MARGARET forename_root=MARGARET", "nickname"),
        ("forename", "forename=M", "forename=MARGARET", "initial"),
        ("forename", "forename=MARGRET", "forename=MARGARET", "close"),
        ("forename", "forename=MARY_ANN", "forename=MARY", "close"),
        ("forename", "forename=SMITH surname=JEAN", "forename=JEAN surname=SMITH", "swapped"),
        ("forename", "forename=RONALD own_name=RONALD", "forename=DONALD own_name=DONALD", "two_names"),
        ("forename", "forename=JEAN", "forename=PETER", "different"),
        *(
            ("forename", f"forename={left} forename_root={left}", f"forename={right} forename_root={right}", expected)
            for left, right, expected in (
                ("MOHAMMED_ASLAM", "MOHAMMED_AKRAM", "alike"),
                ("SIU_LING", "SIU_MEI", "alike"),
                ("MARIA_ELENA", "MARIA_TERESA", "alike"),
                ("MARIA_ELENA_SOFIA", "MARIA_ELENA_ROSA", "alike"),
                ("MOHAMMED", "MOHAMMED_ASLAM", "nickname"),
                ("MARIA_ELENA_SOFIA", "MARIA_SOFIA", "nickname"),
                ("MARIA_ELENA", "MARIA_E", "nickname"),
                ("MARY_MARGARET", "MARY_MARGARETA", "nickname"),
            )
        ),
        ("forename", "surname=SMITH", "forename=JEAN", "missing"),
        ("surname", "surname=SMITH", "surname=SMITH", "exact"),
        ("surname", "surname=SMITH home=1_MILL_ROAD", "surname=SMITH home=1_MILL_ROAD", "same_at_home"),
        ("surname", "surname=SMITH", "surname=JONES other_names=SMITH", "other_name"),
        ("surname", "surname=SMITH_JONES", "surname=JONES", "other_name"),
        ("surname", "surname=O_BRIEN", "surname=OBRIEN", "other_name"),
        ("surname", "surname=SMTIH", "surname=SMITH", "close"),
        ("surname", "surname=SMITH", "surname=PATEL", "different"),
        ("surname", "surname=JEAN forename=SMITH", "surname=SMITH forename=JEAN", "missing"),
        ("birth", "born=19400203", "born=19400203", "exact"),
        ("birth", "born=19400203 home=A", "born=19400203 home=A", "same_at_home"),
        ("birth", "born=19400101", "born=19400101", "first_of_january"),
        ("birth", "born=19400203", "born=19400302", "day_month_swapped"),
        ("birth", "born=19400203", "born=19400213", "one_digit"),
        ("birth", "born=19400203", "born=19620203", "two_parts"),
        ("birth", "born=19400203", "born=19401129", "same_year"),
        ("birth", "born=19400203", "born=19511129", "different"),
        (
            "home",
            "home=1_MILL_ROAD_CO4 address=1_MILL_ROAD",
            "home=1_MILL_ROAD_CO4 address=1_MILL_ROAD",
            "same_address",
        ),
        (
            "home",
            "address=1_MILL_ROAD postcode=CO4_3SQ home=A",
            "address=1_MIL_ROAD postcode=CO4_3SQ home=B",
            "near_address",
        ),
        ("home", "phone=+441206123456 postcode=A", "mobile=+441206123456 postcode=B", "same_phone"),
        ("home", "postcode=CO4_3SQ", "postcode=CO4_3SQ", "same_postcode"),
        ("home", "postcode=CO4_3SQ", "postcode=CO4_3SO", "near_postcode"),
        ("home", "postcode=CO4_3SQ outcode=CO4", "postcode=CO4_9ZZ outcode=CO4", "same_outcode"),
        ("home", "postcode=CO4_3SQ", "postcode=LS1_1AA", "different"),
        ("home", "town=LEEDS", "postcode=LS1_1AA", "missing"),
        ("gender", "gender=F", "gender=M", "different"),
        ("nhs_number", "nhs_number=9434765919", "nhs_number=9434765919", "same"),
        ("nhs_number", "nhs_number=9434765919", "nhs_number=9999999999", "different"),
        ("reference", "reference=0123456 reference_core=123456", "reference=0123456 reference_core=123456", "same"),
        ("reference", "reference=0123456 reference_core=123456", "reference=123456 reference_core=123456", "slip"),
        ("reference", "reference=A reference_core=123456", "reference=B reference_core=124356", "near"),
        ("reference", "reference=A reference_core=123456", "reference=B reference_core=987654", "different"),
        ("reference", "council=KENT reference_core=1", "council=ESSEX reference_core=1", "missing"),
        ("email", "email=jean@a.uk", "email=jean@b.uk", "same_name"),
        ("national_id", "national_id=1234567", "national_id=1234576", "close"),
        ("birth_place", "birth_place=LEEDS", "birth_place=LEEDS", "same"),
        ("occupation", "occupation=NURSE", "occupation=MINER", "different"),
    ],
)
def test_two_records_fall_on_the_level(comparison: str, left: str, right: str, expected: str) -> None:
    assert level(comparison, person(left), person(right)) == expected
    assert level(comparison, person(right), person(left)) == expected


def test_a_model_asks_only_what_its_columns_can_answer() -> None:
    names = [c.name for c in comparisons_for({"forename", "surname", "born", "town"})]
    assert names == ["forename", "surname", "birth", "town"]
    assert "town" not in [c.name for c in comparisons_for(REGISTER_COLUMNS)], "the home holds the town already"


def test_the_shares_of_each_comparison_sum_to_one() -> None:
    for comparison in (*comparisons_for(EVERY_COLUMN), *comparisons_for({"postcode", "forename"})):
        assert sum(known.m for known in comparison.levels) == pytest.approx(1)
        assert sum(known.u for known in comparison.levels) == pytest.approx(1)


def test_blocking_rules_read_as_sql() -> None:
    assert blocking_condition(BLOCKING["SWAPPED_NAMES"]) == "l.surname = r.forename and l.forename = r.surname"
    assert (
        blocking_condition(("born", "left(surname, 2)"))
        == "l.born = r.born and left(l.surname, 2) = left(r.surname, 2)"
    )
    assert blocking_columns(("born", "left(surname, 2)")) == {"born", "surname"}
