"""What may be told of an error that nobody foresaw: its kind and where it arose.

Its text may quote a cell or the name of a file, and would end up in a log (law 8). Our own errors quote nothing.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_KNOWN = ("pipelines", "airflow")
_LINES = 5


class UnforeseenError(Exception):
    """Something failed that nobody foresaw; the message says what kind of error it was, and where."""


def whereabouts(error: BaseException) -> str:
    """The kind of an error, and the last lines of code that it went through: ``KeyError at stage.py:9, land.py:7``."""
    lines = [line for line in traceback.extract_tb(error.__traceback__) if line.filename != __file__][-_LINES:]
    return f"{type(error).__name__} at {', '.join(f'{Path(line.filename).name}:{line.lineno}' for line in lines)}"


@contextmanager
def quoting_nobody() -> Iterator[None]:
    """Replace an error of some library, or of the system, by one that tells only its whereabouts.

    Errors of oneclient, and those by which Airflow steers a task, go through as they are.
    """
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] in _KNOWN:
            raise
        raise UnforeseenError(f"Something failed that nobody foresaw: {whereabouts(error)}.") from None
