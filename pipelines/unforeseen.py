"""What may be told of an error that nobody foresaw: its kind and where it arose.

Its text may quote a cell or the name of a file, and would end up in a log (law 8). Our own errors quote nothing.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.disk import disk_trouble
from pipelines.troubles import KnownError

_KNOWN = ("pipelines", "airflow")
_LINES = 5


class UnforeseenError(KnownError):
    """Something failed that nobody foresaw; the message says what kind of error it was, and where."""

    code = "X1"


def whereabouts(error: BaseException) -> str:
    """The kind of an error, and the last lines of code that it went through: ``KeyError at stage.py:9, land.py:7``."""
    lines = [line for line in traceback.extract_tb(error.__traceback__) if line.filename != __file__][-_LINES:]
    return f"{type(error).__name__} at {', '.join(f'{Path(line.filename).name}:{line.lineno}' for line in lines)}"


def unforeseen(error: BaseException) -> UnforeseenError:
    """What to tell of an error that nobody foresaw."""
    return UnforeseenError(f"Something failed that nobody foresaw: {whereabouts(error)}.")


@contextmanager
def quoting_nobody() -> Iterator[None]:
    """Replace an error of some library, or of the system, by one that tells only its whereabouts.

    Those by which Airflow steers a task go through as they are, and those of oneclient with their code in the message.
    """
    try:
        yield
    except KnownError as error:
        error.args = (error.told,)
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] in _KNOWN:
            raise
        known = disk_trouble(error) or unforeseen(error)
        known.args = (known.told,)
        raise known from None
