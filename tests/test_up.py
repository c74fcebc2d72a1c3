"""`make up` and `make down`: whose processes are ended and whose not; in full, both sign in and all of it ends."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[1]
full = pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="run by PROVE=full")


class Told:
    """What one command said, and how it ended."""

    def __init__(self, folder: Path, *words: str) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "ONECLIENT_"))}
        self.ended = subprocess.run(
            [sys.executable, "up.py", *words],
            cwd=ROOT,
            env=own | {"ONECLIENT_UP": str(folder / "up")},
            capture_output=True,
            text=True,
            check=False,
        )
        self.code, self.words = self.ended.returncode, " ".join(self.ended.stdout.split())


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_port_that_is_taken_is_named_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = Told(tmp_path, "up", str(port))
    assert (told.code, told.words) == (
        1,
        f"Port {port} is taken by another program. End that one, or choose another: make up PORT={port + 1}",
    )
    assert not (tmp_path / "up" / "sample").exists()


def test_what_is_not_up_is_brought_down_without_fuss(tmp_path: Path) -> None:
    told = Told(tmp_path, "down")
    assert (told.code, told.words) == (0, "Airflow is not up.")


def test_a_stranger_who_got_the_number_of_a_part_is_left_alone(tmp_path: Path) -> None:
    """After a restart of the machine the file of what runs may name anybody."""
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        (tmp_path / "up").mkdir()
        long_ago = psutil.Process(stranger.pid).create_time() - 86_400
        said = {"address": "", "over": "", "parts": {"scheduler": [stranger.pid, long_ago]}}
        (tmp_path / "up" / "running.json").write_text(json.dumps(said))
        assert Told(tmp_path, "down").words == "Airflow is not up."
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_all_that_a_part_started_ends_though_the_part_is_gone(tmp_path: Path) -> None:
    part = subprocess.Popen(["bash", "-c", "sleep 600 & exec sleep 601"], start_new_session=True)
    (tmp_path / "up").mkdir()
    said = {"address": "", "over": "", "parts": {"scheduler": [part.pid, psutil.Process(part.pid).create_time()]}}
    (tmp_path / "up" / "running.json").write_text(json.dumps(said))
    while not (children := psutil.Process(part.pid).children()):
        pass
    part.kill()
    part.wait()
    assert Told(tmp_path, "down").words == "Airflow is down (1 processes ended)."
    assert not children[0].is_running()


@pytest.mark.prove
@full
def test_both_sign_in_and_all_of_it_ends(tmp_path: Path) -> None:
    port = free_port()
    try:
        up = Told(tmp_path, "up", str(port))
        assert up.code == 0, up.words + up.ended.stderr
        parts = json.loads((tmp_path / "up" / "running.json").read_text())["parts"]
        sessions = {pid for pid, _ in parts.values()}
        ours = [one for one in psutil.process_iter() if os.getsid(one.pid) in sessions]
        listening = {
            at.laddr.ip for one in ours for at in one.net_connections("tcp") if at.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        passwords = dict(re.findall(r"(analyst|merger) +([a-z0-9-]{19})", up.words))
        assert set(passwords) == {"analyst", "merger"}
        assert (tmp_path / "up" / "passwords.json").stat().st_mode & 0o777 == 0o600
        assert not any(password in (tmp_path / "up" / "airflow.log").read_text() for password in passwords.values())
        for name, password in passwords.items():
            page = _review(port, name, password)
            assert "may be one person" in page and f"<bdi>{name}</bdi>" in page
        again = Told(tmp_path, "up", str(port))
        assert again.code == 0 and "is up already" in again.words and passwords["analyst"] not in again.words
    finally:
        down = Told(tmp_path, "down")
    assert re.match(r"Airflow is down \(\d+ processes ended\)\.", down.words)
    assert not any(one.is_running() for one in ours)
    assert not (tmp_path / "up" / "passwords.json").exists()
    assert Told(tmp_path, "down").words == "Airflow is not up."


def _review(port: int, name: str, password: str) -> str:
    address = f"http://127.0.0.1:{port}"
    signed_in = httpx.post(f"{address}/auth/token", json={"username": name, "password": password}, timeout=60).json()
    headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
    return httpx.get(f"{address}/oneclient/", headers=headers, timeout=60).text
