"""Any labelled file through the night's own matching."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.match.evaluate import evaluate_file
from pipelines.match.roles import guess_roles, read_roles
from pipelines.sample import make_sample
from pipelines.settings import SettingsError, load_settings


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("labelled")
    make_sample(out, clients=1_200, visits=10, seed=5)
    return out / "records.csv"


def test_the_made_up_people_are_found_and_nobody_is_mixed(labelled: Path, tmp_path: Path) -> None:
    found = evaluate_file(load_settings(tmp_path), labelled, "person_id")
    assert found.clusters.f1 > 0.97
    assert found.tiers["near-certain"].precision == 1
    assert found.tiers["near-certain"].recall > 0.8
    assert found.blocking_recall > 0.99


def test_a_match_probability_means_what_it_says(labelled: Path, tmp_path: Path) -> None:
    bands = evaluate_file(load_settings(tmp_path), labelled, "person_id").reliability
    sure = [band for band in bands if band["from"] >= 0.95]
    doubtful = [band for band in bands if band["to"] <= 0.1]
    assert sum(b["pairs"] * b["true"] for b in sure) / sum(b["pairs"] for b in sure) > 0.99
    assert sum(b["pairs"] * b["true"] for b in doubtful) / sum(b["pairs"] for b in doubtful) < 0.1


def test_nobody_is_taken_for_a_neighbour_a_spouse_or_a_twin(labelled: Path, tmp_path: Path) -> None:
    hard = evaluate_file(load_settings(tmp_path), labelled, "person_id").hard_negatives
    assert {"neighbours at one address", "couple or siblings", "two people of one name"} <= set(hard)
    assert all(counts["pairs"] > 0 for counts in hard.values())
    assert all(counts["near-certain"] == 0 for counts in hard.values())


def test_blocking_says_what_each_rule_brings(labelled: Path, tmp_path: Path) -> None:
    found = evaluate_file(load_settings(tmp_path), labelled, "person_id")
    recalls = [rule["recall"] for rule in found.blocking]
    assert recalls == sorted(recalls)
    assert recalls[-1] == found.blocking_recall


def test_the_truth_is_never_seen(labelled: Path, tmp_path: Path) -> None:
    rows = pd.read_csv(labelled, dtype=str)
    rows["person_id"] = rows["person_id"].sample(frac=1, random_state=1).to_numpy()
    rows.to_csv(tmp_path / "shuffled.csv", index=False)
    settings = load_settings(tmp_path / "home")
    evaluate_file(settings, labelled, "person_id", pairs_out=tmp_path / "a.parquet")
    evaluate_file(settings, tmp_path / "shuffled.csv", "person_id", pairs_out=tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_the_pairs_hold_every_pair_of_each_cluster(labelled: Path, tmp_path: Path) -> None:
    evaluate_file(load_settings(tmp_path), labelled, "person_id", pairs_out=tmp_path / "pairs.parquet")
    pairs = pq.read_table(tmp_path / "pairs.parquet").to_pandas()
    assert list(pairs) == ["left_row", "right_row", "match_probability", "tier", "same_cluster"]
    assert (pairs["left_row"] < pairs["right_row"]).all()
    people = pd.read_csv(labelled, dtype=str)["person_id"].to_numpy()
    together = pairs[pairs["same_cluster"]]
    right = people[together["left_row"]] == people[together["right_row"]]
    assert right.mean() > 0.97
    assert not pairs.duplicated(["left_row", "right_row"]).any()


def test_other_columns_make_another_model(tmp_path: Path) -> None:
    """No address, no phone: names, a birth date in three columns, a birth place and an e-mail."""
    rows = [
        {"given_name": f, "last_name": s, "birth_day": d, "birth_month": m, "birth_year": y, "birth_place": p, "who": w}
        for f, s, d, m, y, p, w in [
            ("Jean", "Smith", 3, 2, 1940, "Leeds", 1), ("Jean", "Smyth", 3, 2, 1940, "Leeds", 1),
            ("Peter", "Jones", 9, 11, 1951, "York", 2), ("Peter", "Jones", 9, 11, 1951, None, 2),
            ("Asha", "Patel", 30, 1, 1938, "Pune", 3),
        ]
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "people.parquet")
    found = evaluate_file(load_settings(tmp_path / "home"), tmp_path / "people.parquet", "who")
    assert found.clusters.f1 == 1
    assert set(found.roles.values()) >= {"forename", "surname", "birth_day", "birth_place"}


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        (
            [
                "given_name",
                "surname",
                "street_number",
                "address_1",
                "suburb",
                "postcode",
                "date_of_birth",
                "soc_sec_id",
            ],
            ["forename", "surname", "street_number", "address_1", "town", "postcode", "birth", "national_id"],
        ),
        (["first_name", "dob", "city", "email"], ["forename", "birth", "town", "email"]),
        (["Forename", "NHS No", "Post Code", "Sex"], ["forename", "nhs_number", "postcode", "gender"]),
    ],
)
def test_roles_are_guessed_from_how_headings_sound(headings: list[str], expected: list[str]) -> None:
    assert list(guess_roles(["unique_id", *headings]).values()) == expected


def test_a_mapping_says_which_column_is_what(tmp_path: Path) -> None:
    mapping = tmp_path / "m.yaml"
    mapping.write_text("columns: {A: forename, B: surname}")
    assert read_roles(mapping, ["A", "B", "C"]) == {"A": "forename", "B": "surname"}
    for wrong in ("columns: {Z: forename}", "columns: {A: shoe_size}", "A: forename", "{"):
        mapping.write_text(wrong)
        with pytest.raises(SettingsError):
            read_roles(mapping, ["A", "B"])


def test_the_command_answers_in_json_and_refuses_a_truth_that_is_not_there(labelled: Path, tmp_path: Path) -> None:
    arguments: list[Any] = ["evaluate", str(labelled), "--home", str(tmp_path), "--json", "--truth"]
    answer = CliRunner().invoke(main, [*arguments, "person_id"])
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["clusters"]["f1"] > 0.97
    assert CliRunner().invoke(main, [*arguments, "nobody"]).exit_code == 2


def test_a_file_with_nothing_to_compare_says_so(tmp_path: Path) -> None:
    for name, text in {
        "empty": "first_name,who\n",
        "blank": "first_name,who\n,1\n,1\n",
        "other": "colour,who\nred,1\n",
    }.items():
        (tmp_path / f"{name}.csv").write_text(text)
        with pytest.raises(SettingsError):
            evaluate_file(load_settings(tmp_path / "home"), tmp_path / f"{name}.csv", "who")
