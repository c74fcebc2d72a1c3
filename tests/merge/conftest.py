"""A home after a night, with records that may be merged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from the_merges import Provider, first_night


@pytest.fixture(scope="session")
def after_the_first_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run once for all; no test changes it."""
    return first_night(tmp_path_factory.mktemp("merges") / "home").settings.home


@pytest.fixture
def provider(after_the_first_night: Path, tmp_path: Path) -> Provider:
    """A copy of it, to be changed."""
    return Provider(shutil.copytree(after_the_first_night, tmp_path / "home", symlinks=True))
