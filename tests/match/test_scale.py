"""The benchmark of a million records runs, on two thousand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.matching import report

ROOT = Path(__file__).parents[2]


@pytest.mark.prove
@pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="six processes: make prove")
def test_it_runs_on_a_small_register() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run.py", "scale", "--quick"], capture_output=True, text=True, check=True
    )
    for part in ("first match", "everything again", "1 % new records", "without news", "plain Splink"):
        assert part in done.stdout


def test_results_of_one_benchmark_leave_those_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "RESULTS.md"
    monkeypatch.setattr(report, "RESULTS", results)
    report.write_section("One", ["first", "", "## Part", "", "1"])
    report.write_section("Two", ["second"])
    report.write_section("One", ["again", "", "## Part", "", "2"])
    assert results.read_text() == "# One\n\nagain\n\n## Part\n\n2\n\n# Two\n\nsecond\n"
