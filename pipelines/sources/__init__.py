"""Source mappings: which files a source sends, and which of its headings carries which field of a feed.

The built-in mappings are the YAML files beside this module; an operator's own lie in ``HOME/sources/`` and are asked
first, so that they can replace a built-in one.
"""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines.feeds import FEEDS, Feed
from pipelines.mistakes import first_mistake, near
from pipelines.settings import SettingsError
from pipelines.sources.written import read_yaml

_SHORT_LIST = 12  # fields that one sentence can list
_BUILT_IN = Path(__file__).parent
_DATE_PARTS = re.compile(r"%-?[dmyjHIMS]|%[YbBaApf]|%%")


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it holds a line end or a sign that cannot be seen; write it again by hand")
    return text


Line = Annotated[str, AfterValidator(_one_line)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FixedIssuer(_Strict):
    """Every row of the file was issued by this one council or rostering system."""

    fixed: Annotated[Line, Field(min_length=1)]


class FileNameIssuer(_Strict):
    """The part of the file name before the feed's name: ``careplan_roster_visits_….csv`` was issued by ``careplan``."""

    file_name: Literal[True]


class Source(_Strict):
    """One source mapping, as written in YAML. ``columns`` maps a heading to a field of the feed."""

    name: Annotated[
        str,
        Field(pattern=r"^\w[\w .-]*$", max_length=100, description="letters, digits, _, ., - and spaces, 100 at most"),
    ]
    feed: Line
    files: Annotated[tuple[Line, ...], Field(min_length=1)]
    issuer: FixedIssuer | FileNameIssuer
    authority_code: Line | None = None
    encoding: Line | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    sheet: Line | None = None
    date_formats: Annotated[tuple[Line, ...], Field(min_length=1)]
    excel_serial_dates: bool = True
    reference_prefixes: tuple[str, ...] = ()
    never_store: tuple[str, ...] = ()
    columns: dict[str, str]

    @model_validator(mode="after")
    def _fields_exist(self) -> Source:
        if self.feed not in FEEDS:
            raise ValueError(
                f"feed is {self.feed!r}{near(self.feed, FEEDS)}; it must be one of {', '.join(sorted(FEEDS))}"
            )
        known = set(FEEDS[self.feed].field_names)
        if unknown := sorted(set(self.columns.values()) - known):
            named = ", ".join(f"{field}{near(field, known)}" for field in unknown)
            raise ValueError(
                f"columns name fields that {self.feed} does not have: {named}; those that it has are listed in "
                "docs/mappings.md#the-fields-of-each-feed"
                + (f": {', '.join(FEEDS[self.feed].field_names)}" if len(known) <= _SHORT_LIST else "")
            )
        if twice := sorted({f for f in self.columns.values() if list(self.columns.values()).count(f) > 1}):
            raise ValueError(f"columns give these fields more than one heading: {', '.join(twice)}")
        required = {field.name for field in FEEDS[self.feed].fields if field.required}
        if missing := sorted(required - set(self.columns.values())):
            raise ValueError(f"columns give no heading for the required fields: {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _can_be_read(self) -> Source:
        if unnamed := [heading for heading in (*self.columns, *self.never_store) if not heading_key(heading)]:
            raise ValueError(f"{len(unnamed)} headings have no letter A to Z and no digit to be known by")
        keys = [heading_key(heading) for heading in self.columns]
        if twice := sorted({heading for heading in self.columns if keys.count(heading_key(heading)) > 1}):
            raise ValueError(f"these headings differ in case or punctuation only: {', '.join(twice)}")
        if unknown := [form for form in self.date_formats if "%" in _DATE_PARTS.sub("", form) or "%" not in form]:
            raise ValueError(f"date_formats cannot be used: {', '.join(unknown)}; write them like %d/%m/%Y")
        if self.encoding and not _is_encoding(self.encoding):
            raise ValueError(f"encoding {self.encoding!r} is not known; write it like utf-8 or cp1252")
        if self.delimiter and not re.fullmatch(r"[\t\x1c-\x1f -/:-@\[-`{-~]", self.delimiter.replace('"', "")):
            raise ValueError("delimiter must be one character such as ; or |")
        return self

    @property
    def definition(self) -> Feed:
        """The feed that the files carry."""
        return FEEDS[self.feed]

    @property
    def prefix_pattern(self) -> str:
        """What offices write before a reference, as a regular expression over its letters and digits in capitals."""
        keys = sorted({heading_key(prefix).upper() for prefix in self.reference_prefixes}, key=lambda k: (-len(k), k))
        return f"^(?:{'|'.join(filter(None, keys)) or '$'})"

    def issuer_of_file(self, file_name: str) -> str:
        """The issuer that the mapping or the file name states; an order's own authority code goes before it."""
        if isinstance(self.issuer, FixedIssuer):
            return self.issuer.fixed
        start = re.split(rf"_{self.feed}(?=[_.])", file_name, flags=re.IGNORECASE)[0]
        start = "".join(letter for letter in start if letter.isprintable()).strip() if start != file_name else ""
        issuer = start or self.name
        return issuer.upper() if self.feed == "purchase_orders" else issuer.lower()


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
    return _checked(name, ascii(f"{name}.yaml")[1:-1], yaml.safe_load(text))


def source_for(file_name: str, sources: tuple[Source, ...]) -> Source | None:
    """The first mapping one of whose patterns fits the file name, whatever its case."""
    lowered = file_name.lower()
    return next((s for s in sources if any(fnmatch(lowered, pattern.lower()) for pattern in s.files)), None)


def heading_key(heading: str) -> str:
    """A heading without case, spaces and punctuation: ``Social Services Ref.`` and ``SocialServicesRef`` are one."""
    return re.sub(r"[^a-z0-9]", "", heading.lower())


def never_stored(sources: tuple[Source, ...]) -> frozenset[str]:
    """Heading keys that no file, whatever it claims to be, may bring into the home."""
    return frozenset(heading_key(heading) for source in sources for heading in source.never_store)


def _is_encoding(name: str) -> bool:
    try:
        return "a;1\n".encode(name).decode(name) == "a;1\n"
    except (LookupError, ValueError):
        return False


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
