"""The DAG that trains: by hand only, one step, and its quality in XCom."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.utils import db

from pipelines.ingest.discover import discover
from pipelines.ingest.land import land_file
from pipelines.match.models import load_model
from pipelines.sample import make_sample
from pipelines.settings import load_settings
from pipelines.stage.register import stage_files

NIGHT = date(2026, 11, 20)
DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture(scope="module")
def dag() -> Any:
    db.initdb()
    loaded = DagBag(DAGS).dags["train"]
    for task in loaded.tasks:
        task.retries = 0
    return loaded


def test_nobody_but_a_person_starts_it(dag: Any) -> None:
    assert dag.schedule is None
    assert dag.max_active_runs == 1


def test_an_empty_register_teaches_nothing(dag: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONECLIENT_HOME", str(tmp_path / "home"))
    assert dag.test().state == "failed"


def test_a_register_gives_a_model_and_its_quality(dag: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONECLIENT_HOME", str(tmp_path / "home"))
    settings = load_settings()
    make_sample(tmp_path / "feeds", clients=600, visits=0, seed=3, day=NIGHT)
    for delivery in discover(tmp_path / "feeds/inbox", NIGHT):
        land_file(settings, delivery.path, NIGHT)
    stage_files(settings, NIGHT)
    run = dag.test()
    assert run.state == "success"
    (task,) = run.get_task_instances()
    told = task.xcom_pull(task_ids="train_model")
    model = load_model(settings)
    assert model is not None
    assert told["model_version"] == model.version
    assert set(told["quality"]) == {"near-certain", "likely"}
