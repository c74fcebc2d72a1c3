"""A virtual environment for each contender, in `.bench/` beside the code, made when it is first needed.

The environment of oneclient is the one that runs the benchmark. `requirements/` pins every package of the others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = ROOT / ".bench"
OURS = "oneclient"


def python_of(environment: str) -> Path:
    """The interpreter of an environment, which is made, or made again if its requirements have changed."""
    if environment == OURS:
        return Path(sys.executable)
    requirements = HERE / "requirements" / f"{environment}.txt"
    folder = FOLDER / environment
    python, ready = folder / "bin" / "python", folder / "requirements.txt"
    if not ready.exists() or ready.read_text(encoding="utf-8") != requirements.read_text(encoding="utf-8"):
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / ".gitignore").write_text("*\n", encoding="utf-8")
        _make(folder, python, requirements)
        shutil.copy(requirements, ready)
    return python


def _make(folder: Path, python: Path, requirements: Path) -> None:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    make = [sys.executable, "-m", "venv", "--clear", str(folder)]
    if uv:
        make.append("--without-pip")
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(make, check=True)
    subprocess.run([*install, "-r", str(requirements)], check=True)


def command_in(environment: str, arguments: list[str]) -> list[str]:
    """A command line for the interpreter of an environment."""
    return [str(python_of(environment)), *arguments]


def surroundings(home: Path) -> dict[str, str]:
    """Environment variables for a contender: this code importable, a home of its own so that it learns nothing."""
    fixed = {"PYTHONPATH": str(ROOT), "HOME": str(home), "PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": "0"}
    return {**os.environ, **fixed}


def run_in(environment: str, arguments: list[str]) -> None:
    """Run something in an environment to its end."""
    subprocess.run(command_in(environment, arguments), check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def version_of(environment: str, package: str) -> str:
    """The pinned version of a package."""
    lines = (HERE / "requirements" / f"{environment}.txt").read_text(encoding="utf-8").splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{package}=="))
