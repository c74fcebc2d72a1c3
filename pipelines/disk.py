"""What a disk that is full, read-only or broken says to each library, as one sentence that says what to do."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from pipelines.troubles import KnownError

LEAST_FREE_BYTES = 1_000_000  # with less, an input/output error of SQLite is a full disk
_AGAIN = "Nothing that was done before is lost: run the same command again, and it is brought to its end."
_SAID = {
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG): ("X2", "The disk of the home is full. Free some of it."),
    (errno.EROFS,): ("X3", "The disk of the home, or a folder on it, is read-only. Make it writable."),
    (errno.EACCES, errno.EPERM): (
        "X4",
        "Something in the home may not be read or written. Give this user the rights to all of it.",
    ),
    (errno.EIO,): ("X5", "The disk of the home is full or damaged. Free some of it, or have it looked at."),
}
_SIGNS = {
    "No space left on device": errno.ENOSPC,
    "disk is full": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "File too large": errno.EFBIG,
    "Read-only file system": errno.EROFS,
    "readonly database": errno.EROFS,
    "Permission denied": errno.EACCES,
    "Operation not permitted": errno.EPERM,
    "Input/output error": errno.EIO,
    "disk I/O error": errno.EIO,
}  # DuckDB, SQLite, Arrow and the writers of workbooks give no number


class DiskError(KnownError):
    """The disk of the home is behind an error of whatever library."""

    code = "X2"


def disk_trouble(error: BaseException) -> DiskError | None:
    """What to tell a person if the disk is behind ``error``; None if it is something else. It names no file."""
    for one in _behind(error):
        number = one.errno if isinstance(one, OSError) and one.errno else _number(str(one))
        for numbers, (code, said) in _SAID.items():
            if number in numbers:
                return DiskError(f"{said} {_AGAIN}", code=code)
    return None


def full_disk(error: BaseException, folder: Path) -> DiskError | None:
    """What to tell of an input/output error when the disk of ``folder`` is full: SQLite then speaks of no more."""
    trouble = disk_trouble(error)
    if trouble and trouble.trouble.code == "X5" and shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        return disk_trouble(OSError(errno.ENOSPC, ""))
    return None


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it was raised from or in the handling of, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _number(message: str) -> int | None:
    return next((number for sign, number in _SIGNS.items() if sign in message), None)
