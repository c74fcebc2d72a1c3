"""A home in one file: a tar, compressed with Zstandard, and sealed if the home is encrypted.

It is one consistent state: nobody writes to the warehouse or publishes meanwhile, while people may go on deciding. Left
out are ``inbox/`` (what lies there was not taken in yet), ``scratch/`` and ``page.key``. Last comes the manifest.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from pipelines import __version__
from pipelines.custody.decision_log import save_log
from pipelines.fingerprint import fingerprint_of
from pipelines.private import FILE, FOLDER, make_folder, whole_file
from pipelines.review.desk.seals import KEY_FILE
from pipelines.sealing import sealing
from pipelines.settings import Settings, SettingsError
from pipelines.turns import my_turn
from pipelines.warehouse import open_warehouse

Progress = Callable[[str, int, int], None]

MANIFEST = "oneclient-backup.json"
FORMAT = 1
_PASSING = (".partial", ".link", ".turn")  # what publishing leaves behind


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: SHA-256 of each file's bytes, and where each link leads, by name within the home."""

    oneclient: str
    made_at: str
    fingerprint: str
    decisions: int
    format: int = FORMAT
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BackedUp:
    """A backup that was made."""

    backup: str
    made_at: str
    fingerprint: str
    decisions: int
    files: int
    bytes: int
    sealed: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def back_up(settings: Settings, to: Path, progress: Progress = lambda step, done, of: None) -> BackedUp:
    """Write all of a home into the file ``to``, which takes the place of one that is there once it is whole.

    Raises SettingsError when ``to`` cannot hold it, WarehouseBusyError, DecisionsDamagedError.
    """
    to = to.expanduser().resolve()
    if to.is_relative_to(settings.home):
        raise SettingsError("A backup inside the home is lost with it. Name a file elsewhere, best on another disk.")
    if to.is_dir() or not to.parent.is_dir():
        raise SettingsError("--to has to name a file in a folder that is there.")
    with ExitStack() as held:
        for folder in (settings.reports, settings.published):
            held.enter_context(my_turn(folder))
        # A process that closes a file gives up every lock that it has on it, DuckDB's too. So DuckDB closes it first.
        database = _opened_until_the_end(settings, held)
        log = settings.scratch / "backup"
        held.callback(shutil.rmtree, log, ignore_errors=True)
        with open_warehouse(settings, as_it_is=True) as warehouse:
            warehouse.checkpoint()
            manifest = Manifest(
                __version__, datetime.now(UTC).isoformat(timespec="seconds"), fingerprint_of(warehouse),
                decisions=_save_log(settings, log),
            )  # fmt: skip
            with whole_file(to) as file:
                _write(settings, file, manifest, database, log, progress)
    return BackedUp(
        str(to), manifest.made_at, manifest.fingerprint, manifest.decisions, len(manifest.files), to.stat().st_size,
        sealed=settings.key is not None,
    )  # fmt: skip


def _opened_until_the_end(settings: Settings, held: ExitStack) -> BinaryIO:
    if not settings.database.exists():
        with open_warehouse(settings):
            pass
    return held.enter_context(settings.database.open("rb"))


def _save_log(settings: Settings, folder: Path) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    return save_log(settings, folder)


def _write(
    settings: Settings, file: BinaryIO, manifest: Manifest, database: BinaryIO, log: Path, progress: Progress
) -> None:
    kept = list(_kept(settings))
    with (
        sealing(file, settings.key) as plain,
        pa.CompressedOutputStream(pa.PythonFile(Lent(plain), "w"), "zstd") as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for number, path in enumerate(kept):
            progress("backing files up", number, len(kept))
            name = path.relative_to(settings.home).as_posix()
            if path.is_symlink():
                manifest.links[name] = _add_link(tar, name, path)
            else:
                with path.open("rb") as one:
                    manifest.files[name] = _add(tar, name, one)
        progress("backing the warehouse up", 0, 0)
        manifest.files[settings.database.name] = _add(tar, settings.database.name, database)
        with (log / settings.decisions_file.name).open("rb") as one:
            manifest.files[settings.decisions_file.name] = _add(tar, settings.decisions_file.name, one)
        _add_bytes(tar, MANIFEST, (json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n").encode())


def _kept(settings: Settings) -> Iterator[Path]:
    """The files and links of a home that stand for something that was done, in order; but for the two databases."""
    apart = {settings.inbox, settings.scratch}
    logs = {settings.home / f"{settings.decisions_file.name}{end}" for end in ("-wal", "-shm", "-journal")}
    one_by_one = {settings.database, settings.decisions_file, settings.home / KEY_FILE, *logs}
    one_by_one.add(settings.database.with_name(f"{settings.database.name}.wal"))
    for above, folders, files in os.walk(settings.home):
        folder = Path(above)
        links = [folder / name for name in folders if (folder / name).is_symlink()]
        folders[:] = sorted(n for n in folders if not n.endswith(_PASSING) and folder / n not in {*apart, *links})
        found = [*links, *(folder / name for name in files)]
        yield from (path for path in sorted(found) if not path.name.endswith(_PASSING) and path not in one_by_one)


class Lent(io.RawIOBase):
    """A file that stays open when whoever it is lent to closes it, as Arrow does."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def readable(self) -> bool:
        """Whether it can be read."""
        return self.file.readable()

    def writable(self) -> bool:
        """Whether it can be written."""
        return self.file.writable()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        return self.file.read(size)

    def write(self, block: Any) -> int:
        """Write bytes; gives how many."""
        return self.file.write(block)


class _Hashing(io.RawIOBase):
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self.file.read(size)
        self.digest.update(block)
        return block


def _add(tar: tarfile.TarFile, name: str, file: BinaryIO) -> str:
    """As much of a file as it holds now: a log that somebody appends to meanwhile ends with a whole line."""
    about = os.fstat(file.fileno())
    member = _member(name, FILE, about.st_mtime)
    member.size = about.st_size
    hashed = _Hashing(file)
    tar.addfile(member, hashed)
    return hashed.digest.hexdigest()


def _add_link(tar: tarfile.TarFile, name: str, link: Path) -> str:
    member = _member(name, FOLDER, link.lstat().st_mtime)
    member.type, member.linkname = tarfile.SYMTYPE, link.readlink().as_posix()
    tar.addfile(member)
    return member.linkname


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = _member(name, FILE, datetime.now(UTC).timestamp())
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _member(name: str, mode: int, changed: float) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode, member.mtime = mode, int(changed)
    return member
