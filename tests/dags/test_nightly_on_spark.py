"""The nightly DAG with Spark's provider installed: `spark-submit` really runs, and the night is what it is without."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.utils import db
from office import NIGHT, Office
from on_spark import installed, needs_spark

from pipelines.fingerprint import fingerprint
from pipelines.match.spark.submit import spark_submit
from pipelines.nightly import run_night
from pipelines.sample import make_sample
from pipelines.warehouse import open_warehouse

DAGS = Path(__file__).parents[2] / "dags"
BY_SPARK = '[match]\nengine = "spark"\n[spark]\nmaster = "local[2]"\nfrom_records = {}\nshuffle_partitions = 4\n'

pytestmark = [
    needs_spark,
    pytest.mark.skipif(
        not installed("apache-airflow-providers-apache-spark"),
        reason='Spark\'s provider is not installed: pip install "apache-airflow-providers-apache-spark>=5.6,<6"',
    ),
]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """An office with a model, where everything has to be matched again."""
    office = Office(tmp_path / "home")
    monkeypatch.setenv("ONECLIENT_HOME", str(office.settings.home))
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_DEFAULT", '{"conn_type": "spark", "host": "local[2]"}')
    monkeypatch.setenv("PATH", f"{spark_submit().parent}{os.pathsep}{os.environ['PATH']}")
    make_sample(office.settings.home, clients=300, visits=0, seed=7)
    run_night(office.settings, office.settings.inbox, NIGHT)
    return office


def run(office: Office) -> dict[str, str]:
    """Everything matched again by the DAG; the state of each task."""
    with open_warehouse(office.settings) as warehouse:
        for table in warehouse.tables("matched"):
            warehouse.execute(f"drop table {table}")
    db.initdb()
    loaded: Any = DagBag(DAGS).dags["nightly"]
    for task in loaded.tasks:
        task.retries = 0
    done = loaded.test(run_conf={"day": NIGHT.isoformat()})
    return {task.task_id: str(task.state) for task in done.get_task_instances()}


def test_a_large_night_goes_through_spark_submit_and_a_small_one_does_not(
    office: Office, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    state, settings_file = fingerprint(office.settings), office.settings.home / "settings.toml"

    settings_file.write_text(BY_SPARK.format(0))
    with monkeypatch.context() as only_airflow:
        only_airflow.delattr("pipelines.match.score.submit")  # the match finds what was scored, or fails
        states = run(office)
    assert {states[task] for task in ("hand_out", "score_on_spark", "match", "report")} == {"success"}
    assert fingerprint(office.settings) == state
    assert list(office.settings.exchange.iterdir()) == []
    said = "".join(capfd.readouterr())
    (surname,) = {row[0] for row in office.rows("select max(surname_key) from staged.clients")}
    assert "spark-submit" in said and surname not in said.upper()

    settings_file.write_text(BY_SPARK.format(100_000))
    states = run(office)
    assert (states["hand_out"], states["score_on_spark"], states["match"]) == ("success", "skipped", "success")
    assert fingerprint(office.settings) == state
