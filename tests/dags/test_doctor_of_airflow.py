"""The doctor asks Airflow itself for its database, its pools and its DAGs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.configuration import conf
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.pool import Pool
from airflow.utils import db
from airflow.utils.session import create_session
from sqlalchemy import text

from pipelines.doctor import Finding, airflow

POOL = "duckdb_writer"


@pytest.fixture(autouse=True)
def initialised() -> Iterator[None]:
    db.initdb()
    yield
    with create_session() as session:
        session.query(Pool).filter(Pool.pool == POOL).delete()


def found() -> dict[str, Finding]:
    return {finding.check: finding for finding in airflow.examine()}


def test_its_database_answers_and_is_of_this_version() -> None:
    assert found()["Airflow"].well
    with create_session() as session:
        newest = session.execute(text("select version_num from alembic_version")).scalar_one()
        session.execute(text("update alembic_version set version_num = 'cc92b33c6709'"))
    try:
        assert [(one.check, one.next) for one in airflow.examine()] == [("Airflow", "Run: airflow db migrate")]
    finally:
        with create_session() as session:
            session.execute(text("update alembic_version set version_num = :newest"), {"newest": newest})


def test_the_pool_has_one_slot() -> None:
    assert found()["pools"].found == f"{POOL} is not there"
    assert "airflow pools import pools.json" in found()["pools"].next
    Pool.create_or_update_pool(POOL, 4, "", include_deferred=False)
    assert found()["pools"].found == f"{POOL} has 4 slots, not one"
    Pool.create_or_update_pool(POOL, 1, "", include_deferred=False)
    assert found()["pools"].well


def test_each_provider_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tmp_path / "providers.toml"
    listed.write_text('[acme]\nhome = "acme"\n[borough]\nhome = "borough"\n')
    monkeypatch.setenv("ONECLIENT_PROVIDERS", str(listed))
    assert found()["pools"].found == "duckdb_writer_acme is not there; duckdb_writer_borough is not there"


def switch_nightly(*, paused: bool) -> None:
    with create_session() as session:
        session.merge(DagBundleModel(name="dags-folder"))
        session.flush()
        session.merge(DagModel(dag_id="nightly", is_paused=paused, bundle_name="dags-folder"))


def test_its_dags_can_be_read_and_the_night_is_switched_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    switch_nightly(paused=True)  # tests before this one may have had runs of it
    assert "switched off: nightly" in found()["DAGs"].found
    switch_nightly(paused=False)
    assert found()["DAGs"].well
    switch_nightly(paused=True)
    (tmp_path / "nightly.py").write_text("from airflow.sdk import DAG\nno such line\n")
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(tmp_path))
    assert conf.get("core", "dags_folder") == str(tmp_path)
    assert found()["DAGs"].found == "cannot be read: nightly.py"
    (tmp_path / "nightly.py").unlink()
    assert "nightly, train, apply_merges, undo_merges" in found()["DAGs"].found


def test_nobody_at_work_is_told() -> None:
    assert found()["Airflow at work"].found.startswith("the scheduler was last heard of")
