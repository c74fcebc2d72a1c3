"""A home in which everything has happened once, plain and encrypted; made once for all, no test changes either."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from kept_home import KEY, kept_home

sys.path.append(str(Path(__file__).parents[1] / "merge"))  # where the_merges.py is


@pytest.fixture(scope="session")
def plain_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept_home(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def encrypted_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept_home(tmp_path_factory.mktemp("encrypted"), KEY)


@pytest.fixture
def sealed(encrypted_home: Path, tmp_path: Path) -> Path:
    """A copy of the encrypted one, to be changed."""
    return shutil.copytree(encrypted_home, tmp_path / "sealed", symlinks=True)
