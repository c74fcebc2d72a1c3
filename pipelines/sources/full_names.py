"""A full name in one cell, taken apart: "SMITH, John (Jack)", "Mrs Mary Jones-Smith", "O'Neill J A".

A comma, a surname in capitals or initials show the order of one name by themselves. For the others the column as a
whole shows it (its common forenames and surnames); where it does not, a name is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nameparser.config.maiden_markers import MAIDEN_MARKERS
from nameparser.config.particles import PARTICLES

from pipelines.sources.common_names import leaning
from pipelines.sources.split import Order

NOT_ONE_PERSON = "not the name of one person"
ORDER_UNKNOWN = "whether the surname or the forename comes first cannot be told"
OTHER_WAY_ROUND = "the name seems to be the other way round than the others of its column"
NOT_A_NAME = "not a name that can be taken apart"
LEFT_OVER = "words in brackets that are no name"

words = str.split

_SHARE = 0.15  # of the names of a column that have to show the order
_OPPOSED = 9  # how many names have to show one order for each that shows the other
_LEAST_CAPITALS = 3  # letters: JP is initials, SMITH a surname in capitals

_TITLES = frozenset(
    words("""
    mr mrs miss ms mx mister mstr dr doctor prof professor rev revd reverend sir dame fr cllr councillor
    capt sgt hon rt
    """)
)
_TITLES_OR_NAMES = frozenset(
    words("""
    master lady lord major captain col colonel father sister brother sr canon pastor rabbi imam
    """)
)  # also names: a title only before two words or more
_GENERATIONS = frozenset(
    words("""
    jnr jr junior snr sr senior ii iii
    """)
)
_HONOURS = frozenset(
    words("""
    obe mbe bem cbe kbe dbe gbe esq esquire phd rgn
    """)
)
_PARTICLES = frozenset(PARTICLES) | frozenset(
    ["al", "el", "ap", "ab", "ferch", "verch", "uí", "ui", "ní", "ni", "nic", "bte", "o'", "fitz"]
)
_FIRST_PARTICLES = frozenset(
    words("""
    van von de der den della di da dos du la le mac mc st ap al el ter ten
    """)
)
_O_NAMES = frozenset(
    words("""
    brien callaghan connell connor donnell donoghue donovan dowd driscoll dwyer farrell flaherty gorman
    grady hagan hara kane keefe leary loughlin mahony malley mara meara neil neill regan reilly riordan
    rourke shea sullivan toole
    """)
)
_FACTS = re.compile(
    r"\b(deceased|died|passed away|restricted|sensitive|confidential|safeguarding|do not (use|merge|share))\b", re.I
)
_NO_NAMES = frozenset(
    words("""
    new temp temporary private respite husband wife son daughter mother father brother sister male
    female mr mrs miss ms twin unknown tbc test duplicate upstairs downstairs flat hospital reablement
    copy old live ended closed dnr dnacpr council la nhs chc self funder funded
    """)
)
_MAIDEN = re.compile(
    rf"^(?:{'|'.join(map(re.escape, sorted(MAIDEN_MARKERS)))}|formerly|maiden name|was)\b[.:]?\s*", re.I
)
_MAIDEN_WITHIN = re.compile(r"\s(?:née|nee)\s+(\S.*)$", re.I)
_CALLED = re.compile(r"^(?:known as|likes to be called|called|prefers|pref\.?|aka|a\.k\.a\.?|ka|k/a)\b[.:]?\s*", re.I)
_CALLED_WITHIN = re.compile(r",?\s(?:known as|aka|a\.k\.a\.?|k/a)\s+(\S.*)$", re.I)
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}")
_QUOTES = re.compile(r"(?<!\w)(?:\"([^\"]+)\"|“([^”]+)”|'([^' ][^']*)'|‘([^’ ][^’]*)’)(?!\w)")
_SEVERAL = re.compile(r"&|\+|/|;|\band\b|\bor\b|\bfamily\b|\bestate of\b|\bc/o\b", re.I)
_NO_NAME_AT_ALL = re.compile(r"n/?a|n\.a\.|[-.?]+", re.I)  # what stands for no name is one word, and no name later on
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_WORD = re.compile(r"[^\W\d_][^\W\d_'’`.-]*(?:['’`.-]+[^\W\d_]*)*")


@dataclass(frozen=True)
class Parts:
    """What one cell was taken apart into, by field; or with a ``reason`` why it was not (``parts`` is empty then).

    With both, a rest of the cell has no place in the parts; ``about`` is the field that it may have been meant for.
    """

    parts: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    about: str | None = None


@dataclass
class _Name:
    """A name on its way: its words without title and additions, by the pieces between commas."""

    pieces: list[list[str]]
    title: list[str] = field(default_factory=list)
    generation: list[str] = field(default_factory=list)
    known_as: str = ""
    other_names: str = ""
    reason: str | None = None
    left_over: bool = False


def split_names(cells: Sequence[str], fields: Sequence[str], order: Order | None = None) -> list[Parts]:
    """Each cell of a column (distinct, filled) taken apart into those of ``fields`` that are parts of a name.

    ``order`` is what the mapping says of names without a comma. Only forenames are expected where ``fields`` has no
    surname, and the other way round.
    """
    names = [_read(cell) for cell in cells]
    if not {"forename", "surname"} <= set(fields):
        one = "surname" if "surname" in fields else "forename"
        return [_only(name, one) for name in names]
    order = order or order_shown(names)
    commas = _comma_order(names)
    return [_taken_apart(name, order, commas) for name in names]


def order_of(cells: Sequence[str]) -> Order | None:
    """Which name comes first in those of a column that have no comma; None if the column does not show it."""
    return order_shown([_read(cell) for cell in cells])


def order_shown(names: Sequence[_Name]) -> Order | None:
    """As ``order_of``, of names that are read already."""
    single = [name.pieces[0] for name in names if not name.reason and len(name.pieces) == 1 and len(name.pieces[0]) > 1]
    shown = [one for words in single if (one := _shown_by(words))]
    surname_first = shown.count("surname first")
    forename_first = len(shown) - surname_first
    if not shown or len(shown) < _SHARE * len(single):
        return None
    if surname_first >= _OPPOSED * forename_first:
        return "surname first"
    return "forename first" if forename_first >= _OPPOSED * surname_first else None


def _read(cell: str) -> _Name:
    text = " ".join(_INVISIBLE.sub("", cell).replace("\xa0", " ").replace("`", "'").split())
    found = _Name([])
    for pattern in (_BRACKETS, _QUOTES):
        for match in pattern.finditer(text):
            _addition(found, next(filter(None, match.groups()), "").strip(), quoted=pattern is _QUOTES)
        text = pattern.sub(" ", text)
    text = re.sub(r"\s*-\s+|\s+-\s*", "-" if re.search(r"\w\s+-\s+\w", text) else " ", text)
    if fact := re.search(rf"[\s,-]+{_FACTS.pattern}.*$", text, re.I):
        found.title.append(f"({fact[0].strip(' ,-')})")
        text = text[: fact.start()]
    for pattern, name in ((_MAIDEN_WITHIN, "other_names"), (_CALLED_WITHIN, "known_as")):
        if told := pattern.search(text):
            setattr(found, name, told[1].strip(" ,"))
            text = text[: told.start()]
    if _NO_NAME_AT_ALL.fullmatch(text):
        found.pieces = [[text]]
        return found
    if _SEVERAL.search(text):
        found.reason = NOT_ONE_PERSON
    pieces = [piece.split() for piece in text.split(",")]
    pieces = [piece for each in pieces if (piece := [word for word in each if word.strip(".'-")])]
    if any(not _WORD.fullmatch(word) for piece in pieces for word in piece) or not pieces:
        found.reason = found.reason or NOT_A_NAME
    for number, piece in enumerate(pieces):
        alone = len(pieces) == 1 or number == 0
        _take_title(found, piece, keep=1 if alone else 0)
        _take_end(found, piece, keep=1 if alone else 0)
    found.pieces = [piece for piece in pieces if piece]
    if len(found.pieces) > 2:
        found.reason = found.reason or NOT_A_NAME
    return found


def _addition(found: _Name, words: str, *, quoted: bool) -> None:
    """What stands in brackets or quotes: a name to be called by, a former name, a fact, or none of these."""
    if not words:
        return
    if match := _MAIDEN.match(words):
        found.other_names = words[match.end() :].strip()
    elif _FACTS.search(words):
        found.title.append(f"({words})")
    elif _bare(words) in _GENERATIONS:
        found.generation.append(words)
    elif _bare(words) in _TITLES:
        found.title.append(words)
    else:
        called = _CALLED.sub("", words)
        each = called.split()
        named = all(_WORD.fullmatch(word) for word in each) and len(each) <= 2
        if named and not found.known_as and (quoted or not {_bare(word) for word in each} & _NO_NAMES):
            found.known_as = called
        else:
            found.left_over = True


def _take_title(found: _Name, words: list[str], *, keep: int) -> None:
    """Move titles from the beginning, and one from the end, to the title."""
    while len(words) > keep and (
        _bare(words[0]) in _TITLES or (len(words) > 2 and _bare(words[0]) in _TITLES_OR_NAMES)
    ):
        found.title.append(words.pop(0))
    if len(words) > max(keep, 1 if keep else 0) and _bare(words[-1]) in _TITLES and len(words) > 1:
        found.title.append(words.pop())


def _take_end(found: _Name, words: list[str], *, keep: int) -> None:
    """Move what says which of two namesakes it is aside, and honours away."""
    while len(words) > keep and _bare(words[-1]) in _GENERATIONS | _HONOURS:
        word = words.pop()
        if _bare(word) in _GENERATIONS:
            found.generation.insert(0, word)


def _bare(word: str) -> str:
    return word.casefold().strip(".,'")


def _only(name: _Name, field_name: str) -> Parts:
    if name.reason or len(name.pieces) != 1:
        return Parts(reason=name.reason or NOT_A_NAME)
    return _parts(name, **{field_name: name.pieces[0]})


def _taken_apart(name: _Name, order: Order | None, commas: Order) -> Parts:  # noqa: PLR0911 - a table of cases
    if name.reason:
        return Parts(reason=name.reason)
    if not name.pieces:
        return Parts(reason=NOT_A_NAME)
    if len(name.pieces) == 2:
        surname, forename = name.pieces if commas == "surname first" else reversed(name.pieces)
        return _parts(name, forename=forename, surname=surname)
    (words,) = name.pieces
    if len(words) == 1:
        return _parts(name, surname=words)
    if capitals := _in_capitals(words):
        return _parts(name, surname=words[slice(*capitals)], forename=words[: capitals[0]] + words[capitals[1] :])
    certain = _by_initials(words)
    clear = _lean(words) if abs(leaning(words[0]) - leaning(words[-1])) == 2 else None
    told = certain or order or _by_particles(words) or clear
    if told is None:
        return Parts(reason=ORDER_UNKNOWN)
    if not certain and clear not in (None, told):
        return Parts(reason=OTHER_WAY_ROUND)
    at = _surname_end(words) if told == "surname first" else _surname_start(words)
    if told == "surname first":
        return _parts(name, surname=words[:at], forename=words[at:])
    return _parts(name, surname=words[at:], forename=words[:at])


def _parts(name: _Name, forename: Sequence[str] = (), surname: Sequence[str] = ()) -> Parts:
    given = " ".join([*forename, *name.generation]) if forename else ""
    family = " ".join(surname if forename else [*surname, *name.generation])
    parts = {
        "title": " ".join(name.title), "forename": given, "surname": family, "known_as": name.known_as,
        "other_names": name.other_names,
    }  # fmt: skip
    return Parts({key: value for key, value in parts.items() if value}, LEFT_OVER if name.left_over else None)


def _comma_order(names: Sequence[_Name]) -> Order:
    """What stands before the commas: the surname, unless common names clearly show the forename there."""
    pairs = [name.pieces for name in names if not name.reason and len(name.pieces) == 2]
    leans = [leaning(pair[0][0]) - leaning(pair[1][0]) for pair in pairs]
    turned, usual = sum(lean > 0 for lean in leans), sum(lean < 0 for lean in leans)
    return "forename first" if turned > max(2, _OPPOSED * usual) else "surname first"


def _shown_by(words: Sequence[str]) -> Order | None:
    """Which order one name without a comma shows, by capitals, initials, particles or common names."""
    if capitals := _in_capitals(words):
        return "surname first" if capitals[0] == 0 else "forename first"
    return _by_initials(words) or _by_particles(words) or _lean(words)


def _in_capitals(words: Sequence[str]) -> tuple[int, int] | None:
    """From and to which word a surname in capitals stands among words that are not; None if there is none."""
    loud = [word.isupper() and sum(map(str.isalpha, word)) >= _LEAST_CAPITALS for word in words]
    small = [_bare(word) in _PARTICLES or (word.isupper() and not loud[at]) for at, word in enumerate(words)]
    quiet = [not loud[at] and any(map(str.islower, word)) and not small[at] for at, word in enumerate(words)]
    if not any(loud) or not any(quiet):
        return None
    first, last = loud.index(True), len(loud) - 1 - loud[::-1].index(True)
    if any(quiet[first : last + 1]):
        return None
    if not any(quiet[:first]):
        return 0, last + 1
    if not any(quiet[last:]):
        while _bare(words[first - 1]) in _PARTICLES:
            first -= 1
        return first, len(words)
    return None


def _by_initials(words: Sequence[str]) -> Order | None:
    first, last = _is_initial(words[0]), _is_initial(words[-1])
    if first and _bare(words[0]) == "o" and len(words) > 1 and _bare(words[1]) in _O_NAMES:
        return None
    if first == last:
        return None
    return "forename first" if first else "surname first"


def _is_initial(word: str) -> bool:
    return bool(re.fullmatch(r"(?:[^\W\d_]\.?-?)|(?:[^\W\d_]\.){2,}|[B-DF-HJ-NP-TV-XZ]{2}", word))


def _by_particles(words: Sequence[str]) -> Order | None:
    if len(words) > 2:
        if _bare(words[0]) in _FIRST_PARTICLES:
            return "surname first"
        if any(word[0].islower() and _bare(word) in _PARTICLES for word in words[1:-1]):
            return "forename first"
    return None


def _lean(words: Sequence[str]) -> Order | None:
    first, last = leaning(words[0]), leaning(words[-1])
    if first == last:
        return None
    return "forename first" if first > last else "surname first"


def _surname_start(words: Sequence[str]) -> int:
    """Where a surname at the end of a name begins: before its particles."""
    at = len(words) - 1
    while at > 1 and (_bare(words[at - 1]) in _PARTICLES or _is_irish(words, at - 1)):
        at -= 1
    return at


def _surname_end(words: Sequence[str]) -> int:
    """Where a surname at the beginning of a name ends: after its particles and one word."""
    at = 0
    while at < len(words) - 2 and (_bare(words[at]) in _PARTICLES or _is_irish(words, at)):
        at += 1
    return at + 1


def _is_irish(words: Sequence[str], at: int) -> bool:
    return _bare(words[at]) == "o" and at + 1 < len(words) and _bare(words[at + 1]) in _O_NAMES
