"""Who may read what oneclient makes: its owner alone. A file is 0600 and a folder 0700, whichever door made it.

The umask of the process sees to that, since DuckDB and the writers of spreadsheets and Parquet files ask for no mode. A
server that hosts others (the review page in Airflow) keeps its own umask: what it makes, it makes with these modes.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

FILE = 0o600
FOLDER = 0o700
_OTHERS = 0o077


def keep_private() -> None:
    """Let whatever this process makes from now on be its owner's alone."""
    os.umask(_OTHERS)


def make_folder(folder: Path) -> None:
    """Make a folder that is its owner's alone; one that is there keeps its rights."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER, exist_ok=True)


@contextmanager
def whole_file(path: Path, mode: int = FILE) -> Iterator[BinaryIO]:
    """Write a file so that a crash leaves all of it or none: it takes its place when all of it is on the disk.

    ``mode`` is for what others may read because it holds nothing of anybody.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE), "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def too_open(home: Path, apart: Collection[Path] = ()) -> list[Path]:
    """What in a home others than its owner have any right to, but for all of ``apart``.

    Links have no rights of their own. A file that goes away meanwhile is left out.
    """
    return [path for path in _within(home, apart) if _is_open(path)]


def _within(home: Path, apart: Collection[Path]) -> Iterator[Path]:
    yield home
    for above, folders, files in os.walk(home):
        folder = Path(above)
        folders[:] = [name for name in folders if folder / name not in apart]
        yield from (folder / name for name in (*folders, *files) if folder / name not in apart)


def _is_open(path: Path) -> bool:
    try:
        return not path.is_symlink() and bool(path.stat().st_mode & _OTHERS)
    except FileNotFoundError:
        return False
