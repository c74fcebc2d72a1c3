"""A crash at one step of the code: before it is taken, or as soon as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Crash(BaseException):
    """The power goes."""


def crash(*_: Any, **__: Any) -> Any:
    """In the place of a step: it is not taken."""
    raise Crash


def after(step: Callable[..., Any]) -> Callable[..., Any]:
    """The step is taken, and then the power goes."""

    def done_then_crash(*arguments: Any, **named: Any) -> Any:
        step(*arguments, **named)
        raise Crash

    return done_then_crash
