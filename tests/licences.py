"""The licence of every locked package, as it says itself: ``python tests/licences.py > docs/licences.md``.

A wheel says it in three ways, of which the newest (an SPDX expression) goes before the classifiers and the free text.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)

SAID_ELSEWHERE = {"axe-playwright-python": "MIT", "colorama": "BSD-3-Clause", "pyrage": "MIT", "pyyaml-ft": "MIT"}
"""Of packages whose wheel says nothing, or that only another platform installs; from their repositories."""

PAGE = """# Licences

Every package of `requirements.lock`, with the licence that it states. Written by `python tests/licences.py`; held
against the lock and against what is forbidden by `tests/test_supply.py`.

Nothing is under the GPL, AGPL, SSPL or another licence that would reach oneclient's own code. To be known of:

- `python-stdnum` and `nameparser` (LGPL-2.1 or later) are used unchanged; a user may replace them.
- `text-unidecode` is offered under the Artistic License or the GPL; it is used under the Artistic License.
- Those under the MPL-2.0 are used unchanged.

| package | version | licence |
| --- | --- | --- |
"""


def locked() -> dict[str, str]:
    """Name and version of every package in the lock."""
    return dict(PIN.findall(LOCK.read_text(encoding="utf-8")))


def licence(package: str) -> str:
    """What a package says of its licence; empty if neither it nor we know."""
    try:
        said = metadata(package)
    except PackageNotFoundError:
        return SAID_ELSEWHERE.get(package, "")
    if expression := said.get("License-Expression"):
        return str(expression)
    classified = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier", []) if c.startswith("License ::")]
    if named := [c for c in classified if c not in {"OSI Approved", "License"}]:
        return "; ".join(sorted(named))
    text = str(said.get("License") or "").strip().splitlines()
    return text[0] if text and len(text[0]) < 60 else SAID_ELSEWHERE.get(package, "")


if __name__ == "__main__":
    rows = "".join(f"| {name} | {version} | {licence(name)} |\n" for name, version in sorted(locked().items()))
    sys.stdout.write(PAGE + rows)
