"""Find and read the originals of loaded files, and compare them with what was loaded."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.feeds import FEEDS
from pipelines.ingest.archive import mentions
from pipelines.ingest.fields import read_file
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.workbook import WORKBOOKS
from pipelines.sealing import SUFFIX, SealBrokenError, is_sealed, unsealing
from pipelines.settings import Settings, SettingsError
from pipelines.sources import Source, load_sources, never_stored
from pipelines.warehouse import Warehouse

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a disk in memory, where there is one


class CannotBeReadError(Exception):
    """The file is damaged, so that nobody can tell what it holds."""


@dataclass(frozen=True)
class Archive:
    """How many originals the warehouse knows, which of them are missing or not as they were loaded, and how many kept
    files it does not know. A file is named by feed, source and the beginning of its hash."""

    known: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    unknown: tuple[str, ...]


def kept(settings: Settings, feed: str, source: str, content_hash: str) -> Path | None:
    """Where the original of a line of ``raw.files`` is kept, whatever its suffix, sealed or not; None: nowhere."""
    found = (settings.archive / feed).glob(f"{source}-{content_hash[:16]}*")
    return next((path for path in sorted(found) if not path.name.endswith(".partial")), None)


@contextmanager
def plain(settings: Settings, path: Path) -> Iterator[Path]:
    """Where a kept file can be read as it came: itself, or for as long as the block lasts an unsealed copy.

    Raises CannotBeReadError for a sealed file that is damaged.
    """
    if not is_sealed(path):
        yield path
        return
    folder = _IN_MEMORY if _IN_MEMORY.is_dir() else settings.scratch
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="oneclient-") as private:
        copy = Path(private) / path.name.removesuffix(SUFFIX)
        try:
            with path.open("rb") as file, unsealing(file, settings.key) as out, copy.open("wb") as written:
                shutil.copyfileobj(out, written)
        except SealBrokenError as error:
            raise CannotBeReadError from error
        yield copy


def compare_archive(settings: Settings, warehouse: Warehouse) -> Archive:
    """Hold the archive against the lines of ``raw.files``.

    A file that came without never-stored columns, and of which nothing was erased, has to be the same byte for byte. Of
    any other the rows are counted, since its copy never was the file that came: unless its mapping cannot be read.
    """
    lines = warehouse.rows(_LOADED) if warehouse.exists("raw.files") else []
    names = {f"{feed}/{source}-{content_hash[:16]}" for feed, source, content_hash, *_ in lines}
    kept_files = (file for feed in FEEDS for file in (settings.archive / feed).glob("*-*") if file.suffix != ".partial")
    unknown = {f"{file.parent.name}/{file.name.partition('.')[0]}" for file in kept_files} - names
    erased = bool(warehouse.one("select count(*) from staged.forgettings"))
    try:
        sources: tuple[Source, ...] | None = load_sources(settings.sources)
    except SettingsError:
        sources = None
    missing, changed = [], []
    for feed, source, content_hash, rows, is_retired in lines:
        path = None if is_retired else kept(settings, feed, source, content_hash)
        name = f"{feed}/{source}-{content_hash[:16]}"
        if path is None and not is_retired:
            missing.append(name)
        elif path and not _is_whole(settings, path, source, content_hash, rows, sources, erased=erased):
            changed.append(name)
    return Archive(len(lines), tuple(missing), tuple(changed), tuple(sorted(unknown)))


def _is_whole(
    settings: Settings, path: Path, source: str, content_hash: str, rows: int, sources: tuple[Source, ...] | None,
    *, erased: bool,
) -> bool:  # fmt: skip
    """Whether a kept file is as it was loaded, as far as that can be seen without the mappings (``sources`` None)."""
    try:
        with plain(settings, path) as original:
            with original.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == content_hash:
                    return True
                file.seek(0)
                must_be_equal = sources is not None and not erased and original.suffix.lower() not in WORKBOOKS
                if must_be_equal and not mentions(file, never_stored(sources or ())):
                    return False
            mapping = next((one for one in sources or () if one.name == source), None)
            if mapping is None:  # it may be deleted once its files are loaded
                return True
            contents = read_file(original, mapping, settings.ingest)
            return bool(contents.rows.num_rows + len(contents.broken) == rows)
    except (CannotBeReadError, FileRefusedError, OSError):
        return False


# One row is one content that was loaded from one source, with the rows that were read and whether it was retired.
_LOADED = """
    select feed, source, content_hash, max(rows_read), bool_or(file_id in (select file_id from raw.retired_files))
    from raw.files
    where status = 'loaded' and rows_of is null
    group by all
    order by all
"""
