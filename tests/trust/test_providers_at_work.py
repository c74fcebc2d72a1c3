"""Two providers at once in a running Airflow: with its LocalExecutor, and with Celery workers, one for each provider,
over Redis and PostgreSQL. Nights, a decision at the page, and a merge that is signed off; each in its own home alone.

With Celery each worker has the key of its own provider and of no other, so a task that went astray would fail.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import running
from running import Airflow, starting_airflow
from several import WORDS, deliver, providers_of
from the_postgres import starting_postgres
from the_redis import starting_redis

from pipelines.decisions.store import open_decisions
from pipelines.fingerprint import fingerprint
from pipelines.merge.status import merge_status
from pipelines.providers import LIST_VARIABLE, Provider
from pipelines.review.commands import decide_tier, list_candidates
from pipelines.settings import Settings, load_settings
from tests.custody.kept_home import KEY, OTHER_KEY, WITHOUT_HTTPFS
from tests.trust.the_marks import NIGHT, contents

KEYS = {"acme": KEY, "beta": OTHER_KEY}
PEOPLE = dict.fromkeys(("ann", "ann_acme", "sam_acme", "bob_beta"), "user")
TOKENS = re.compile(r'name="(form_token|decide_token)" value="([^"]+)"')
AS_LONG_AS_IT_MAY_TAKE_SECONDS = 900
_WORKER = (
    "{variable}={key} AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT={port} airflow celery worker --queues {name}"
    " --celery-hostname {name}@%h --concurrency 2 &"
)


@dataclass
class Ground:
    """What Airflow stands on: its settings, more of its processes, and where each provider decides (empty: at home)."""

    settings: dict[str, str]
    beside: str = ""
    decisions: dict[str, str] = field(default_factory=dict)
    queues: bool = False


def local(stack: ExitStack) -> Ground:
    keys = {f"ONECLIENT_KEY_{name.upper()}": key for name, key in KEYS.items()}
    return Ground({"AIRFLOW__CORE__EXECUTOR": "LocalExecutor", "AIRFLOW__CORE__PARALLELISM": "4", **keys})


def celery(stack: ExitStack) -> Ground:
    url = stack.enter_context(starting_postgres(*KEYS))
    broker = stack.enter_context(starting_redis())
    settings = {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": url,
        "AIRFLOW__CELERY__BROKER_URL": broker,
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{url}",
    }
    workers = [
        _WORKER.format(variable=f"ONECLIENT_KEY_{name.upper()}", key=key, name=name, port=port)
        for (name, key), port in zip(KEYS.items(), (8793, 8794), strict=True)
    ]
    server = urlsplit(url)._replace(scheme="postgresql")
    decisions = {name: server._replace(path=f"/{name}").geturl() for name in KEYS}
    return Ground(settings, "\n".join(workers), decisions, queues=True)


@pytest.fixture(params=[local, celery], ids=["LocalExecutor", "CeleryExecutor"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    with ExitStack() as stack:
        yield request.param(stack)


@pytest.mark.prove
@pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="run by PROVE=full")
def test_each_works_in_its_own_home_alone(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for patience in ("STARTS_WITHIN_SECONDS", "ENDS_WITHIN_SECONDS"):
        monkeypatch.setattr(running, patience, AS_LONG_AS_IT_MAY_TAKE_SECONDS)
    providers = prepared(ground, tmp_path, monkeypatch)
    more = ground.settings | {
        LIST_VARIABLE: os.environ[LIST_VARIABLE],
        "AIRFLOW__CORE__AUTH_MANAGER": "tests.by_provider.ByProvider",
    }
    with starting_airflow(tmp_path / "airflow", tmp_path / "nobody", PEOPLE, ground.beside, **more) as starting:
        airflow = starting.wait_for("nightly_acme").wait_for("nightly_beta").wait_for("apply_merges_acme")
        for name in KEYS:
            assert airflow.ask("ann", "PATCH", f"/dags/nightly_{name}", {"is_paused": False}).status_code == 200
            airflow.trigger("ann", f"nightly_{name}", day=NIGHT.isoformat())
        assert how_all_runs_end(airflow) == {"success"}
        for name, key in KEYS.items():
            monkeypatch.setenv(providers[name].key_variable, key)
        acme, beta = (load_settings(one.home) for one in providers.values())
        before = fingerprint(beta)
        assert decides(airflow, "bob_beta", "acme", acme) == 403
        assert decides(airflow, "ann_acme", "acme", acme) == 303
        assert decide_tier(acme, "near-certain", verdict="same", who="ann_acme", reason="looked", cells={}).recorded
        merge = airflow.trigger("ann_acme", "apply_merges_acme", dry_run=False, reason="agreed")
        merge.parked()
        assert merge.answer("bob_beta") == 403
        assert merge.answer("sam_acme") == 200
        assert set(merge.ended().values()) == {"success"}
        one_after_the_other(airflow, "acme")
        one_after_the_other(airflow, "beta")
    assert {merge.signed_by for merge in merge_status(acme).merges} == {"sam_acme"}
    assert not merge_status(beta).merges and fingerprint(beta) == before
    with open_decisions(beta) as store:
        assert store.entries() == []
    for name, settings in (("acme", acme), ("beta", beta)):
        other = next(word for whose, word in WORDS.items() if whose != name)
        assert [place for place, content in contents(settings.home) if other.encode() in content.lower()] == []
    logs = dict(contents(tmp_path / "airflow"))
    assert len(logs) > 20
    assert [place for place, content in logs.items() for word in WORDS.values() if word.encode() in content] == []


def prepared(ground: Ground, folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Provider]:
    """The homes of both, with their settings and what was delivered."""
    queue = 'queue = "{0}"\n' if ground.queues else ""
    providers = providers_of(folder, patch, "".join(f'[{n}]\nhome = "{n}"\n{queue.format(n)}' for n in KEYS))
    deliver(providers, folder / "feeds")
    for name, one in providers.items():
        decisions = f'[decisions]\nurl = "{ground.decisions[name]}"\n' if ground.decisions else ""
        assert one.home
        (one.home / "settings.toml").write_text(f"{WITHOUT_HTTPFS}{decisions}")
    return providers


def how_all_runs_end(airflow: Airflow) -> set[str]:
    """Also those that Airflow begins by itself when a DAG is switched on, which would change a plan meanwhile."""
    until, states = time.monotonic() + AS_LONG_AS_IT_MAY_TAKE_SECONDS, set[str]()
    while not states or states - {"success", "failed"}:
        assert time.monotonic() < until, states
        time.sleep(1)
        states = {run["state"] for run in airflow.ask("ann", "GET", "/dags/~/dagRuns").json()["dag_runs"]}
    return states


def decides(airflow: Airflow, who: str, provider: str, settings: Settings) -> int:
    """Somebody holds an open candidate to be two people, at the page of a provider; how the page answers."""
    candidate = next(one.candidate_id for one in list_candidates(settings, None) if one.tier == "possible")
    airflow.ask(who, "GET", f"/dags/nightly_{provider}")
    page = f"{airflow.address}/oneclient/{provider}/candidates/{candidate}"
    with httpx.Client(cookies={"_token": airflow.tokens[who]}, timeout=running.ANSWERS_WITHIN_SECONDS) as browser:
        form = {**dict(TOKENS.findall(browser.get(page).text)), "verdict": "different", "reason": "rang"}
        return browser.post(f"{page}/decide", data=form).status_code


def one_after_the_other(airflow: Airflow, provider: str) -> None:
    """No two tasks ran at once that open the provider's warehouse."""
    found = airflow.ask("ann", "GET", "/dags/~/dagRuns/~/taskInstances?limit=100").json()["task_instances"]
    times = sorted(
        (datetime.fromisoformat(task["start_date"]), datetime.fromisoformat(task["end_date"]))
        for task in found
        if task["pool"] == f"duckdb_writer_{provider}" and task["start_date"] and task["task_id"] != "sign_off"
    )
    assert len(times) > 5
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(times))
