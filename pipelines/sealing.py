"""Files that are sealed at rest, in the age format (age-encryption.org/v1): the ``age`` tool opens them as well.

The key is an age identity of the kind X25519, ``AGE-SECRET-KEY-1…``; its text is the key of the warehouse too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import SecretStr

from pipelines.private import whole_file
from pipelines.settings import KEY_VARIABLE, KeyRefusedError, Settings
from pipelines.troubles import AlreadyThereError, KnownError

SUFFIX = ".age"
_HEADER = b"age-encryption.org/v1"


class SealBrokenError(KnownError):
    """A sealed file is damaged or cut off."""

    code = "K2"


def new_key() -> str:
    """A key that nobody has had before."""
    from pyrage import x25519  # noqa: PLC0415 - a home without a key needs none of it

    return str(x25519.Identity.generate())


def sealed_name(path: Path, key: SecretStr | None) -> Path:
    """What a file is called once it is sealed; without a key as before."""
    return path.with_name(f"{path.name}{SUFFIX}") if key else path


def originals(settings: Settings) -> Iterator[Path]:
    """The files of archive and quarantine that are sealed in an encrypted home: all but the notes beside them."""
    for folder in (settings.archive, settings.quarantine):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith(".") and not path.name.endswith(".reason.json"):
                yield path


def is_sealed(path: Path) -> bool:
    """Whether a file begins as sealed ones do."""
    with path.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER


@contextmanager
def sealing(file: BinaryIO, key: SecretStr | None) -> Iterator[BinaryIO]:
    """What is written in the block goes to ``file`` sealed; without a key as it is. It cannot be sought in."""
    if key is None:
        yield file
        return
    from pyrage import encrypt_io  # noqa: PLC0415

    recipients = [_identity(key).to_public()]
    taken, given = os.pipe()

    def seal() -> None:
        with os.fdopen(taken, "rb") as plain:
            encrypt_io(plain, file, recipients)

    with ThreadPoolExecutor(1) as beside:
        work = beside.submit(seal)
        try:
            with os.fdopen(given, "wb") as plain:
                yield plain
        except BrokenPipeError:
            work.result()  # what the sealing broke off for
            raise
        work.result()


@contextmanager
def unsealing(file: BinaryIO, key: SecretStr | None) -> Iterator[BinaryIO]:
    """What ``file`` holds, unsealed, to be read to its end; without a key as it is.

    Raises KeyRefusedError when the key is not that of the file, SealBrokenError when it is damaged or cut off; what was
    read until then is good for nothing.
    """
    if key is None:
        yield file
        return
    identity = _identity(key)
    taken, given = os.pipe()

    def unseal() -> None:
        with os.fdopen(given, "wb") as plain:
            _decrypt(file, plain, identity)

    with ThreadPoolExecutor(1) as beside:
        work = beside.submit(unseal)
        try:
            with os.fdopen(taken, "rb") as plain:
                yield plain
        except Exception:
            with suppress(BrokenPipeError):  # nobody reads on
                work.result()
            raise
        work.result()


def unseal(file: Path, out: Path, key: SecretStr | None) -> None:
    """Write what a sealed file holds to ``out``, all of it or nothing.

    Raises FileExistsError, KeyRefusedError, SealBrokenError.
    """
    if out.exists():
        raise AlreadyThereError(f"{out} is there already. Name a file that is not.")
    if key is None:
        raise KeyRefusedError(f"It takes the key to unseal a file. Set {KEY_VARIABLE} and run again.")
    if not is_sealed(file):
        raise SealBrokenError(f"{file} is not sealed: it can be read as it is.")
    with file.open("rb") as sealed, whole_file(out) as plain:
        _decrypt(sealed, plain, _identity(key))


def seal_again(file: Path, before: SecretStr | None, key: SecretStr | None) -> Path:
    """Let a kept file, sealed with one key or plain, be sealed with another or plain; gives what it is called then.

    Raises KeyRefusedError, SealBrokenError.
    """
    before = before if is_sealed(file) else None
    name = sealed_name(file.with_name(file.name.removesuffix(SUFFIX)) if before else file, key)
    with (
        whole_file(name) as again,
        sealing(again, key) as out,
        file.open("rb") as kept,
        unsealing(kept, before) as plain,
    ):
        shutil.copyfileobj(plain, out)
    if name != file:
        file.unlink()
    return name


def _identity(key: SecretStr) -> Any:
    from pyrage import x25519  # noqa: PLC0415

    return x25519.Identity.from_str(key.get_secret_value())


def _decrypt(file: BinaryIO, plain: BinaryIO, identity: Any) -> None:
    from pyrage import DecryptError, decrypt_io  # noqa: PLC0415

    try:
        decrypt_io(file, plain, [identity])
    except DecryptError as error:
        if "No matching keys" in str(error):
            raise KeyRefusedError(f"The file is sealed with another key than that in {KEY_VARIABLE}.") from None
        raise SealBrokenError("The sealed file is damaged or cut off.") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise SealBrokenError("The sealed file is damaged or cut off.") from error
