"""`make up` and `make down`: a running Airflow on this machine alone, over the made-up sample or a home of your own.

The four parts that `airflow standalone` would start run in the background, each in a session of its own, by which
`make down` finds all that they started. They are started one by one, since `standalone` lets two of them serve their
logs to the whole network.
"""
# ruff: noqa: PLC0415 - Airflow reads its environment on import, so it is imported after that is set

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
from rich.console import Console

from demo import airflow_settings, make_feeds, send_all_else_to, shown, step
from pipelines.private import keep_private, make_folder, whole_file
from pipelines.providers import ProvidersError, read_providers
from pipelines.turns import my_turn

ROOT = Path(__file__).parent
PARTS = {
    "api-server": ["--workers", "1"],
    "scheduler": ["--skip-serve-logs"],
    "dag-processor": [],
    "triggerer": ["--skip-serve-logs"],
}
PEOPLE = "analyst:user,merger:user"
LETTERS = "abcdefghkmnpqrstuvwxyz23456789"  # none that is taken for another
SIZE = {"clients": 2000, "visits": 20000}
STARTS_WITHIN_SECONDS = 300
ENDS_WITHIN_SECONDS = 30
CLOCKS_AGREE_WITHIN_SECONDS = 60


class UpError(Exception):
    """Airflow cannot be brought up; the message says what to do."""


@dataclass(frozen=True)
class Served:
    """What Airflow serves, in words and as its environment; what is its own for that lies in ``folder``."""

    words: str
    folder: Path
    environment: dict[str, str]


def main(words: list[str]) -> int:
    """``up PORT`` or ``down``; gives the exit code."""
    keep_private()
    up = Up(Path(os.environ.get("ONECLIENT_UP", ROOT / ".up")))
    with my_turn(up.folder / "airflow"):
        if words[0] == "down":
            return up.end()
        console = send_all_else_to(up.log)
        try:
            return up.begin(console, int(words[1]))
        except (UpError, ProvidersError) as error:
            console.print(error, style="red", markup=False, soft_wrap=True)
            return 1


class Up:
    """The Airflow that is up, or is to be; all of it lies in one folder."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self.folder = folder
        self.log = folder / "airflow.log"
        self.running = folder / "running.json"
        self.passwords = folder / "passwords.json"

    def begin(self, console: Console, port: int) -> int:
        """Bring it up, unless it is, and say where it is and who may sign in. Raises UpError, ProvidersError."""
        if self._processes():
            console.print(self._told_that_it_is_up(), soft_wrap=True)
            return 0
        _see_that_it_is_free(port)
        os.truncate(self.log, 0)
        served = self._own_home() or self._sample(console)
        users = os.environ.get("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", PEOPLE)
        people = {user.split(":")[0].strip(): _new_password() for user in users.split(",")}
        address = f"http://127.0.0.1:{port}"
        try:
            with step(console, f"Starting Airflow over {served.words}"):
                with whole_file(self.passwords) as file:
                    file.write(json.dumps(people).encode())
                self._set_up(served, users, address)
                self._start(served, address)
                self._wait_until_it_serves(port, *next(iter(people.items())))
        except BaseException:
            self._end_all()
            raise
        console.print(_welcome(address, people, self.passwords), markup=False, soft_wrap=True)
        return 0

    def end(self) -> int:
        """End all of it, and say so; it need not be up."""
        ended = self._end_all()
        Console().print(f"Airflow is down ({ended} processes ended)." if ended else "Airflow is not up.")
        return 0

    def _told_that_it_is_up(self) -> str:
        said = json.loads(self.running.read_text())
        if gone := self._ended_parts():
            raise UpError(f"Airflow is up without its {gone}; {shown(self.log)} says why. Do make down, then make up.")
        return (
            f"Airflow is up already, over {said['over']}: {said['address']}/\n"
            "Its passwords were shown when it came up. If they are lost, make down and make up give new ones."
        )

    def _own_home(self) -> Served | None:
        """What the environment names; None if it names nothing."""
        folder = self.folder / "own"
        if listed := os.environ.get("ONECLIENT_PROVIDERS"):
            return Served(f"the providers of {listed}", folder, {})
        if named := os.environ.get("ONECLIENT_HOME"):
            home = Path(named).expanduser().resolve()
            (home / "inbox").mkdir(parents=True, exist_ok=True)
            return Served(f"the home {home}", folder, {"ONECLIENT_HOME": str(home)})
        return None

    def _sample(self, console: Console) -> Served:
        """Two nights of made-up feeds that end yesterday: the first has been run, the second waits in the inbox."""
        folder = self.folder / "sample"
        home, making = folder / "home", folder / "making"
        if home.exists():
            console.print("The sample is there from before, with what was decided on it; make clean begins anew.")
        else:
            from pipelines.nightly import run_night
            from pipelines.settings import load_settings

            today = datetime.now(ZoneInfo("Europe/London")).date()
            nights = [today - timedelta(days=2), today - timedelta(days=1)]
            shutil.rmtree(making, ignore_errors=True)
            make_folder(making)
            with step(console, "Making up feeds: five councils, two rostering systems, two nights"):
                make_feeds(making / "feeds", nights, **SIZE)
                (making / "feeds" / "inbox").rename(making / "inbox")
                (making / "feeds" / "sources").rename(making / "sources")
            with step(console, f"Running the night of {nights[0]}; that of {nights[1]} waits in the inbox"):
                run_night(load_settings(making), making / "inbox", nights[0])
            making.rename(home)
        return Served("the made-up sample", folder, {"ONECLIENT_HOME": str(home)})

    def _set_up(self, served: Served, users: str, address: str) -> None:
        os.environ.update(airflow_settings(served.folder / "airflow"))
        os.environ.update(served.environment)
        os.environ.update(
            AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS=users,
            AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE=str(self.passwords),
            AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"{address}/execution/",
            AIRFLOW__API__BASE_URL=address,
            AIRFLOW__API__PORT=address.rpartition(":")[2],
            AIRFLOW__API_AUTH__JWT_SECRET=secrets.token_hex(64),  # a new one, so no sign-in outlives `make down`
        )
        from airflow.configuration import write_default_airflow_configuration_if_needed
        from airflow.models.pool import Pool
        from airflow.utils import db

        write_default_airflow_configuration_if_needed()  # else the parts, started at once, make a Fernet key each
        db.initdb()
        for one in read_providers():
            Pool.create_or_update_pool(one.pool, 1, "one writer at a time", include_deferred=False)

    def _start(self, served: Served, address: str) -> None:
        parts: dict[str, tuple[int, float]] = {}
        for part, words in PARTS.items():
            command = [sys.executable, "-m", "airflow", part, *words]
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)
            parts[part] = (process.pid, psutil.Process(process.pid).create_time())
            self.running.write_text(json.dumps({"address": address, "over": served.words, "parts": parts}))

    def _wait_until_it_serves(self, port: int, name: str, password: str) -> None:
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < until:
            if gone := self._ended_parts():
                raise UpError(f"Airflow's {gone} ended at once; {shown(self.log)} says why.")
            try:
                if _serves(port, name, password):
                    return
            except (OSError, HTTPException, ValueError, KeyError):
                pass
            time.sleep(0.5)
        raise UpError(f"Airflow did not answer within {STARTS_WITHIN_SECONDS} s; {shown(self.log)} says why.")

    def _parts(self) -> dict[str, tuple[int, float]]:
        """Number and begin of the process of each part, as they were started."""
        return json.loads(self.running.read_text())["parts"] if self.running.exists() else {}

    def _ended_parts(self) -> str:
        return " and ".join(part for part, (pid, _) in self._parts().items() if not _lives(pid))

    def _processes(self) -> list[psutil.Process]:
        """Whatever runs in the sessions of the parts. Until all of a session has ended, nobody else gets its number."""
        sessions = {pid for pid, begun in self._parts().values() if not _is_a_strangers(pid, begun)}
        return [process for process in psutil.process_iter() if _session(process.pid) in sessions]

    def _end_all(self) -> int:
        processes = self._processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        psutil.wait_procs(processes, ENDS_WITHIN_SECONDS)
        left = self._processes()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, ENDS_WITHIN_SECONDS)
        for file in (self.running, self.passwords):
            file.unlink(missing_ok=True)
        return len(processes)


def _see_that_it_is_free(port: int) -> None:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            raise UpError(
                f"Port {port} is taken by another program. End that one, or choose another: make up PORT={port + 1}"
            ) from None


def _new_password() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def _serves(port: int, name: str, password: str) -> bool:
    """Whether all parts are well, and this person gets the DAGs and the review page of everybody served."""

    def ask(method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, bytes]:
        server = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            server.request(method, path, json.dumps(body) if body else None, headers)
            answer = server.getresponse()
            return answer.status, answer.read()
        finally:
            server.close()

    headers = {"Content-Type": "application/json"}
    _, health = ask("GET", "/api/v2/monitor/health")
    if {part["status"] for part in json.loads(health).values()} != {"healthy"}:
        return False
    _, token = ask("POST", "/auth/token", {"username": name, "password": password})
    headers["Authorization"] = f"Bearer {json.loads(token)['access_token']}"
    pages = [f"{one.page}/" for one in read_providers()]
    dags = [f"/api/v2/dags/{one.called(dag)}" for one in read_providers() for dag in ("nightly", "apply_merges")]
    return all(ask("GET", path)[0] == 200 for path in (*dags, *pages))


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_a_strangers(pid: int, begun: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - begun) > CLOCKS_AGREE_WITHIN_SECONDS
    except psutil.NoSuchProcess:
        return False


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _welcome(address: str, people: dict[str, str], passwords: Path) -> str:
    sign_ins = "\n".join(f"  {name:12} {password}" for name, password in people.items())
    return (
        f"\nReview:   {address}/plugin/review   (in Airflow's menu: Review)\n"
        f"Airflow:  {address}/\n\n"
        f"Sign in as one of these; the passwords are shown this once:\n{sign_ins}\n"
        f"Airflow needs them in {shown(passwords)}, which only you can read (0600); make down removes it.\n\n"
        "Who decides a pair cannot sign its merge off: decide as one of them, then, as the other, trigger the DAG\n"
        "apply_merges and answer its sign_off. The DAG nightly is switched off: trigger it to run a night.\n"
        "make down ends all of it."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
