"""What an operator copies from `deploy/` is true: the units verify, and start what `make up` starts, set up alike."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import up

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))


def settings_of(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return {name: value.strip('"') for name, value in (line.split("=", 1) for line in lines)}


def test_the_units_start_what_make_up_starts() -> None:
    started = [re.search(r"^ExecStart=\S+/bin/airflow (.+)$", unit.read_text(), re.MULTILINE) for unit in UNITS]
    assert {one[1] for one in started if one} == {" ".join([part, *words]) for part, words in up.PARTS.items()}


def test_the_environment_holds_every_setting_of_airflow_env_and_no_secret() -> None:
    example = settings_of(ROOT / "deploy" / "oneclient.env")
    assert settings_of(ROOT / "airflow.env").items() <= example.items()
    assert {value for name, value in example.items() if name.endswith(("SECRET", "KEY"))} == {"change-me"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_units_verify(tmp_path: Path) -> None:
    """With programs of this environment in the place of those that are installed by the recipe."""
    copies = []
    for unit in UNITS:
        copies.append(tmp_path / unit.name)
        text = unit.read_text().replace("/opt/oneclient/venv/bin", str(Path(sys.executable).parent))
        copies[-1].write_text(text)
    said = subprocess.run(["systemd-analyze", "verify", *copies], capture_output=True, text=True, check=False)
    about_ours = [line for line in said.stderr.splitlines() if "oneclient" in line]
    assert (said.returncode, about_ours) == (0, []), said.stderr
