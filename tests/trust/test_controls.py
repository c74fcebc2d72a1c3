"""Every control of the safety case stands in the code, and its test fails when it is taken out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutations import REMOVED

ROOT = Path(__file__).parents[2]
SAFETY = ROOT / "docs" / "safety.md"
_ROW = re.compile(r"^\| (?P<id>C\d+) \| .+ \| `(?P<file>[^`]+)` \| `(?P<test>[^`]+)` \|$", re.MULTILINE)
_ENOUGH = "2"  # failures; the rest of the file need not run


@dataclass(frozen=True)
class Control:
    """One row of the safety case: where the control stands, and the tests that guard it."""

    id: str
    file: str
    test: str


CONTROLS = [Control(**row.groupdict()) for row in _ROW.finditer(SAFETY.read_text(encoding="utf-8"))]


def test_every_control_of_the_page_can_be_removed_and_every_removal_is_on_the_page() -> None:
    assert [control.id for control in CONTROLS] == list(REMOVED)
    assert len(CONTROLS) == SAFETY.read_text(encoding="utf-8").count("\n| C")


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_a_control_stands_where_the_page_says(control: Control) -> None:
    text = (ROOT / control.file).read_text(encoding="utf-8")
    assert text.count(REMOVED[control.id][0]) == 1
    assert (ROOT / control.test).is_file()


@pytest.mark.prove
@pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="a run of pytest for each control: make prove")
@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_without_the_control_its_test_fails(control: Control, tmp_path: Path) -> None:
    copy = tmp_path / "without"
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    there, without = REMOVED[control.id]
    file = copy / control.file
    file.write_text(file.read_text(encoding="utf-8").replace(there, without), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", control.test, "-p", "no:cacheprovider", "--maxfail", _ENOUGH],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "PROVE": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout[-2000:]
    assert re.search(r"\d+ failed", run.stdout), run.stdout[-2000:]
