"""Matching by Spark comes to what matching by DuckDB comes to: level by level, and the whole night byte for byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import compress
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import pyarrow as pa
import pytest
import test_levels
from office import NIGHT, Office
from on_spark import needs_spark, on_spark

from pipelines.fingerprint import fingerprint
from pipelines.match.blocking import blocked_pairs
from pipelines.match.comparisons import REGISTER_COLUMNS, Comparison
from pipelines.match.model import comparisons_for, splink_settings
from pipelines.match.models import load_model
from pipelines.match.score import hand_out_to_spark, match_clients
from pipelines.match.spark import handover
from pipelines.match.spark.dialect import in_spark
from pipelines.match.spark.submit import SparkFailedError, spark_submit
from pipelines.nightly import run_night
from pipelines.private import too_open
from pipelines.sample import make_sample
from pipelines.settings import KEY_VARIABLE, Settings, SettingsError, load_settings
from pipelines.warehouse import Warehouse, open_warehouse, scratch_warehouse

(CASES,) = (mark.args[1] for mark in test_levels.test_two_records_fall_on_the_level.pytestmark)
LETTERS = ("AB", "ABCD", "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ ")
RARE = (
    ("nhs_number=9434765919", "nhs_number=9434765991"),
    ("email=jean.smith@a.uk", "email=jean.smth@a.uk"),
    ("surname=ALDRIDGE", "surname=ALDER"),
    ("forename=MARTIN", "forename=MARIAN"),
    ("address=14_MILLER_ROAD", "address=14_MILER_ROAD"),
)
ROOT = Path(__file__).parents[2]
THRESHOLDS = (0.7, 0.75, 0.88, 0.92)
COUNTED = {
    "one_slip": "damerau_levenshtein(a, b) <= 1",
    "two_slips": "damerau_levenshtein(a, b) <= 2",
    "places": "case when length(a) <> length(b) then true else hamming(a, b) > 2 end",
}
LAST_BIT = 1e-15
Levels: TypeAlias = dict[str, list[int]]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office whose first night has trained a model and matched."""
    office = Office(tmp_path_factory.mktemp("on_spark") / "home")
    make_sample(office.settings.home, clients=600, visits=0, seed=9)
    run_night(office.settings, office.settings.inbox, NIGHT)
    return office


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession
    from splink import SparkAPI
    from splink.backends.spark import similarity_jar_location

    asked = {
        "spark.jars": similarity_jar_location(), "spark.ui.enabled": "false", "spark.log.level": "OFF",
        "spark.driver.host": "127.0.0.1", "spark.sql.shuffle.partitions": "2",
    }  # fmt: skip
    session = SparkSession.builder.master("local[2]").config(map=asked).getOrCreate()
    SparkAPI(spark_session=session)  # makes the functions of the jar known
    yield session
    session.stop()


def level_of(comparison: Comparison) -> str:
    """SQL for the number of the level that a pair falls on, by the very conditions that Splink is given."""
    written = splink_settings([comparison], [], 0.001)["comparisons"][0]["comparison_levels"]
    cases = [f"when {level['sql_condition']} then {n}" for n, level in enumerate(written[:-1])]
    return f"case {' '.join(cases)} else {len(written) - 1} end"


def both_ways(scratch: Warehouse, spark: Any, rows: pa.Table, expressions: dict[str, str]) -> tuple[Levels, Levels]:
    """The expressions over the rows, by DuckDB and by Spark."""
    columns = ", ".join(f"cast({sql} as integer) as {name}" for name, sql in expressions.items())
    with scratch.relation("pairs", rows):
        by_duckdb = scratch.connection.sql(f"select {columns} from pairs order by n").to_arrow_table().to_pydict()
    spark.createDataFrame(rows).createOrReplaceTempView("pairs")
    return by_duckdb, spark.sql(in_spark(f"select {columns} from pairs order by n")).toArrow().to_pydict()


def forget_matching(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        for table in warehouse.tables("matched"):
            warehouse.execute(f"drop table {table}")


@needs_spark
def test_a_pair_falls_on_the_same_level(office: Office, spark: Any) -> None:
    """The cases of test_levels.py, and pairs of a made-up register that meet every level it can bear."""
    comparisons = {c.name: level_of(c) for c in comparisons_for(test_levels.EVERY_COLUMN)}
    known = [
        {
            f"{column}_{side}": record.get(column)
            for side, record in (("l", one), ("r", other))
            for column in test_levels.EVERY_COLUMN
        }
        for left, right in (*((left, right) for _, left, right, _ in CASES), *RARE)
        for one, other in (
            (test_levels.person(left), test_levels.person(right)),
            (test_levels.person(right), test_levels.person(left)),
        )
    ]
    sides = ", ".join(f"{side}.{column} as {column}_{side}" for side in "lr" for column in REGISTER_COLUMNS)
    model = load_model(office.settings)
    assert model is not None
    with open_warehouse(office.settings) as warehouse, scratch_warehouse() as scratch:
        of_register = warehouse.connection.sql(
            f"select {sides} from ({blocked_pairs(model.blocking, 'matched.blocks', 'matched.blocks')})"
            " join matched.records as l on l.client_id = left_id join matched.records as r on r.client_id = right_id"
        ).to_arrow_table()
        rows = pa.concat_tables([pa.Table.from_pylist(known), of_register], promote_options="default")
        rows = rows.append_column("n", pa.array(range(len(rows))))
        by_duckdb, by_spark = both_ways(scratch, spark, rows, comparisons)
    for name, sql in comparisons.items():
        assert by_duckdb[name] == by_spark[name], sql
    for comparison in comparisons_for(REGISTER_COLUMNS):
        met = set(by_duckdb[comparison.name])
        assert met == set(range(len(comparison.levels) + 1)), comparison.name


@needs_spark
def test_texts_are_as_like_to_spark_as_to_duckdb(spark: Any) -> None:
    """But for the last bit: DuckDB multiplies and adds in one step, which a JVM does in two."""
    chance = Random(9)  # noqa: S311 - made-up texts
    texts = [_text_and_a_slip_of_it(chance) for _ in range(20_000)]
    rows = pa.table({"n": range(len(texts)), "a": [a for a, _ in texts], "b": [b for _, b in texts]})
    alike = {f"alike_{n}": f"jaro_winkler_similarity(a, b) >= {least}" for n, least in enumerate(THRESHOLDS)}
    with scratch_warehouse() as scratch, scratch.relation("texts", rows):
        by_duckdb, by_spark = both_ways(scratch, spark, rows, COUNTED | alike)
        measured = scratch.rows("select jaro_winkler_similarity(a, b) from texts order by n")
    for name in COUNTED:
        assert set(by_duckdb[name]) == {0, 1}
        assert by_duckdb[name] == by_spark[name], name
    for name, least in zip(alike, THRESHOLDS, strict=True):
        certain = [abs(similarity - least) > LAST_BIT for (similarity,) in measured]
        assert set(compress(by_duckdb[name], certain)) == {0, 1}
        assert list(compress(by_duckdb[name], certain)) == list(compress(by_spark[name], certain)), least


def _text_and_a_slip_of_it(chance: Random) -> tuple[str, str]:
    letters = chance.choice(LETTERS)
    one = "".join(chance.choices(letters, k=chance.randint(1, chance.choice((4, 8, 16, 40)))))
    other = list(one)
    for _ in range(chance.randint(0, 4)):
        at = chance.randrange(len(other) + 1)
        other[at : at + chance.randint(0, 2)] = chance.choices(letters, k=chance.randint(0, 2))
    if chance.random() < 0.2:
        chance.shuffle(other)
    return one, "".join(other) or chance.choice(letters)


@needs_spark
def test_a_night_by_spark_is_a_night_by_duckdb(office: Office) -> None:
    forget_matching(office.settings)
    by_duckdb = match_clients(office.settings, NIGHT)
    state = fingerprint(office.settings)

    forget_matching(office.settings)
    folder = hand_out_to_spark(on_spark(office.settings), NIGHT)
    assert folder is not None and too_open(office.settings.home) == []
    by_spark = match_clients(on_spark(office.settings), NIGHT)

    assert by_spark == by_duckdb
    assert fingerprint(office.settings) == state
    assert list(office.settings.exchange.iterdir()) == [], "what was handed out is personal data"


@needs_spark
def test_what_spark_cannot_do_is_told_without_a_word_of_the_records(office: Office) -> None:
    forget_matching(office.settings)
    with pytest.raises(SparkFailedError, match=r"Spark ended with code \d+ .* in .*/scratch/spark/\w+ ") as told:
        match_clients(on_spark(office.settings, master="nowhere"), NIGHT)
    assert (Path(str(told.value).split(" in ")[1].split(" (")[0]) / "said.txt").exists()
    assert not office.one("select count(*) from duckdb_tables() where table_name = 'pairs'"), "all of it or nothing"

    match_clients(office.settings, NIGHT)
    assert list(office.settings.exchange.iterdir()) == [], "the next run removes what was left"


@needs_spark
@pytest.mark.prove
@pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="four processes: make prove")
def test_the_benchmark_finds_no_difference() -> None:
    run = [sys.executable, ROOT / "benchmarks" / "run.py", "spark", "--quick"]
    done = subprocess.run(run, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "250"})
    assert "the same" in done.stdout and "ANOTHER" not in done.stdout


def test_the_same_is_handed_out_once_and_a_change_is_handed_out_anew(office: Office) -> None:
    settings = on_spark(office.settings)
    forget_matching(settings)
    first = hand_out_to_spark(settings, NIGHT)
    assert first is not None and not handover.is_scored(first)
    (first / "pairs").mkdir()
    (first / "pairs" / "part-0.parquet").write_bytes(b"cut off")
    assert hand_out_to_spark(settings, NIGHT) == first
    assert not handover.is_scored(first), "without Spark's mark of success nothing is taken in"

    with open_warehouse(settings) as warehouse:
        warehouse.execute("update staged.clients set town = 'ELSEWHERE', compared_hash = 0 where client_id = 1")
    second = hand_out_to_spark(settings, NIGHT)
    assert second is not None and second != first
    assert list(settings.exchange.iterdir()) == [second]
    handover.discard(settings)


def test_a_small_night_is_left_to_duckdb(office: Office) -> None:
    forget_matching(office.settings)
    assert hand_out_to_spark(on_spark(office.settings, from_records=100_000), NIGHT) is None
    assert hand_out_to_spark(office.settings, NIGHT) is None


def test_what_was_handed_out_is_removed_by_the_next_match_of_either_engine(office: Office) -> None:
    forget_matching(office.settings)
    assert hand_out_to_spark(on_spark(office.settings), NIGHT) is not None
    assert too_open(office.settings.home) == []
    match_clients(office.settings, NIGHT)
    assert list(office.settings.exchange.iterdir()) == []


def test_a_pair_that_spark_weighs_otherwise_stops_the_night() -> None:
    with scratch_warehouse() as scratch:
        scratch.execute("create table weighed as select 1 as left_id, 2 as right_id, 7.5 as match_weight")
        for found, stops in ((7.5 + 1e-9, False), (7.4, True)):
            scratch.execute(
                "create or replace table found_by_spark as select 1 as left_id, 2 as right_id, $w as match_weight",
                {"w": found},
            )
            if stops:
                with pytest.raises(handover.SparkDisagreesError, match="1 of 1 pairs"):
                    handover.look_for_disagreement(scratch, "weighed")
            else:
                handover.look_for_disagreement(scratch, "weighed")


def test_the_engine_is_no_part_of_a_result(office: Office) -> None:
    assert on_spark(office.settings).config_hash() == office.settings.config_hash()


def test_an_encrypted_home_refuses_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyrage import x25519

    monkeypatch.setenv(KEY_VARIABLE, str(x25519.Identity.generate()))
    (tmp_path / "settings.toml").write_text('[match]\nengine = "spark"\n')
    with pytest.raises(SettingsError, match="unencrypted beside an encrypted home"):
        load_settings(tmp_path)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="Correct SPARK_HOME"):
        spark_submit()
    (tmp_path / "bin").mkdir()
    shutil.copyfile("/bin/sh", tmp_path / "bin" / "spark-submit")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="Java 17"):
        spark_submit()


@pytest.mark.parametrize(
    "line",
    ['exchange = "here"', 'driver_memory = "4 GB"', 'conf = {"executor.cores" = "2"}', 'conf = {"spark.x" = "1\\n2"}'],
)
def test_settings_that_spark_would_not_understand_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "settings.toml").write_text(f"[spark]\n{line}\n")
    with pytest.raises(SettingsError, match=r"spark\."):
        load_settings(tmp_path)
