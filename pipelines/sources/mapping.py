"""One source mapping: which files a source sends, which heading carries which field, how its cells are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from pipelines.feeds import FEEDS, Feed
from pipelines.mistakes import near
from pipelines.sources.headings import heading_key
from pipelines.sources.split import Split, column_of

_SHORT_LIST = 12  # fields that one sentence can list
_DATE_PARTS = re.compile(r"%-?[dmyjHIMS]|%[YbBaApf]|%%")


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it holds a line end or a sign that cannot be seen; write it again by hand")
    return text


def _as_text(value: Any) -> Any:
    """A number, date, true or false in YAML as the text that a cell would hold."""
    return str(value) if isinstance(value, bool | int | float | date | time) else value


Line = Annotated[str, AfterValidator(_one_line)]
Word = Annotated[str, BeforeValidator(_as_text), AfterValidator(_one_line), Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FixedIssuer(_Strict):
    """Every row of the file was issued by this one council or rostering system."""

    fixed: Annotated[Line, Field(min_length=1)]


class FileNameIssuer(_Strict):
    """The part of the file name before the feed's name: ``careplan_roster_visits_….csv`` was issued by ``careplan``."""

    file_name: Literal[True]


class Source(_Strict):
    """One source mapping, as written in YAML (docs/mappings.md has each entry).

    ``columns`` maps a heading to a field of the feed, or to a ``Split``. ``constants`` are values that every row has,
    ``values`` the words of this source for words that oneclient knows, ``footer`` patterns of the first filled cell of
    rows that are no rows, and ``without`` headings that this source no longer sends.
    """

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
    delivers: Literal["changes", "everything"] = "changes"
    two_digit_years: Literal["past", "near"] = "near"
    footer: tuple[Line, ...] = ()
    without: tuple[Line, ...] = ()
    constants: dict[str, Word] = Field(default_factory=dict)
    values: dict[str, dict[Word, Word]] = Field(default_factory=dict)
    columns: dict[str, str | Split]

    @field_validator("columns", mode="before")
    @classmethod
    def _fields_or_splits(cls, written: Any) -> Any:
        return {key: column_of(value) for key, value in written.items()} if isinstance(written, dict) else written

    @model_validator(mode="after")
    def _fields_exist(self) -> Source:
        if self.feed not in FEEDS:
            raise ValueError(
                f"feed is {self.feed!r}{near(self.feed, FEEDS)}; it must be one of {', '.join(sorted(FEEDS))}"
            )
        feed = self.definition
        known = set(feed.field_names)
        for split in self.columns.values():
            if isinstance(split, Split) and (mistake := split.mistake_in(feed)):
                raise ValueError(mistake)
        if unknown := sorted({field for field in self.columns.values() if isinstance(field, str)} - known):
            raise ValueError(f"columns name fields that {self.feed} does not have: {self._not_of_feed(unknown)}")
        for entry, named in (("constants", self.constants), ("values", self.values)):
            if unknown := sorted(set(named) - known):
                raise ValueError(f"{entry} name fields that {self.feed} does not have: {self._not_of_feed(unknown)}")
        carried = [field for heading in self.columns for field in self.fields_of(heading)]
        if twice := sorted({field for field in carried if carried.count(field) > 1}):
            raise ValueError(f"columns give these fields more than one heading: {', '.join(twice)}")
        if twice := sorted(set(carried) & set(self.constants)):
            raise ValueError(f"constants give these fields a value though a heading carries them: {', '.join(twice)}")
        if missing := sorted(field.name for field in feed.fields if field.required and field.name not in self.fields):
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

    @model_validator(mode="after")
    def _words_are_clear(self) -> Source:
        if idle := sorted(set(self.values) - self.fields):
            raise ValueError(f"values translate fields that no heading carries: {', '.join(idle)}")
        for field, words in self.values.items():
            keys = [word_key(word) for word in words]
            if twice := sorted({word for word in words if keys.count(word_key(word)) > 1}):
                raise ValueError(f"values of {field} differ in case or spaces only: {', '.join(twice)}")
        mapped = {heading_key(heading): heading for heading in self.columns}
        if both := [heading for heading in self.without if heading_key(heading) in mapped]:
            raise ValueError(f"columns and without both name {', '.join(both)}: is it sent, or not?")
        if open_ended := [pattern for pattern in self.footer if not pattern.strip(" *?")]:
            raise ValueError(f"footer would take every row for a footer: {', '.join(open_ended) or 'an empty pattern'}")
        return self

    @property
    def definition(self) -> Feed:
        """The feed that the files carry."""
        return FEEDS[self.feed]

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings that carry something, as written in the mapping."""
        return tuple(self.columns)

    @property
    def fields(self) -> frozenset[str]:
        """The fields that a heading or a constant gives a value to."""
        return frozenset(self.constants).union(*(self.fields_of(heading) for heading in self.columns))

    def fields_of(self, heading: str) -> tuple[str, ...]:
        """The fields of the feed that a heading, in any case and punctuation, carries; none if it is not mapped."""
        column = self.columns.get(heading) or next(
            (column for each, column in self.columns.items() if heading_key(each) == heading_key(heading)), None
        )
        if column is None:
            return ()
        return (column,) if isinstance(column, str) else column.fields_in(self.definition)

    def headings_of(self, field: str) -> tuple[str, ...]:
        """The headings (at most one today) that carry a field, alone or with others."""
        return tuple(heading for heading in self.columns if field in self.fields_of(heading))

    @property
    def required_headings(self) -> tuple[str, ...]:
        """The headings without which no row has its required fields."""
        required = {field.name for field in self.definition.fields if field.required}
        return tuple(heading for heading in self.columns if required & set(self.fields_of(heading)))

    @property
    def vocabularies(self) -> Mapping[str, Mapping[str, str]]:
        """``values`` with the words of the source as they are compared: without case and outer spaces."""
        return {field: {word_key(word): known for word, known in words.items()} for field, words in self.values.items()}

    def _not_of_feed(self, unknown: Iterable[str]) -> str:
        known = FEEDS[self.feed].field_names
        named = ", ".join(f"{field}{near(field, known)}" for field in unknown)
        listed = f": {', '.join(known)}" if len(known) <= _SHORT_LIST else ""
        return f"{named}; those that it has are listed in docs/mappings.md#the-fields-of-each-feed{listed}"

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


def word_key(word: str) -> str:
    """A word of a vocabulary as it is compared: without case, and with single spaces only."""
    return " ".join(word.split()).casefold()


def _is_encoding(name: str) -> bool:
    try:
        return "a;1\n".encode(name).decode(name) == "a;1\n"
    except (LookupError, ValueError):
        return False
