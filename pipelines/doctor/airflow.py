"""What runs the nights: Airflow's database, its pools, its DAGs and whether it is at work. Without it there is nothing
to mend, since the command line runs the same nights.

Airflow is imported once it is known to be set up here: it takes seconds, and would make files of its own.
"""

from __future__ import annotations

import configparser
import io
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipelines.doctor.finding import Finding
from pipelines.settings import SettingsError, listed_providers
from pipelines.unforeseen import whereabouts

DAGS = ("nightly", "train", "apply_merges", "undo_merges")
_POOLS = "Run: oneclient providers --pools > pools.json, then airflow pools import pools.json"


def examine() -> list[Finding]:
    """Every check of Airflow; one that says so where it is not set up."""
    if find_spec("airflow") is None:
        return [Finding("Airflow", True, "not installed: nights run by the command line")]
    if not is_set_up():
        where = _home()
        return [
            Finding("Airflow", True, f"not set up in {where}: nights run by the command line (or set AIRFLOW_HOME)")
        ]
    with redirect_stdout(io.StringIO()):  # where Airflow writes its log
        database = _told("Airflow", _database)
        return [database, *(_told(name, check) for name, check in _CHECKS.items())] if database.well else [database]


def is_set_up() -> bool:
    """Whether Airflow has a database here: one that is named in the environment or in airflow.cfg, or its own file."""
    if any(name.startswith("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN") for name in os.environ):
        return True
    if (_home() / "airflow.db").exists():
        return True
    written = configparser.RawConfigParser(strict=False)
    try:
        written.read(_home() / "airflow.cfg", encoding="utf-8")
        named = written.get("database", "sql_alchemy_conn", fallback="")
    except configparser.Error:
        return False
    return bool(named) and not named.startswith("sqlite")


def _home() -> Path:
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()


def _told(name: str, check: Callable[[], Finding]) -> Finding:
    """A check, or where it failed: what Airflow and its database say may hold an address or a password."""
    try:
        return check()
    except Exception as error:
        said = f"it cannot be asked: {whereabouts(error)}"
        return Finding(name, False, said, "Run: airflow db check. Are AIRFLOW_HOME and the folder of the DAGs right?")


def _database() -> Finding:
    from airflow.utils import db  # noqa: PLC0415

    try:
        db.check_migrations(0)  # type: ignore[no-untyped-call]
    except TimeoutError:
        return Finding("Airflow", False, f"its database in {_home()} is not of this version", "Run: airflow db migrate")
    return Finding("Airflow", True, f"its database answers, and is of this version (AIRFLOW_HOME {_home()})")


def _pools() -> Finding:
    from airflow.models.pool import Pool  # noqa: PLC0415

    slots = {pool.pool: pool.slots for pool in Pool.get_pools()}
    try:
        asked = [pool for provider in listed_providers() for pool in provider.pools]
    except SettingsError as error:
        return Finding("pools", False, str(error), "Then run doctor again.")
    wrong = [f"{pool} {_slots(slots.get(pool))}" for pool in asked if slots.get(pool) != 1]
    if not wrong:
        return Finding("pools", True, f"{', '.join(asked)}: one slot each")
    return Finding("pools", False, "; ".join(wrong), f"Tasks wait for ever, or meet at the warehouse. {_POOLS}")


def _slots(slots: int | None) -> str:
    return "is not there" if slots is None else f"has {slots} slots, not one"


def _dags() -> Finding:
    from airflow.configuration import conf  # noqa: PLC0415
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415
    from airflow.models.dag import DagModel  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415

    folder = conf.get("core", "dags_folder")
    bag = DagBag(folder)
    if broken := sorted(Path(file).name for file in bag.import_errors):
        return Finding("DAGs", False, f"cannot be read: {', '.join(broken)}", "Run: airflow dags list-import-errors")
    providers = listed_providers()
    if missing := [name for one in providers for dag in DAGS if (name := one.called(dag)) not in bag.dags]:
        said = f"not in {folder}: {', '.join(missing)}"
        return Finding("DAGs", False, said, "Let AIRFLOW__CORE__DAGS_FOLDER name the folder dags of oneclient.")
    nights = [one.called("nightly") for one in providers]
    with create_session() as session:
        known: dict[str, bool] = dict(session.query(DagModel.dag_id, DagModel.is_paused).all())
    if off := [name for name in nights if known.get(name, True)]:
        said = f"all can be read; switched off: {', '.join(off)}"
        return Finding("DAGs", False, said, f"No night runs by itself. Run: airflow dags unpause {off[0]}")
    return Finding("DAGs", True, f"all can be read; switched on: {', '.join(nights)}")


def _at_work() -> Finding:
    from airflow.api.common.airflow_health import get_airflow_health  # noqa: PLC0415

    health: dict[str, dict[str, Any]] = get_airflow_health()
    parts = {"scheduler": "latest_scheduler_heartbeat", "dag_processor": "latest_dag_processor_heartbeat"}
    silent = [
        f"the {part.replace('_', ' ')} was last heard of {health[part].get(beat) or 'never'}"
        for part, beat in parts.items()
        if health[part]["status"] != "healthy"
    ]
    return Finding(
        "Airflow at work", not silent, "; ".join(silent) or "scheduler and DAG processor are at work",
        "No night runs until Airflow is started again.",
    )  # fmt: skip


_CHECKS: dict[str, Callable[[], Finding]] = {"pools": _pools, "DAGs": _dags, "Airflow at work": _at_work}
