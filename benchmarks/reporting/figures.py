"""Figures of a benchmark run, kept in ``benchmarks/figures/<name>.json`` for plots and pages."""

from __future__ import annotations

import json
import resource
from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any

from benchmarks.matching.report import circumstances

KEPT = Path(__file__).parents[1] / "figures"


def keep(name: str, figures: Mapping[str, Any], contenders: Sequence[str] = ("ours",)) -> None:
    """Keep figures under a name, with machine, versions and commit; what was kept before under other keys stays."""
    KEPT.mkdir(exist_ok=True)
    file = KEPT / f"{name}.json"
    kept = read(name)
    kept.update({key: {"made_with": circumstances(contenders), **value} for key, value in figures.items()})
    file.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read(name: str) -> dict[str, Any]:
    """What was kept under a name; nothing if nothing was."""
    file = KEPT / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The growth exponent: the slope of the least-squares line through the logarithms; 1 is in proportion to size."""
    x, y = ([log(value) for value in values] for values in (sizes, costs))
    middle = sum(x) / len(x)
    return sum((a - middle) * b for a, b in zip(x, y, strict=True)) / sum((a - middle) ** 2 for a in x)


def peak() -> float:
    """The most memory that this process ever held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
