"""A Redis of the test's own, for as long as it lasts; skips where there is none, or no Celery for Airflow."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def starting_redis() -> Iterator[str]:
    """The URL of an empty Redis that keeps nothing, for Celery as its broker."""
    needed = ("airflow.providers.celery", "redis")
    for module in needed:
        pytest.importorskip(module, reason="Airflow has no Celery: pip install apache-airflow-providers-celery redis")
    if (program := shutil.which("redis-server")) is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="oneclient-redis-") as folder:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(30)
