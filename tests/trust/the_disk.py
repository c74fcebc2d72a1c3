"""A disk that can be full or read-only: a mounted one where the test may mount, else limits that come near to it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processes import FAIR, Sky

_ROOMY = "2g"


class Disk:
    """Mounted on a folder; ``is_real`` when it is one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.is_real = os.geteuid() == 0 and _may("mount", "-t", "tmpfs", "-o", f"size={_ROOMY}", "tmpfs", folder)

    def used(self) -> int:
        """Bytes on it."""
        now = os.statvfs(self.folder)
        return (now.f_blocks - now.f_bfree) * now.f_frsize

    @contextmanager
    def full_after(self, more: int) -> Iterator[Sky]:
        """Only so many bytes more fit on it; without a disk of one's own, no file may grow longer than that."""
        if not self.is_real:
            yield Sky(longest_file=more)
            return
        self._remount(f"size={self.used() + more}")
        try:
            yield FAIR
        finally:
            self._remount(f"size={_ROOMY}")

    @contextmanager
    def read_only(self, part: Path) -> Iterator[None]:
        """Nothing in this folder can be written; without a disk of one's own, its rights are taken away."""
        if not self.is_real:
            folders = [part, *(folder for folder in part.rglob("*") if folder.is_dir() and not folder.is_symlink())]
            for folder in folders:
                folder.chmod(0o500)
            yield
            for folder in folders:
                folder.chmod(0o700)
            return
        _must("mount", "--bind", part, part)
        _must("mount", "-o", "remount,bind,ro", part)
        try:
            yield
        finally:
            _must("umount", part)

    def unmount(self) -> None:
        if self.is_real:
            _must("umount", "--lazy", self.folder)

    def _remount(self, how: str) -> None:
        _must("mount", "-o", f"remount,{how}", self.folder)


def _must(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True)


def _may(*words: object) -> bool:
    return subprocess.run([str(word) for word in words], check=False, stderr=subprocess.DEVNULL).returncode == 0
