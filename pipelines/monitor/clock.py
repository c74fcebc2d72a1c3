"""How long each step of the night took, whichever door started it: kept in the home for what is told of the night."""

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
    """Seconds by step since the last night that was told of; of that night, if no step was taken since."""
    kept = _kept(settings)
    return kept["since"] or kept["told"]


def start_anew(settings: Settings) -> None:
    """The seconds until now are of a night that was told of."""
    if since := _kept(settings)["since"]:
        _keep(settings, {"since": {}, "told": since})


def _add(settings: Settings, step: str, seconds: float) -> None:
    make_folder(settings.metrics_folder)
    with my_turn(settings.metrics_folder):
        kept = _kept(settings)
        kept["since"][step] = kept["since"].get(step, 0.0) + seconds
        _keep(settings, kept)


def _kept(settings: Settings) -> dict[str, dict[str, float]]:
    kept: dict[str, dict[str, float]] = {"since": {}, "told": {}}
    with suppress(FileNotFoundError, ValueError):
        kept |= json.loads((settings.metrics_folder / _FILE).read_text(encoding="utf-8"))
    return kept


def _keep(settings: Settings, kept: dict[str, dict[str, float]]) -> None:
    with whole_file(settings.metrics_folder / _FILE) as file:
        file.write(json.dumps(kept).encode())
