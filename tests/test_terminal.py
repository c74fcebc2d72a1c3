"""What is for a person at a terminal is shown there, and nowhere else: bars, colours."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])m")
SAMPLE = ("sample", "--clients", "40", "--visits", "10", "--out")


def in_a_terminal(*arguments: str, **environment: str) -> str:
    """What a command shows on a terminal of 100 columns."""
    here, there = pty.openpty()
    ran = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *arguments], stdin=there, stdout=there, stderr=there, close_fds=True,
        env={**_plain(), "TERM": "xterm-256color", "COLUMNS": "100", "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    os.close(there)
    shown = b""
    try:
        while block := os.read(here, 4096):
            shown += block
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(here)
    assert ran.wait() == 0, shown.decode()
    return shown.decode()


def piped(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    environment = {**_plain(), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment)


def _plain() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"}
    }


def test_a_bar_while_it_works_in_colour(tmp_path: Path) -> None:
    shown = in_a_terminal(*SAMPLE, str(tmp_path / "s"))
    assert "making feeds up" in shown
    assert COLOUR.search(shown)


def test_no_color_is_honoured(tmp_path: Path) -> None:
    shown = in_a_terminal(*SAMPLE, str(tmp_path / "s"), NO_COLOR="1")
    assert "making feeds up" in shown
    assert not COLOUR.search(shown)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_neither_where_no_one_looks(tmp_path: Path, more: tuple[str, ...]) -> None:
    ran = piped(*SAMPLE, str(tmp_path / "s"), *more)
    assert ran.stderr == ""
    assert "\x1b" not in ran.stdout
    if more:
        assert json.loads(ran.stdout)["people"] == 40


def test_no_bar_with_json_even_on_a_terminal(tmp_path: Path) -> None:
    shown = in_a_terminal(*SAMPLE, str(tmp_path / "s"), "--json")
    assert json.loads(shown)["people"] == 40
