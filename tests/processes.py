"""Commands of ``oneclient``, each in a process of its own that can be killed, held up or put under another sky. What
takes seconds to import is imported once, so that what befalls a process befalls its work."""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOO_LONG_SECONDS = 300  # for any command over a small home: what takes longer waits for ever
_LOOK_AGAIN_SECONDS = 0.005
_OUT = ("said", "complained")
_IMPORTED_ONCE = (
    "great_expectations", "time_machine", "pipelines.cli", "pipelines.fingerprint", "pipelines.merge.commands",
    "pipelines.nightly", "pipelines.review.commands",
)  # fmt: skip


@dataclass(frozen=True)
class Sky:
    """What a process has over it: a clock that is off by so much, the longest file that it may write, and which time it
    is killed just before what it has kept leaves DuckDB's write-ahead log (a moment too short to be met by chance)."""

    clock_off_hours: float = 0
    longest_file: int | None = None
    killed_at_checkpoint: int | None = None


FAIR = Sky()


@dataclass(frozen=True)
class Ended:
    """How a command ended; ``code`` is None when it was killed."""

    code: int | None
    said: str
    complained: str
    seconds: float


class Running:
    """A command that was started; its server writes into ``folder`` what becomes of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pid = int(self._read("pid", TOO_LONG_SECONDS) or 0)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        """How it ends. One that is still at it after a long time is killed, and fails the test."""
        ended = self._read("ended", TOO_LONG_SECONDS)
        if ended is None:
            self.kill()
            raise TimeoutError(f"A command was still waiting after {TOO_LONG_SECONDS} seconds.")
        status, seconds = json.loads(ended)
        code = None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
        said, complained = ((self.folder / name).read_text() for name in _OUT)
        return Ended(code, said, complained, seconds)

    def ended_within(self, seconds: float) -> bool:
        return self._read("ended", seconds) is not None

    def _read(self, name: str, within: float) -> str | None:
        until, file = time.monotonic() + within, self.folder / name
        while not file.exists():
            if time.monotonic() > until:
                return None
            time.sleep(_LOOK_AGAIN_SECONDS)
        return file.read_text()


class Processes:
    """Runs commands, any number at once. End it when the tests are done."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="oneclient-processes-")
        self.started = 0
        self.server = subprocess.Popen(
            [sys.executable, __file__], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self.server.stdout is not None
        assert self.server.stdout.readline().strip() == "ready"

    def start(self, *words: object, sky: Sky = FAIR) -> Running:
        self.started += 1
        folder = Path(self.folder.name, str(self.started))
        folder.mkdir()
        assert self.server.stdin is not None
        self.server.stdin.write(json.dumps([str(folder), [str(word) for word in words], asdict(sky)]) + "\n")
        self.server.stdin.flush()
        return Running(folder)

    def run(self, *words: object, kill_after: float | None = None, sky: Sky = FAIR) -> Ended:
        """A command to its end; or killed after so many seconds."""
        running = self.start(*words, sky=sky)
        if kill_after is not None:
            time.sleep(kill_after)
            running.kill()
        return running.wait()

    def end(self) -> None:
        self.server.communicate()
        self.folder.cleanup()


def _serve() -> None:
    """For each line a keeper that has the command as its child, and tells how it ended."""
    for module in _IMPORTED_ONCE:
        import_module(module)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        folder, words, sky = json.loads(line)
        if os.fork():
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for name in _OUT:
            Path(folder, name).touch()
        begun, child = time.monotonic(), os.fork()
        if not child:
            _obey(Path(folder), words, Sky(**sky))
        _tell(Path(folder, "pid"), child)
        _, status = os.waitpid(child, 0)
        _tell(Path(folder, "ended"), [status, time.monotonic() - begun])
        os._exit(0)


def _obey(folder: Path, words: list[str], sky: Sky) -> None:
    from pipelines.cli import main

    for number, name in enumerate(_OUT, start=1):
        os.dup2(os.open(folder / name, os.O_WRONLY), number)
    if sky.longest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (sky.longest_file, sky.longest_file))
    with ExitStack() as under:
        if sky.clock_off_hours:
            import time_machine

            now = datetime.now(UTC) + timedelta(hours=sky.clock_off_hours)
            under.enter_context(time_machine.travel(now, tick=True))
        if sky.killed_at_checkpoint is not None:
            _die_at_checkpoint(sky.killed_at_checkpoint)
        try:
            main(words)
        except SystemExit as ended:
            sys.stdout.flush()
            os._exit(ended.code if isinstance(ended.code, int) else 0)  # at once: what is frozen is not cleared away


def _die_at_checkpoint(number: int) -> None:
    from pipelines.warehouse import Warehouse

    left, checkpoint = count(number, -1), Warehouse.checkpoint

    def checkpoint_or_die(warehouse: Warehouse) -> None:
        if not next(left):
            os.kill(os.getpid(), signal.SIGKILL)
        checkpoint(warehouse)

    Warehouse.checkpoint = checkpoint_or_die  # type: ignore[method-assign]


def _tell(file: Path, what: Any) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(what))
    partial.replace(file)


if __name__ == "__main__":
    _serve()
