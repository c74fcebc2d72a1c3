"""What real senders' files do, and what is right: every case beside this file, run from file to register."""

from __future__ import annotations

from pathlib import Path

import pytest
from the_cases import Case, cases

HERE = Path(__file__).parent


@pytest.mark.parametrize("folder", cases(HERE), ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_a_case_holds(folder: Path, tmp_path: Path) -> None:
    case = Case(folder, tmp_path)
    case.run()
    assert case.failures() == []
