"""A folder that is published all at once: each version has a folder of its own, and a link is swung over in one step.

A reader never sees half of one; the same contents are the same version, and publishing them again writes nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

VERSIONS = ".versions"


def publish_version(link: Path, version: str, files: Iterable[str], write: Callable[[Path], None]) -> Path:
    """Let ``link`` lead to the folder of ``version``, which ``write`` fills with ``files`` unless it is there whole.

    It has to be the caller's turn (``pipelines/turns.py``) in the folder of the link.
    """
    versions = link.parent / VERSIONS
    for left_by_a_killed_process in versions.glob("*.partial"):
        shutil.rmtree(left_by_a_killed_process)
    folder = versions / version
    if not all((folder / name).exists() for name in files):
        partial = versions / f"{version}.partial"
        partial.mkdir(parents=True)
        write(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    to = Path(VERSIONS) / version
    if not link.is_symlink() or link.readlink() != to:
        swing = link.parent / f".{link.name}.link"
        swing.unlink(missing_ok=True)
        swing.symlink_to(to, target_is_directory=True)
        swing.replace(link)
    return link
