"""When a known identifier comes with somebody who is plainly another person: the rule as a table of cases."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random

import pandas as pd
import pytest

from pipelines.match.roles import ROLES
from pipelines.sample import make_sample
from pipelines.stage.standardise import (
    PLACEHOLDER_NAMES,
    know_nicknames,
    learn_standard_forms,
    load_placeholder_names,
)
from pipelines.warehouse import Warehouse, scratch_warehouse, sql_text

Person = Mapping[str, str]
READING = {"date_formats": ["%d/%m/%Y"], "prefix_pattern": "^$"}

AGNES = {"forename": "Agnes", "surname": "Fennimore", "gender": "F", "birth": "02/03/1931", "address_1": "1 Fable Row",
         "postcode": "CO4 3SQ"}  # fmt: skip
HAROLD = {"forename": "Harold", "surname": "Goneby", "gender": "M", "birth": "17/08/1934", "address_1": "6 Saga Street",
          "postcode": "LS6 2NT"}  # fmt: skip
ONE_NUMBER = {"nhs_number": "9434765919"}
OTHER_NUMBER = {"nhs_number": "9434765870"}
MOVED = {"address_1": "9 Yarn Hill", "postcode": "TN9 1RA"}

THE_SAME = [
    ("nothing changed", AGNES, {}),
    ("marriage", AGNES, {"surname": "Latterby"}),
    ("marriage and a move", AGNES, {"surname": "Latterby", **MOVED}),
    ("deed poll: both names", AGNES, {"forename": "Rowan", "surname": "Sunderby"}),
    ("a corrected birth date", AGNES, {"birth": "14/11/1936"}),
    ("a corrected birth date and a move", AGNES, {"birth": "14/11/1936", **MOVED}),
    ("a corrected birth date and marriage", AGNES, {"birth": "14/11/1936", "surname": "Latterby"}),
    ("day and month swapped", AGNES, {"birth": "03/02/1931", "forename": "Nessie"}),
    ("a move", AGNES, MOVED),
    ("a gender change with the same birth date", AGNES, {"forename": "Angus", "gender": "M"}),
    ("a gender change and a new surname", AGNES, {"forename": "Rowan", "surname": "Sunderby", "gender": "M"}),
    ("a gender change with the same NHS number", {**AGNES, **ONE_NUMBER, "birth": ""},
     {"forename": "Angus", "gender": "M"}),
    ("one NHS number, all else different", {**AGNES, **ONE_NUMBER}, HAROLD),
    ("Peggy, formally Margaret", {**AGNES, "forename": "Peggy"}, {"forename": "Margaret", "birth": "14/11/1936"}),
    ("Dick, formally Richard", {**HAROLD, "forename": "Dick"}, {"forename": "Richard", "birth": "09/01/1940"}),
    ("Jack, formally John", {**HAROLD, "forename": "Jack"}, {"forename": "John", "birth": "09/01/1940"}),
    ("Harry, formally Henry", {**HAROLD, "forename": "Harry"}, {"forename": "Henry", "birth": "09/01/1940"}),
    ("Beth, formally Elizabeth", {**AGNES, "forename": "Beth"}, {"forename": "Elizabeth", "birth": "09/01/1940"}),
    ("a name that she is known by", {**AGNES, "known_as": "Sunny"}, {"forename": "Sunny", "birth": "09/01/1940"}),
    ("an initial", AGNES, {"forename": "A", "birth": "14/11/1936"}),
    ("a slip of the pen", AGNES, {"forename": "Anges", "birth": "14/11/1936"}),
    ("Mohammed, spelt Muhammad", {**HAROLD, "forename": "Mohammed"}, {"forename": "Muhammad", "birth": "09/01/1940"}),
    ("Yusuf, spelt Youssef", {**HAROLD, "forename": "Yusuf"}, {"forename": "Youssef", "birth": "09/01/1940"}),
    ("Aisha, spelt Ayesha", {**AGNES, "forename": "Aisha"}, {"forename": "Ayesha", "birth": "09/01/1940"}),
    ("Oleksandr, spelt Alexander", {**HAROLD, "forename": "Oleksandr"},
     {"forename": "Alexander", "birth": "09/01/1940"}),
    ("an added middle name", AGNES, {"forename": "Agnes Mary", "birth": "14/11/1936"}),
    ("the middle name in use", {**AGNES, "forename": "Agnes Mary"}, {"forename": "Mary", "birth": "14/11/1936"}),
    ("given names the other way round", {**AGNES, "forename": "Siu Ling"},
     {"forename": "Ling Siu", "birth": "09/01/1940"}),
    ("forename and surname swapped", AGNES, {"forename": "Fennimore", "surname": "Agnes", "birth": "14/11/1936"}),
    ("a double-barrelled surname, a move, a corrected birth", AGNES,
     {"surname": "Fennimore-Latterby", "birth": "14/11/1936", **MOVED}),
    ("a maiden name that was known", {**AGNES, "other_names": "Latterby"},
     {"surname": "Latterby", "birth": "14/11/1936", **MOVED}),
    ("twins of whom nothing else is known", AGNES, {"forename": "Dorothea"}),
    ("the birth date went missing", AGNES, {"birth": ""}),
    ("all but the name went missing", AGNES, dict.fromkeys(("birth", "gender", "address_1", "postcode"), "")),
    ("another forename and no birth date", AGNES, {"forename": "Constance", "birth": ""}),
    ("a placeholder in place of the name", AGNES, {"forename": "Unknown", "surname": "Unknown", "birth": "14/11/1936"}),
    ("a placeholder in place of the birth date", AGNES, {"forename": "Constance", "birth": "01/01/1900"}),
    ("a title before the forename", AGNES, {"forename": "Mrs Agnes", "birth": "14/11/1936"}),
]  # fmt: skip

SOMEBODY_ELSE = [
    ("a reused id", AGNES, HAROLD),
    ("a wife over her husband", HAROLD, {"forename": "Dorothy", "gender": "F", "birth": "09/01/1937"}),
    ("a wife over her husband, gender not sent", {**HAROLD, "gender": ""},
     {"forename": "Dorothy", "birth": "09/01/1937"}),
    ("a man of the same initial and sex", HAROLD, {"forename": "Henry", "surname": "Latterby", "birth": "02/06/1944"}),
    ("a brother of the same initial at one home", HAROLD, {"forename": "Herbert", "birth": "02/06/1944"}),
    ("brothers whose first names agree", {**HAROLD, "forename": "Mohammed Aslam"},
     {"forename": "Mohammed Akram", "birth": "02/06/1944"}),
    ("sisters whose first names agree", {**AGNES, "forename": "Siu Ling"},
     {"forename": "Siu Mei", "birth": "02/06/1944"}),
    ("twins with two NHS numbers", {**AGNES, **ONE_NUMBER}, {**OTHER_NUMBER, "forename": "Dorothea"}),
    ("two NHS numbers, a birth date missing", {**AGNES, **ONE_NUMBER, "birth": ""},
     {**OTHER_NUMBER, "forename": "Constance", "birth": "14/11/1936"}),
    ("forename, surname, gender and home, a birth date missing", {**AGNES, "birth": ""}, {**HAROLD, "birth": ""}),
    ("forename, surname and home, a birth date missing", {**AGNES, "birth": ""},
     {"forename": "Constance", "surname": "Latterby", **MOVED}),
    ("another surname, birth date and home, the forename a placeholder", AGNES,
     {"forename": "Unknown", "surname": "Latterby", "birth": "02/06/1944", **MOVED}),
    ("Christine over Christopher", {**HAROLD, "forename": "Christopher"},
     {"forename": "Christine", "gender": "F", "birth": "09/01/1937"}),
    ("another John", {**HAROLD, "forename": "John"},
     {"forename": "John", "surname": "Latterby", "birth": "02/06/1944", **MOVED}),
    ("another person of whom the initial alone is sent", HAROLD,
     {"forename": "H", "surname": "Latterby", "birth": "02/06/1944", **MOVED}),
]  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[bool, bool]]:
    """What the rule says of each case, both ways round."""
    cases = [*THE_SAME, *SOMEBODY_ELSE]
    with scratch_warehouse() as warehouse:
        said = someone_else(warehouse, [(before, {**before, **change}) for _, before, change in cases])
    return {about: both for (about, *_), both in zip(cases, said, strict=True)}


def someone_else(warehouse: Warehouse, pairs: Iterable[tuple[Person, Person]]) -> list[tuple[bool, bool]]:
    """Whether two rows of one identifier are plainly about two people, asked both ways round."""
    rows = pd.DataFrame([person for pair in pairs for person in pair], columns=list(ROLES), dtype="str")
    rows = rows.replace("", None).assign(row_id=range(len(rows)))
    with warehouse.relation("cells", rows):
        columns = ", ".join(f"{role}::varchar as {role}" for role in ROLES)
        warehouse.execute(f"create or replace temp table file_rows as select row_id, {columns} from cells")
    warehouse.work("sent_people", "matched.sent_people", READING)
    learn_standard_forms(warehouse, "GB")
    load_placeholder_names(warehouse)
    know_nicknames(warehouse)
    warehouse.execute(f"create or replace temp table people as {sql_text('staged.people')}")
    return [
        (bool(one), bool(other))
        for one, other in warehouse.rows(
            "with sides as materialized (select l, r from people as l left join people as r on r.row_number ="
            " l.row_number + 1) select someone_else(l, r), someone_else(r, l) from sides where l.row_number % 2 = 0"
            " order by l.row_number"
        )
    ]


@pytest.mark.parametrize("about", [about for about, *_ in THE_SAME])
def test_the_same_person_updates_the_record(answers: dict[str, tuple[bool, bool]], about: str) -> None:
    assert answers[about] == (False, False)


@pytest.mark.parametrize("about", [about for about, *_ in SOMEBODY_ELSE])
def test_somebody_else_gets_a_record_of_their_own(answers: dict[str, tuple[bool, bool]], about: str) -> None:
    assert answers[about] == (True, True)


MADE_UP = 500 if os.environ.get("PROVE") == "full" else 200


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(3 if os.environ.get("PROVE") == "full" else 1))
def test_of_made_up_people_99_in_100_overlays_are_kept_apart_and_1_in_100_changes(seed: int, tmp_path: Path) -> None:
    """Overlays and changes of six kinds each, on people of the sample, most of whom lack something."""
    make_sample(tmp_path / "feeds", clients=6 * MADE_UP, visits=0, seed=seed + 1)
    people = made_up_people(tmp_path / "feeds/records.csv")
    rng = Random(seed)  # noqa: S311
    overlays = [pair for pair in (_overlay(rng, people, n % 6) for n in range(40 * MADE_UP)) if pair][:MADE_UP]
    changes = [(person := rng.choice(people), {**person, **_changed(rng, person, n % 6)}) for n in range(MADE_UP)]
    with scratch_warehouse() as warehouse:
        apart = [one or other for one, other in someone_else(warehouse, overlays)]
        wrong = [one or other for one, other in someone_else(warehouse, changes)]
    assert len(overlays) == MADE_UP
    assert sum(apart) >= 0.99 * MADE_UP, [pair for pair, kept in zip(overlays, apart, strict=True) if not kept]
    assert sum(wrong) <= 0.01 * MADE_UP, [pair for pair, kept in zip(changes, wrong, strict=True) if kept]


def made_up_people(records: Path) -> list[dict[str, str]]:
    """One record of each true person of a sample who has a name and a birth date."""
    columns = {"Forename": "forename", "Surname": "surname", "Gender": "gender", "DateOfBirth": "birth",
               "NHSNumber": "nhs_number", "Address1": "address_1", "Postcode": "postcode"}  # fmt: skip
    rows = pd.read_csv(records, dtype="str", keep_default_na=False).drop_duplicates("person_id")
    rows = rows[["person_id", "household_id", *columns]].rename(columns=columns)
    rows["birth"] = pd.to_datetime(rows["birth"], errors="coerce").dt.strftime("%d/%m/%Y")
    named = rows[rows["birth"].notna() & (rows["forename"].str.len() > 1) & (rows["surname"].str.len() > 1)]
    named = named[~named["forename"].str.upper().isin(PLACEHOLDER_NAMES)]
    return [dict(row) for row in named.to_dict("records")]


def _overlay(rng: Random, people: list[dict[str, str]], kind: int) -> tuple[Person, Person] | None:
    """A person over another one's card; None where the two that were drawn do not make a case of the kind."""
    one, other = rng.sample(people, 2)
    one, other = dict(one), dict(other)
    home = {column: one[column] for column in ("surname", "address_1", "postcode")}
    if kind == 1:  # a wife over her husband
        return (
            (one, {**other, **home}) if {one["gender"], other["gender"]} == {"F", "M"} and _unlike(one, other) else None
        )
    if kind == 2:  # a brother or sister at one home
        return (one, {**other, **home}) if one["gender"] == other["gender"] and _unlike(one, other) else None
    if kind == 3:  # the same initial and sex
        alike = one["forename"][0] == other["forename"][0] and one["gender"] == other["gender"]
        return (one, other) if alike and one["birth"][6:] != other["birth"][6:] else None
    if kind == 4:  # a birth date is missing, both have a number
        numbers = one["nhs_number"] and other["nhs_number"] and one["nhs_number"] != other["nhs_number"]
        return (one, {**other, "birth": ""}) if numbers and _unlike(one, other) else None
    if kind == 5:  # no numbers
        return {**one, "nhs_number": ""}, {**other, "nhs_number": ""}
    return one, other  # an id that was given out again


def _unlike(one: Person, other: Person) -> bool:
    """Whether two people's forenames are unlike at sight, as of a couple: another initial."""
    return one["forename"][0] != other["forename"][0] and one["birth"][6:] != other["birth"][6:]


def _changed(rng: Random, person: Person, kind: int) -> dict[str, str]:
    """What a real change leaves of a record."""
    day, month, year = person["birth"].split("/")
    moved = {"address_1": "1 Elsewhere Road", "postcode": "TN24 8RT"}
    return [
        {"surname": "Latterby"},
        {"surname": "Latterby", **moved},
        {"birth": f"{rng.randint(1, 28):02}/{rng.randint(1, 12):02}/{int(year) + rng.randint(-9, 9)}", **moved},
        {"forename": "Rowan", "surname": "Sunderby"},
        {"forename": person["forename"] + rng.choice([" Mary", " John", " A"]), "nhs_number": ""},
        {"birth": f"{month}/{day}/{year}" if int(day) <= 12 else f"{int(day) - 1:02}/{month}/{year}",
         "forename": person["forename"][:1]},
    ][kind]  # fmt: skip
