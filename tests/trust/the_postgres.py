"""A PostgreSQL of the test's own, for as long as it lasts; skips where there is none, or no driver for it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

STARTS_WITHIN_SECONDS = 60
_SERVER_USER = "postgres"  # the server refuses to run as root


@contextmanager
def starting_postgres(*more: str) -> Iterator[str]:
    """The URL of an empty database ``airflow``, for SQLAlchemy with psycopg; ``more`` are others beside it."""
    pytest.importorskip("psycopg", reason="there is no driver: pip install oneclient[postgres]")
    found = [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.environ["PATH"].split(os.pathsep))]
    programs = next((folder for folder in found if (folder / "initdb").exists()), None)
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    as_server = ["runuser", "-u", _SERVER_USER, "--"] if os.geteuid() == 0 else []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="oneclient-postgres-", ignore_cleanup_errors=True) as folder:
        if as_server:
            shutil.chown(folder, _SERVER_USER)
        data = Path(folder, "data")

        def run(program: str, *words: str) -> int:
            command = [*as_server, str(programs / program), *words]
            return subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode

        assert run("initdb", "-D", str(data), "-A", "trust", "-U", "oneclient", "--no-sync") == 0
        options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
        server = subprocess.Popen(
            [*as_server, str(programs / "postgres"), "-D", str(data), *options.split()], cwd=folder
        )
        try:
            until = time.monotonic() + STARTS_WITHIN_SECONDS
            while run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "oneclient", "airflow"):
                assert time.monotonic() < until, "PostgreSQL did not start"
                time.sleep(0.2)
            for name in more:
                assert run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "oneclient", name) == 0
            yield f"postgresql+psycopg://oneclient@127.0.0.1:{port}/airflow"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
            server.wait(STARTS_WITHIN_SECONDS)
