"""Whether what is installed is what this oneclient asks for: in a checkout pyproject.toml and requirements.lock say so,
elsewhere the installed package itself."""

from __future__ import annotations

import platform
import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from pipelines import __version__
from pipelines.doctor.finding import Finding

ROOT = Path(__file__).parents[2]
NAMED = {"DuckDB": "duckdb", "Splink": "splink", "Airflow": "apache-airflow"}
_SHOWN = 5


def versions() -> Finding:
    """The versions that matter, and which packages are not as they are asked for."""
    here = ", ".join(f"{name} {_installed(package) or 'missing'}" for name, package in NAMED.items())
    wrong, odd = _not_as_asked(_asked_for()), _not_as_asked(_locked())
    found = f"oneclient {__version__}, Python {platform.python_version()}, {here}"
    if wrong:
        found += f"; not as asked for: {_some(wrong)}"
    elif odd:
        found += f"; {len(odd)} of another version than in requirements.lock: {_some(odd)}"
    return Finding(
        "versions", not wrong, found,
        "Install the packages of requirements.lock in an environment of its own: docs/upgrading.md says how.",
    )  # fmt: skip


def _asked_for() -> list[Requirement]:
    """What oneclient cannot do without."""
    project = ROOT / "pyproject.toml"
    if project.exists():
        return [Requirement(line) for line in tomllib.loads(project.read_text())["project"]["dependencies"]]
    try:
        return [Requirement(line) for line in requires("oneclient") or ()]
    except PackageNotFoundError:
        return []


def _locked() -> list[Requirement]:
    """What it was tried with, exactly; nothing where the lock is not at hand."""
    lock = ROOT / "requirements.lock"
    lines = lock.read_text().splitlines() if lock.exists() else []
    return [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"[a-z0-9]", line)]


def _not_as_asked(asked: Iterable[Requirement]) -> list[str]:
    here = {one.name: _installed(one.name) for one in asked}
    return [
        f"{one.name} {here[one.name] or 'missing'}, not {one.specifier}"
        for one in asked
        if (one.marker is None or one.marker.evaluate({"extra": ""}))
        and not (here[one.name] and one.specifier.contains(here[one.name], prereleases=True))
    ]


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _some(each: list[str]) -> str:
    return f"{'; '.join(each[:_SHOWN])}{' …' if len(each) > _SHOWN else ''}"
