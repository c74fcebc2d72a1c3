"""How long each step of the night took, whichever door started it: kept in the home until the night is told of."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from time import monotonic
from typing import Concatenate, ParamSpec, TypeVar

from pipelines.private import make_folder, whole_file
from pipelines.settings import Settings
from pipelines.turns import my_turn

P = ParamSpec("P")
R = TypeVar("R")
_FILE = "seconds.json"


def timed(step: Callable[Concatenate[Settings, P], R]) -> Callable[Concatenate[Settings, P], R]:
    """Add up the seconds that a step takes, tries that failed included, under the name of its function."""

    @wraps(step)
    def run(settings: Settings, /, *args: P.args, **kwargs: P.kwargs) -> R:
        started = monotonic()
        try:
            return step(settings, *args, **kwargs)
        finally:
            with suppress(OSError):  # a full disk is the step's to tell of, and no night is worth less for its seconds
                _add(settings, step.__name__, monotonic() - started)

    return run


def seconds_spent(settings: Settings) -> dict[str, float]:
    """Seconds by step since the last night that was told of."""
    try:
        spent: dict[str, float] = json.loads((settings.metrics_folder / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return spent


def start_anew(settings: Settings) -> None:
    """Forget the seconds of a night that was told of."""
    (settings.metrics_folder / _FILE).unlink(missing_ok=True)


def _add(settings: Settings, step: str, seconds: float) -> None:
    make_folder(settings.metrics_folder)
    with my_turn(settings.metrics_folder):
        spent = seconds_spent(settings)
        spent[step] = spent.get(step, 0.0) + seconds
        with whole_file(settings.metrics_folder / _FILE) as file:
            file.write(json.dumps(spent).encode())
