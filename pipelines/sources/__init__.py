"""Source mappings: which files a source sends, and which of its headings carries which field of a feed.

The built-in mappings are the YAML files beside this module; an operator's own lie in ``HOME/sources/`` and are asked
first, so that they can replace a built-in one.
"""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelines.mistakes import first_mistake
from pipelines.settings import SettingsError
from pipelines.sources.headings import heading_key
from pipelines.sources.mapping import FileNameIssuer, FixedIssuer, Source
from pipelines.sources.split import Split
from pipelines.sources.written import read_yaml, yaml_of

__all__ = [
    "FileNameIssuer", "FixedIssuer", "Source", "Split", "heading_key", "load_sources", "never_stored", "source_for",
    "source_of_text",
]  # fmt: skip

_BUILT_IN = Path(__file__).parent


def load_sources(home_sources: Path) -> tuple[Source, ...]:
    """The operator's mappings by file name, then the built-in ones.

    Raises SettingsError for a mapping that is not YAML or does not fit its feed.
    """
    own = sorted(p for p in home_sources.glob("*") if p.suffix in {".yaml", ".yml"})
    sources = tuple(_read(path) for path in (*own, *sorted(_BUILT_IN.glob("*.yaml"))))
    hidden = never_stored(sources)
    for source in sources:
        if mapped := [heading for heading in source.columns if heading_key(heading) in hidden]:
            raise SettingsError(
                f"source mapping {source.name}: {', '.join(mapped)} must never be stored, so it cannot carry a field. "
                "Take it out of columns and run again.",
                code="S2",
            )
    return sources


def source_of_text(name: str, text: str) -> Source:
    """A mapping that oneclient itself wrote, as HOME/sources/<name>.yaml would be read. Raises SettingsError."""
    return _checked(name, ascii(f"{name}.yaml")[1:-1], yaml_of(text))


def source_for(file_name: str, sources: tuple[Source, ...]) -> Source | None:
    """The first mapping one of whose patterns fits the file name, whatever its case."""
    lowered = file_name.lower()
    return next((s for s in sources if any(fnmatch(lowered, pattern.lower()) for pattern in s.files)), None)


def never_stored(sources: tuple[Source, ...]) -> frozenset[str]:
    """Heading keys that no file, whatever it claims to be, may bring into the home."""
    return frozenset(heading_key(heading) for source in sources for heading in source.never_store)


def _read(path: Path) -> Source:
    written = read_yaml(path, "source mapping")
    if not isinstance(written, dict):
        raise SettingsError(
            f"source mapping {path.name} is not a YAML mapping. See docs/mappings.md for an example.", code="S2"
        )
    return _checked(path.stem, path.name, written)


def _checked(name: str, file_name: str, written: dict[str, Any]) -> Source:
    try:
        return Source.model_validate({"name": name, **written})
    except ValidationError as error:
        raise SettingsError(
            f"source mapping {file_name}: {first_mistake(error, Source, what='entry')}. Correct it and run again.",
            code="S2",
        ) from error
