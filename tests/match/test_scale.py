"""The benchmark of large registers runs, on ten thousand; growth exponents; and much is done in parts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from splink import DuckDBAPI

from benchmarks.matching import report
from benchmarks.reporting.figures import exponent
from pipelines import nightly
from pipelines.fingerprint import fingerprint
from pipelines.match import engine, score
from pipelines.match.models import load_model
from pipelines.match.score import load_records
from pipelines.sample import make_sample
from pipelines.settings import load_settings
from pipelines.stage import register, standardise
from pipelines.warehouse import open_warehouse, tables

ROOT = Path(__file__).parents[2]
NIGHT = date(2026, 11, 20)


@pytest.mark.prove
@pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="six processes: make prove")
def test_it_runs_on_a_small_register() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run.py", "scale", "--quick"], capture_output=True, text=True, check=True
    )
    for part in ("first match", "everything again", "1,000 new records", "without news", "plain Splink"):
        assert part in done.stdout


def test_a_growth_exponent_is_the_slope_between_logarithms() -> None:
    assert exponent([1, 10, 100], [5, 50, 500]) == pytest.approx(1)
    assert exponent([1, 10, 100], [7, 7, 7]) == pytest.approx(0)
    assert exponent([1e5, 1e6], [1, 10**0.5]) == pytest.approx(0.5)


def test_parts_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The register derived, and its pairs scored, a few at a time."""
    make_sample(tmp_path / "sample", clients=150, visits=0, seed=6)
    states = []
    for at_once in (None, 40):
        if at_once:
            monkeypatch.setattr(register, "DERIVED_AT_ONCE", at_once)
            monkeypatch.setattr(register, "WRITTEN_AT_ONCE", at_once)
            monkeypatch.setattr(register, "CHECKED_AT_ONCE", at_once)
            monkeypatch.setattr(standardise, "BATCH", at_once)
            monkeypatch.setattr(tables, "BATCH", at_once)
            monkeypatch.setattr(score, "BATCHES_AT_ONCE", 1)
            monkeypatch.setattr(engine, "PAIRS_AT_ONCE", at_once)
        shutil.copytree(tmp_path / "sample" / "inbox", tmp_path / "inbox")
        settings = load_settings(tmp_path / f"home-{at_once}")
        for delivery_id in nightly.find_deliveries(tmp_path / "inbox", NIGHT):
            nightly.land(settings, tmp_path / "inbox", NIGHT, delivery_id)
        nightly.stage(settings, NIGHT)
        nightly.match(settings, NIGHT)
        shutil.rmtree(tmp_path / "inbox")
        states.append(fingerprint(settings))
    assert states[0] == states[1]


def test_results_of_one_benchmark_leave_those_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "RESULTS.md"
    monkeypatch.setattr(report, "RESULTS", results)
    report.write_section("One", ["first", "", "## Part", "", "1"])
    report.write_section("Two", ["second"])
    report.write_section("One", ["again", "", "## Part", "", "2"])
    assert results.read_text() == "# One\n\nagain\n\n## Part\n\n2\n\n# Two\n\nsecond\n"


def test_splink_is_given_each_column_once(tmp_path: Path) -> None:
    """It finds the columns of a table by its bare name, and the warehouse beside the scratch one has `records` too."""
    make_sample(tmp_path, clients=60, visits=0, seed=6)
    settings = load_settings(tmp_path / "home")
    nightly.run_night(settings, tmp_path / "inbox", NIGHT)
    model = load_model(settings)
    assert model
    with open_warehouse(settings) as warehouse, warehouse.scratch() as scratch:
        load_records(scratch, "records", warehouse.batches("from matched.records"))
        (given,) = model.engine(scratch).linker._input_tables_dict.values()
        columns = [column.unquote().name for column in given.columns]
    assert sorted(columns) == sorted(set(columns))


@pytest.mark.parametrize(("at_once", "copies"), [(1_000_000, False), (10, True)])
def test_splink_copies_records_only_where_pairs_need_few_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, *, copies: bool
) -> None:
    statements: list[str] = []
    execute = DuckDBAPI._execute_sql_against_backend
    monkeypatch.setattr(
        DuckDBAPI,
        "_execute_sql_against_backend",
        lambda api, sql: statements.append(sql) or execute(api, sql),
    )
    monkeypatch.setattr(engine, "PAIRS_AT_ONCE", at_once)
    make_sample(tmp_path, clients=60, visits=0, seed=6)
    nightly.run_night(load_settings(tmp_path / "home"), tmp_path / "inbox", NIGHT)
    assert any("create table __splink__df_predict" in sql.lower() for sql in statements)
    assert any("semi join" in sql for sql in statements) == copies
