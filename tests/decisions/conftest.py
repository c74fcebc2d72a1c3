"""A home after a night of made-up feeds, with candidates to decide on."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from pipelines.nightly import run_night
from pipelines.review.contents import Candidate
from pipelines.review.publish import read_report
from pipelines.sample import make_sample
from pipelines.settings import Settings, load_settings

DAY = date(2026, 11, 20)


@pytest.fixture(scope="session")
def after_a_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run once for all; no test changes it."""
    folder = tmp_path_factory.mktemp("night")
    make_sample(folder / "feeds", clients=200, visits=400, seed=5, day=DAY)
    settings = load_settings(folder / "home")
    shutil.copytree(folder / "feeds" / "inbox", settings.inbox, dirs_exist_ok=True)
    run_night(settings, settings.inbox, DAY)
    return settings.home


@pytest.fixture
def home(after_a_night: Path, tmp_path: Path) -> Settings:
    """A copy of it, to be changed."""
    return load_settings(shutil.copytree(after_a_night, tmp_path / "home", symlinks=True))


@pytest.fixture
def candidates(home: Settings) -> list[Candidate]:
    """What the night published."""
    return list(read_report(home, DAY).candidates)
