"""Airflow reads its environment when it is first imported, so it is set here, before any test can do that."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from office import Office

ROOT = Path(__file__).parent.parent
AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="oneclient-airflow-")

os.environ.pop("ONECLIENT_PROVIDERS", None)
os.environ.update(line.split("=", 1) for line in (ROOT / "airflow.env").read_text().splitlines() if "=" in line)
os.environ.update(
    AIRFLOW_HOME=AIRFLOW_HOME.name,
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
    AIRFLOW__API_AUTH__JWT_SECRET=secrets.token_hex(64),
)

settings.register_profile("quick", max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("full", max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("full" if os.environ.get("PROVE") == "full" else "quick")


@pytest.fixture
def without_airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the doctor says of Airflow does not hang on which tests have set one up in this process."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "no airflow"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A provider's office with an empty inbox and no settings of its own."""
    return Office(tmp_path / "home")
