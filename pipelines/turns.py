"""One process after the other, where two at once would get in each other's way."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def my_turn(folder: Path) -> Iterator[None]:
    """Wait until no other process is in such a block of the same folder. One that is killed lets go.

    What the turn is taken by lies beside the folder, ``.archive.turn``: the folder holds what it is for, and no more.
    Not to be nested, nor begun with the warehouse open: whoever has the turn may wait for the warehouse.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.turn").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
