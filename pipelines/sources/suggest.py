"""A first source mapping for a file of unknown layout, by how its headings sound and what its values look like.

Every feed is scored by the required fields that columns with fitting values can fill. Where the best is not plainly the
best, that is said, and what each lacks. A person reads the mapping before its use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from pipelines.feeds import FEEDS, Feed
from pipelines.sources import Source, heading_key
from pipelines.sources.columns import SURE, Column, Offered, fit
from pipelines.sources.dates import WrittenDates, written_dates
from pipelines.sources.moments import split_moments
from pipelines.sources.proposal import written_mapping
from pipelines.sources.values import filled
from pipelines.sources.vocabulary import MOST_WORDS, unknown_words, words_for
from pipelines.sources.wanted import not_there

_NEVER_STORE = re.compile(r"key.?safe|access.?(detail|code|note)|door.?code|alarm", re.IGNORECASE)
_TO_BE_WRITTEN = "WRITE THE COUNCIL'S OR ROSTERING SYSTEM'S CODE HERE"
_COVERED = 0.4  # the share of the columns that a feed has to explain
_AHEAD = 1.0  # points by which a feed has to be better than the next that could be read
_FOOTER_ROWS = 5
_BUILT_IN_FOOTERS = re.compile(
    r"(grand |sub)?-?total|printed|end of (report|file|list)|report |page |records?\b|rows?\b|count|number of",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Chance:
    """How well a file fits one feed: points, the required fields that no column fills, and those that are doubtful."""

    feed: str
    points: float
    lacks: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    columns_used: int = 0
    columns: int = 0

    @property
    def says(self) -> str:
        """What the feed lacks, in words."""
        told = [f"no column for {', '.join(self.lacks)}"] if self.lacks else []
        told += [f"only a guess for {', '.join(self.doubtful)}"] if self.doubtful else []
        told.append(f"{self.columns_used} of {self.columns} columns used")
        return "; ".join(told)


@dataclass(frozen=True)
class Suggestion:
    """A suggested mapping as YAML, with the headings that fit no field and the required fields that no heading fits.

    ``sure`` is false where another feed may be meant (``runner_up``) or a required field is a guess; such a mapping is
    not written. ``notes`` say what a person should look at; first, what follows from the fields ``without`` a heading
    that a feed of people should have (``address_1 or postcode`` is one).
    """

    feed: str
    mapping: str
    unmapped: tuple[str, ...]
    missing: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    notes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    sure: bool = True
    best: Chance | None = None
    runner_up: Chance | None = None


@dataclass(frozen=True)
class Known:
    """What the person who asks knows better: the feed, the code of the issuer, the council of the references."""

    feed: str | None = None
    issuer: str | None = None
    authority: str | None = None


NOTHING_KNOWN = Known()


def suggest_mapping(
    path: Path,
    values: Mapping[str, Sequence[str]],
    built_in: Sequence[Source],
    known: Known = NOTHING_KNOWN,
    sheet: str | None = None,
    last_rows: Sequence[Sequence[str]] = (),
) -> Suggestion:
    """The feed that headings and values fit best, and which heading carries which field.

    ``values`` are the cells of the first rows under each heading, ``last_rows`` the last rows of the file, whole.
    """
    never = [h for h in values if _NEVER_STORE.search(h)]
    first_of_key = {heading_key(h): h for h in reversed(list(values)) if heading_key(h)}
    told = {h: filled(cells) for h, cells in values.items() if h in first_of_key.values() and h not in never}
    offered = Offered(told, values)
    feeds = [FEEDS[known.feed]] if known.feed else list(FEEDS.values())
    fits = {feed.name: fit(feed, offered, certainly=known.feed is not None) for feed in feeds}
    chances = sorted((_chance(feed, fits[feed.name]) for feed in feeds), key=lambda c: -c.points)
    best, runner_up = chances[0], (chances[1] if len(chances) > 1 else None)
    feed, columns = FEEDS[best.feed], fits[best.feed]
    template = next(s for s in built_in if s.feed == feed.name)
    carriers = {name: column for column in columns for name in column.fields_in(feed)}
    dates = _dates(feed, carriers, told, template)
    words = {
        name: found
        for name in ("status", "unit_of_measure")
        if name in carriers and len(vocabulary := told[carriers[name].heading]) <= MOST_WORDS
        and (found := words_for(name, feed.name, vocabulary))
    }  # fmt: skip
    footer = _footers(last_rows, len(values))
    mapping = {
        "feed": feed.name,
        "files": [pattern_for(path)],
        "issuer": {"fixed": known.issuer or _TO_BE_WRITTEN},
        **({"authority_code": known.authority} if known.authority else {}),
        **({"sheet": sheet} if sheet else {}),
        "date_formats": list(dates.formats),
        **({"footer": footer} if footer else {}),
        **({"values": words} if words else {}),
        **({"reference_prefixes": list(template.reference_prefixes)} if template.reference_prefixes else {}),
        **({"never_store": never} if never else {}),
    }
    without = not_there(feed.name, carriers)
    notes = [f"no column is the {one.called}: {one.follows}" for one in without]
    notes += [f"dates: {note}" for note in dates.notes]
    notes += _word_notes(feed, carriers, told)
    if footer:
        notes.append(f"rows at the end that are no rows: {', '.join(footer)}")
    notes += [f"{c.heading}: left out: {c.because}" for c in columns if not c.carries and c.because]
    if never:
        notes.append(f"never stored, in any file of this home: {', '.join(never)}")
    unmapped = tuple(c.heading for c in columns if not c.carries)
    return Suggestion(
        feed.name,
        written_mapping(mapping, [c for c in columns if c.carries], notes, unmapped, best.lacks),
        unmapped,
        best.lacks,
        tuple(columns),
        tuple(notes),
        tuple(w.name for w in without),
        _is_sure(best, runner_up, known),
        best,
        runner_up,
    )


def _chance(feed: Feed, columns: Sequence[Column]) -> Chance:
    """How well the columns fill a feed: a required field counts much, a doubtful one little, a missing one against."""
    sure = {name: column.confidence for column in columns for name in column.fields_in(feed)}
    required = [field.name for field in feed.fields if field.required]
    lacks = tuple(name for name in required if name not in sure)
    doubtful = tuple(name for name in required if name in sure and sure[name] < SURE)
    points = 3.0 * (len(required) - len(lacks) - len(doubtful)) - 4.0 * len(lacks)
    points += sum(sure.values())
    worth = [column for column in columns if column.filled or column.carries]
    used = sum(column.carries is not None for column in columns)
    return Chance(feed.name, round(points, 2), lacks, doubtful, used, len(worth))


def _is_sure(best: Chance, runner_up: Chance | None, known: Known) -> bool:
    """Whether the best feed may be taken without asking."""
    if best.lacks:
        return False
    if known.feed:
        return True
    covered = best.columns_used >= _COVERED * best.columns
    others = len(best.doubtful) <= 1 and (not best.doubtful or best.columns_used >= 0.5 * best.columns)
    if runner_up is None:
        ahead = True
    elif runner_up.lacks:  # it cannot be read as that, but what it is may be that and lack a column
        ahead = runner_up.columns_used <= best.columns_used
    else:
        ahead = best.points - runner_up.points >= _AHEAD
    return covered and others and ahead


def _dates(
    feed: Feed, carriers: Mapping[str, Column], told: Mapping[str, Sequence[str]], template: Source
) -> WrittenDates:
    days: list[str] = []
    short: set[str] = set()
    for field in feed.fields:
        if field.type == "date" and (column := carriers.get(field.name)):
            cells = told[column.heading]
            if column.split:
                parts = split_moments(cells, column.split.fields)
                cells = [date for each in parts if (date := each.parts.get(field.name))]
            days += cells
            short |= {field.name} if any(form.endswith("%y") for form in written_dates(cells, ()).formats) else set()
    return written_dates(days, template.date_formats, frozenset(short))


def _word_notes(feed: Feed, carriers: Mapping[str, Column], told: Mapping[str, Sequence[str]]) -> list[str]:
    notes = []
    for name in ("status", "unit_of_measure"):
        if column := carriers.get(name):
            unknown = unknown_words(name, feed.name, told[column.heading])
            if unknown and len(told[column.heading]) <= MOST_WORDS:
                named = ", ".join(unknown[:8])
                notes.append(
                    f"{column.heading}: words that oneclient does not know: {named}. Translate them in values:"
                )
    return notes


def _footers(last_rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Patterns of the first filled cell of rows at the end that are no rows, beside those that are known anyway."""
    found: list[str] = []
    for row in reversed(last_rows[-_FOOTER_ROWS:]):
        cells = [cell.strip() for cell in row if cell.strip()]
        if not cells:
            continue
        if len(cells) > max(1, width // 4) or not re.match(r"[^\W\d]{3,}", cells[0]):
            break
        if not _BUILT_IN_FOOTERS.match(cells[0]):
            words = re.match(r"(?:[^\W\d_]+[ :]?){1,2}", cells[0])
            found.append(f"{escape(words[0].strip(' :'))}*" if words else f"{escape(cells[0])}")
    return list(dict.fromkeys(reversed(found)))


def pattern_for(path: Path) -> str:
    """The file's name with its date or number left open, unless nothing else would be left of it."""
    stem = "*".join(map(escape, re.split(r"\d+(?:[-_. ]?\d+)*", path.stem)))
    telling = sum(letter.isalpha() for letter in stem) >= 3
    return f"{stem if telling else escape(path.stem)}{path.suffix}"
