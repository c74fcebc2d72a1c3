"""A home from a backup: all of it, checked against the manifest and its fingerprint, or nothing.

The backup is unpacked into a folder beside the new home, which gets its name when everything holds. With another key in
the environment than the backup's, or with none, the new home is encrypted with that key, or plain.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
from pydantic import SecretStr

from pipelines.custody.backup import FORMAT, MANIFEST, Lent, Manifest, Progress
from pipelines.custody.decision_log import put_back_log
from pipelines.custody.refusal import BackupRefusedError
from pipelines.fingerprint import fingerprint
from pipelines.private import FOLDER, keep_private
from pipelines.sealing import SealBrokenError, is_sealed, originals, seal_again, unsealing
from pipelines.settings import KEY_VARIABLE, KeyRefusedError, Settings, key_of_environment, key_of_home, load_settings
from pipelines.troubles import AlreadyThereError
from pipelines.warehouse import copy_warehouse

BACKUP_KEY_VARIABLE = "ONECLIENT_BACKUP_KEY"
_AGAIN = "Nothing was restored. Try an earlier backup, or another copy of this one."


@dataclass(frozen=True)
class Restored:
    """A home that was restored."""

    home: str
    made_at: str
    oneclient: str
    fingerprint: str
    decisions: int
    files: int
    encrypted: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def restore(backup: Path, home: Path, progress: Progress = lambda step, done, of: None) -> Restored:
    """Make ``home``, which holds no file yet, from a backup.

    Raises FileExistsError for a home that holds something, KeyRefusedError for the wrong key or none,
    BackupRefusedError for a backup that is not whole or does not come to the state that it was made of.
    """
    keep_private()
    if home.exists() and (not home.is_dir() or any(path.is_symlink() or not path.is_dir() for path in home.rglob("*"))):
        raise AlreadyThereError("The home to restore into holds something already. Name one that is not there yet.")
    key = key_of_home(home)
    partial = home.with_name(f".{home.name}.restoring")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(mode=FOLDER, parents=True)
        before = _key_of(backup, key)
        progress("unpacking", 0, 0)
        manifest = _unpack(backup, partial, before)
        settings = load_settings(partial).model_copy(update={"key": key})
        saved = settings.model_copy(update={"key": before})
        if _text(before) != _text(key):
            _change_key(saved, settings)
        progress("comparing with the state that was backed up", 0, 0)
        if fingerprint(settings) != manifest.fingerprint:
            made_by = f"oneclient {manifest.oneclient}"
            raise BackupRefusedError(
                f"What was restored is not the state that the backup was made of, by {made_by}. {_AGAIN}"
            )
        decisions = _put_back_decisions(settings)
        _take_its_place(partial, home)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Restored(
        str(home), manifest.made_at, manifest.oneclient, manifest.fingerprint, decisions, len(manifest.files),
        encrypted=key is not None,
    )  # fmt: skip


def _key_of(backup: Path, key: SecretStr | None) -> SecretStr | None:
    """The key that a backup is sealed with, None if it is not sealed."""
    if not is_sealed(backup):
        return None
    found = key_of_environment(BACKUP_KEY_VARIABLE) or key
    if found is None:
        raise KeyRefusedError(f"The backup is encrypted. Set {KEY_VARIABLE} to its key and run again.")
    return found


def _text(key: SecretStr | None) -> str:
    return key.get_secret_value() if key else ""


def _unpack(backup: Path, folder: Path, key: SecretStr | None) -> Manifest:
    """Unpack a backup into an empty folder; gives its manifest, which what came out agrees with."""
    try:
        with backup.open("rb") as file, unsealing(file, key) as plain, _members(plain) as tar:
            for member in tar:
                tar.extract(_checked(member, folder), folder, filter="data")
            while plain.read(1 << 20):
                pass
    except KeyRefusedError:
        raise KeyRefusedError(
            f"The backup is encrypted with another key. Set {BACKUP_KEY_VARIABLE} to that key, and {KEY_VARIABLE} to "
            "the key that the new home is to have."
        ) from None
    except (SealBrokenError, tarfile.TarError, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BackupRefusedError(f"The backup is damaged, cut off, or no backup at all. {_AGAIN}") from error
    return _agreed(folder)


@contextmanager
def _members(plain: Any) -> Iterator[tarfile.TarFile]:
    with (
        pa.CompressedInputStream(pa.PythonFile(Lent(plain), "r"), "zstd") as packed,
        tarfile.open(fileobj=packed, mode="r|") as tar,
    ):
        yield tar


def _checked(member: tarfile.TarInfo, folder: Path) -> tarfile.TarInfo:
    """A member that a backup may hold: a file, or a link to what lies beside or below it; neither behind a link."""
    name, to = PurePosixPath(member.name), PurePosixPath(member.linkname)
    usual = (member.isreg() or member.issym()) and not (name.is_absolute() or to.is_absolute())
    if not usual or ".." in (*name.parts, *to.parts):
        raise tarfile.TarError("a backup holds no such member")
    if (folder / name).is_symlink() or any((folder / above).is_symlink() for above in name.parents):
        raise tarfile.TarError("a member lies behind a link")
    if (folder / name).exists():
        raise tarfile.TarError("a member comes twice")
    return member


def _agreed(folder: Path) -> Manifest:
    """The manifest, which is taken out of the folder."""
    file = folder / MANIFEST
    try:
        manifest = Manifest(**json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError) as error:
        raise BackupRefusedError(f"The backup has no manifest that can be read. {_AGAIN}") from error
    if manifest.format != FORMAT:
        raise BackupRefusedError(
            f"The backup was made by oneclient {manifest.oneclient}. Restore it with that version.", code="B2"
        )
    file.unlink()
    files, links = {}, {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            links[name] = path.readlink().as_posix()
        elif path.is_file():
            with path.open("rb") as one:
                files[name] = hashlib.file_digest(one, "sha256").hexdigest()
    if (files, links) != (manifest.files, manifest.links):
        raise BackupRefusedError(
            f"What the backup holds is not what its manifest says: it was altered or damaged. {_AGAIN}"
        )
    return manifest


def _change_key(saved: Settings, settings: Settings) -> None:
    """Encrypt with the key of ``settings`` what is encrypted with that of ``saved``; either may be none."""
    again = settings.home / ".again.partial"
    copy_warehouse(saved, again, settings)
    again.replace(settings.database)
    for file in list(originals(settings)):
        name = seal_again(file, saved.key, settings.key)
        _rename_in_note(settings.quarantine, file.name, name.name)


def _rename_in_note(quarantine: Path, before: str, now: str) -> None:
    """Let the note beside a quarantined file name it as it is called now."""
    for note in quarantine.glob("*.reason.json"):
        said = json.loads(note.read_text(encoding="utf-8"))
        if said.get("copy") == before:
            note.write_text(json.dumps({**said, "copy": now}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _put_back_decisions(settings: Settings) -> int:
    """See that the store that the settings name holds the saved log; gives the number of its entries."""
    saved = Settings(home=settings.home)
    if settings.decisions.url is None:
        return put_back_log(saved, saved)
    decisions = put_back_log(saved, settings)
    saved.decisions_file.unlink()
    return decisions


def _take_its_place(partial: Path, home: Path) -> None:
    """Give the restored folder its name; folders without a file that stand there make way."""
    try:
        if home.exists():
            for above, folders, _ in os.walk(home, topdown=False):
                for folder in folders:
                    (Path(above) / folder).rmdir()
            home.rmdir()
        partial.rename(home)
    except OSError as error:
        if error.errno not in {errno.EBUSY, errno.EXDEV, errno.ENOTEMPTY}:
            raise
        raise BackupRefusedError(
            "The new home cannot be put where it is to be: that is a mounted disk, or somebody writes there. "
            "Nothing was restored. Name a folder within it that is not there yet.",
            code="B3",
        ) from error
