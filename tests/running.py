"""A running Airflow over a home: scheduler, DAG processor and API server on this machine only, used by its REST API."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[1]
STARTS_WITHIN_SECONDS = 120
ENDS_WITHIN_SECONDS = 180
ANSWERS_WITHIN_SECONDS = 120
_START = """
python -c "
from airflow.configuration import write_default_airflow_configuration_if_needed
from airflow.models.pool import Pool
from airflow.utils import db
from pipelines.providers import read_providers
write_default_airflow_configuration_if_needed()
db.initdb()
for one in read_providers():
    Pool.create_or_update_pool(one.pool, 1, 'one writer at a time', include_deferred=False)"
airflow scheduler &
airflow dag-processor &
{beside}
exec airflow api-server --host 127.0.0.1 --port {port} --workers 1
"""
_QUICK = {
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
}
_OVER = {"success", "failed", "skipped", "upstream_failed"}


class Airflow:
    """What people do with it by REST, each under their own sign-in; the password is the name."""

    def __init__(self, address: str, anybody: str, server: subprocess.Popen[bytes], log: Path) -> None:
        self.address = address
        self.anybody = anybody
        self.server = server
        self.log = log
        self.tokens: dict[str, str] = {}

    def wait_for(self, dag_id: str) -> Airflow:
        """Wait until it knows this DAG."""
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < until and self.server.poll() is None:
            try:
                if self.ask(self.anybody, "GET", f"/dags/{dag_id}").status_code == 200:
                    return self
            except (httpx.TransportError, ValueError, KeyError):
                pass
            time.sleep(0.3)
        pytest.fail(f"Airflow did not start:\n{self.log.read_text()[-3000:]}")

    def ask(self, who: str, method: str, path: str, body: Any = None) -> httpx.Response:
        if who not in self.tokens:
            signed_in = httpx.post(
                f"{self.address}/auth/token", json={"username": who, "password": who}, timeout=ANSWERS_WITHIN_SECONDS
            )
            self.tokens[who] = signed_in.json()["access_token"]
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return httpx.request(
            method, f"{self.address}/api/v2{path}", json=body, headers=headers, timeout=ANSWERS_WITHIN_SECONDS
        )

    def trigger(self, who: str, dag_id: str, **form: Any) -> Triggered:
        answer = self.ask(who, "POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": form})
        assert answer.status_code == 200, answer.text
        return Triggered(self, f"/dags/{dag_id}/dagRuns/{answer.json()['dag_run_id']}")


class Triggered:
    """One DAG run."""

    def __init__(self, airflow: Airflow, path: str) -> None:
        self.airflow = airflow
        self.path = path

    def states(self) -> dict[str, str]:
        tasks = self.airflow.ask("ann", "GET", f"{self.path}/taskInstances").json()["task_instances"]
        return {task["task_id"]: task["state"] for task in tasks}

    def wait(self, what: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        until = time.monotonic() + ENDS_WITHIN_SECONDS
        while time.monotonic() < until:
            if what(states := self.states()):
                return states
            time.sleep(0.2)
        pytest.fail(f"{self.path} is still at {self.states()}")

    def parked(self) -> str:
        """Wait until the sign-off is asked for; gives what is asked.

        Who answers before Airflow has seen the worker end that asked, within some five seconds, has the task started a
        second time and killed for it. A person takes longer to read.
        """
        self.wait(lambda states: states.get("sign_off") == "awaiting_input")
        task = self.airflow.ask("ann", "GET", f"{self.path}/taskInstances/sign_off").json()
        ended = re.compile(f"final_state=awaiting_input.*workload_id={task['id']}")
        self.wait(lambda _: bool(ended.search(self.airflow.log.read_text())))
        time.sleep(1)
        asked = self.airflow.ask("ann", "GET", f"{self.path}/taskInstances/sign_off/-1/hitlDetails").json()
        return f"{asked['subject']}\n{asked['body']}"

    def ended(self) -> dict[str, str]:
        """Wait until no task has anything to do any more, or one waits to be tried again."""
        return self.wait(
            lambda states: bool(states) and (set(states.values()) <= _OVER or "up_for_retry" in states.values())
        )

    def answer(self, who: str, choice: str = "Approve") -> int:
        body = {"chosen_options": [choice], "params_input": {}}
        return self.airflow.ask(who, "PATCH", f"{self.path}/taskInstances/sign_off/-1/hitlDetails", body).status_code

    def mark(self, who: str, task: str, state: str = "success") -> int:
        return self.airflow.ask(who, "PATCH", f"{self.path}/taskInstances/{task}", {"new_state": state}).status_code

    def forge(self, who: str, task: str, value: Any) -> int:
        path = f"{self.path}/taskInstances/{task}/xcomEntries"
        made = self.airflow.ask(who, "POST", path, {"key": "return_value", "value": value})
        if made.status_code == 409:
            made = self.airflow.ask(who, "PATCH", f"{path}/return_value", {"value": value})
        return made.status_code

    def clear(self, who: str, task: str) -> int:
        body = {"dry_run": False, "task_ids": [task], "dag_run_id": self.path.rpartition("/")[2],
                "include_downstream": True, "only_failed": False}  # fmt: skip
        dag = self.path.split("/dagRuns/")[0]
        return self.airflow.ask(who, "POST", f"{dag}/clearTaskInstances", body).status_code

    def told(self, task: str) -> Any:
        """What the task told XCom."""
        found = self.airflow.ask("ann", "GET", f"{self.path}/taskInstances/{task}/xcomEntries/return_value")
        return found.json().get("value")

    def log(self, task: str) -> str:
        number = self.airflow.ask("ann", "GET", f"{self.path}/taskInstances/{task}").json()["try_number"]
        return self.airflow.ask("ann", "GET", f"{self.path}/taskInstances/{task}/logs/{number}").text


@contextmanager
def starting_airflow(
    folder: Path, home: Path, people: dict[str, str], beside: str = "", **configured: str
) -> Iterator[Airflow]:
    """An Airflow with these people and their roles, on its way up; all of it gone afterwards. ``beside`` are lines of
    shell that start more of it, ``configured`` settings of its own, by the names of their environment variables."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            ["bash", "-ec", _START.format(port=port, beside=beside)],
            env=_environment(folder, home, address, people) | configured,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Airflow(address, next(iter(people)), server, folder / "log")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(3)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)


def _environment(folder: Path, home: Path, address: str, people: dict[str, str]) -> dict[str, str]:
    lines = (ROOT / "airflow.env").read_text().splitlines()
    passwords = folder / "passwords.json"
    passwords.write_text(str({name: name for name in people}).replace("'", '"'))
    return {
        **os.environ,
        **dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")),
        **_QUICK,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        "ONECLIENT_HOME": str(home),
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in people.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
    }
