"""Which letters bytes stand for, judged by what makes a word.

cp1252, cp850 and Mac Roman decode each other's bytes without an error: ``Renée`` of an old DOS program is ``Ren‚e`` in
cp1252. A letter of the expected case inside a word speaks for a code page, a sign between two letters against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from ftfy.badness import is_bad

CODE_PAGES = {"cp1252": 0.0, "cp850": 0.3, "mac_roman": 0.4, "cp1250": 1.5}
"""The code pages that senders use, and how much more must speak for each than for that of Windows in Britain."""

NONSENSE = 3.0
"""From this cost on a word is none."""

_RARITY = {
    letter: rarity
    for rarity, letters in (
        (0.0, "éÉ"),
        (0.2, "áíóöüñçèëÁÍÓÖÜÑÇÈË"),
        (0.4, "úâäôêïàîÚÂÄÔÊÏÀÎ"),
        (0.6, "ŵŷŴŶłńśźżćęąŁŃŚŹŻĆĘĄčřěůďťňľČŘĎŤŇĽğışİŞĞăĂţŢőűŐŰđĐ"),
        (0.9, "òìûùãõåøæßýšžÒÌÛÙÃÕÅØÆÝŠŽœŒ"),
        (2.0, "ÿþðŸÞÐ"),
    )
    for letter in letters
}
_WORDS = """
adèle agnès aimée allègre amélie anaïs andré andrée aoibhinn aoibhín björn bjørn brontë bäck bäcker bär bébé böhm
búrca café caitlín cesário chloé chloë château châteaux ciarán citroën clémence colm conceição crèche crêche cécile
céline côte daithí daniël déjà désirée díaz dónal dŵr edmée eilís eugène façade fañch fernández ferrán fiancé
fiancée françisco françois françoise fröhlich fête führer garcía gaëlle geneviève gisèle gonzález gonçalves grainné
groß gruß gráinne größ größe grün gérard gómes gómez göktürk günter günther gŵyr hernández hervé håkan héloïse
hélène hölder hübner ibáñez inés iñaki jalapeño jaén jesús jiménez josé josée joão joël jäger jérôme jörg jörn jürg
jürgen krüger käthe köhler köln könig llŷn llŷr lorène loïc lucía luís léa léon léonie lópez lösch löwe lúcia
lúthien mairéad martínez maría marília maélys maëlle michèle muíneacháin muñoz máire máirtín mária méabh mélanie
méndez mícheál mónica môn möller müller nadège naïve niamh nicolás niño noël noëlle nuñez nîmes nóra núñez oisín
pauló peña peñarth philomène plâs pádraic pádraig pérez pétur quiñones ramírez raúl renaté rené renée rhôs rodríguez
rubén ruíz régine rémi róisín rósín schröder schäfer sebastián seán señor señora simón sinéad siobhán sián siân siôn
sofía solveig solène strauß stéphane sánchez são séamas séamus sême søren sørensen théo thérèse toirdhealbhach tomás
türk tŷ valérie vicenç vázquez véronique weiß wolfgäng ynys yáñez yıldız zoé zoë ángel ångström çelik éamon éamonn
éire élan élise élodie éloise émile émilie étienne été ísabel île ógáin óscar österreich özgür özil øystein úna über
ünal şahin
"""  # names and words of British registers, as a tie-breaker
_KNOWN = frozenset(_WORDS.split())
_QUOTES, _EDGES, _MARKS = "’‘", "“”«»", "®©™"
_MIXED = frozenset({"mc", "mac", "de", "di", "du", "la", "le", "van", "von", "fitz", "o", "d"})


@lru_cache(maxsize=1 << 18)
def cost(word: str) -> float:
    """How little a piece of text looks like a word: the cost of its worst letter and half of the rest."""
    costs = sorted((_cost(word, n) for n, letter in enumerate(word) if letter > "\x7f"), reverse=True)
    if not costs:
        return 0.0
    known = any(part in _KNOWN for part in re.split(r"[\W\d_]+", word.lower()))
    return costs[0] + sum(costs[1:]) / 2 - (1.0 if known else 0.0)


def _cost(word: str, place: int) -> float:
    letter = word[place]
    before, after = word[place - 1 : place], word[place + 1 : place + 2]
    if letter in _RARITY:
        return _RARITY[letter] + _case_cost(word, place, before, after)
    return _sign_cost(word, letter, before, after)


def _case_cost(word: str, place: int, before: str, after: str) -> float:
    """Capitals at the start of words or in words of capitals, small letters elsewhere; no letter beside a digit."""
    letter = word[place]
    spelt = re.split(r"[^\w]|_", word[:place])[-1]
    if before.isdigit() or after.isdigit():
        return 2.5
    if letter.isupper():
        if before.islower():
            return 0.0 if spelt.lower() in _MIXED else 4.0
        rest = re.match(r"\w*", word[place:])
        return 3.0 if before.isupper() and rest and not rest.group().isupper() else 0.0
    if not before.isalpha():
        return 4.0 if after.isupper() else 1.0 if word != word.lower() or not after else 0.5
    if before.isupper() and (after.isupper() or (len(spelt) > 1 and spelt.isupper())):
        return 4.0
    return 3.0 if after.isupper() else 0.0


def _sign_cost(word: str, sign: str, before: str, after: str) -> float:  # noqa: PLR0911 - a table of cases
    inside = before.isalpha() and after.isalpha()
    if sign == "\ufffd" or "\x80" <= sign <= "\x9f":
        return 8.0
    if sign == "\u00a0":
        return 3.0 if before.isalpha() and after.islower() else 0.1
    if sign == "\u00ad":  # a soft hyphen, which parts nothing
        return 0.5
    if sign in _QUOTES:
        return 0.1 if sign == "’" else 0.6
    if sign in "–—":
        return 3.5 if inside and before.islower() and after.islower() else 0.3
    if sign in "£€":
        return 0.0 if after.isdigit() else 4.0 if before.isalpha() or after.isalpha() else 0.6
    if sign in "½¼¾":
        return 4.0 if before.isalpha() or after.isalpha() else 0.2
    if sign in "°ºª":
        return 4.0 if inside or (after.isalpha() and after not in "CF") else 0.3 if not before.isalpha() else 1.5
    if sign in "²³":
        return 4.0 if inside else 0.8
    if sign in _EDGES:
        return 4.0 if inside else 0.3
    if sign in _MARKS or sign in "…•·":
        return 4.0 if after.isalpha() else 0.6
    if sign == "´" and inside and word[0] in "OoDdL":
        return 0.8
    return 5.0 if before.isalpha() or after.isalpha() else 2.0


def decoded(word: bytes, page: str) -> str:
    """A word in one code page; U+FFFD stands for a byte that has no letter there."""
    return word.decode(page, errors="replace")


def best_page(words: Iterable[bytes], prior: Mapping[str, float] = CODE_PAGES) -> str:
    """The code page in which most of the words are words; on a draw the first."""
    distinct = sorted(set(words))
    return min(prior, key=lambda page: prior[page] + sum(min(cost(decoded(w, page)), 6.0) for w in distinct))


def only_page(words: Iterable[bytes], usual: str) -> str | None:
    """The code page of one line in which the ``usual`` one makes nonsense; None: no page, or not one alone, fits."""
    distinct = sorted(set(words))
    fits = {
        page: sum(cost(decoded(word, page)) for word in distinct)
        for page in CODE_PAGES
        if page != usual and all(cost(decoded(word, page)) < NONSENSE for word in distinct)
    }
    ranked = sorted(fits, key=lambda page: fits[page])
    if not ranked:
        return None
    first = [decoded(word, ranked[0]) for word in distinct]
    rivals = [p for p in ranked[1:] if fits[p] - fits[ranked[0]] < 0.1 and [decoded(w, p) for w in distinct] != first]
    return None if rivals else ranked[0]


def _twice(page: str, leads: str) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    following = re.escape("".join(bytes([byte]).decode(page, errors="ignore") for byte in range(0x80, 0xC0)))
    one, two = leads[:-1], leads[-1:]
    pattern = re.compile(f"[{one}][{following}]|{two}[{following}]{{2}}")

    def back(found: re.Match[str]) -> str:
        try:
            letter = found.group().encode(page).decode("utf-8")
        except UnicodeError:
            return found.group()
        return letter if _is_certain(found, letter) else found.group()

    return pattern, back


def _is_certain(found: re.Match[str], letter: str) -> bool:
    """Whether two or three signs in a row can only be one letter that was encoded twice."""
    seen, text = found.group(), found.string
    before, after = text[: found.start()][-1:], text[found.end() :][:1]
    if not ("\u00a0" <= letter <= "\u017f" or letter in "‘’“”–—…•€™" or "\u1e00" <= letter <= "\u1eff"):
        return False
    if seen[0] in "ÄÅ":
        return "\x80" <= seen[1] <= "\x9f" or before.islower() or (seen[1] not in "’‘“”" and after.isalpha())
    return not (seen[0] in "ÂÃ" and before.isupper() and seen[1] in "’‘”“–—")


_LEADS = {"sloppy-windows-1252": "ÂÃÄÅâ", "mac_roman": "¬√ƒ≈‚", "cp850": "┬├─┼Ô", "cp437": "┬├─┼Γ"}
_ENCODED_TWICE = [_twice(page, leads) for page, leads in _LEADS.items()]
_VIETNAMESE_LEAD = re.compile("á[º»][\u0080-\u00bf]")
_LEFT_OVER = re.compile("[\x80-\x9f]|[a-z][ÃÂ]|^[ÃÂ]$|â€|[Ãâ][^\\w\\s'’.,)-]|[√├┬┼Γ]")
LOST = "letters were lost before the file came: a replacement sign stands for them"
DOUBLED = "text that was encoded twice and cannot be put right for certain"


@lru_cache(maxsize=1 << 18)
def repaired(word: str) -> tuple[str, str | None]:
    """A word with letters that were encoded twice put right; and why it cannot be read, if it cannot."""
    for _ in range(3):
        better = word
        for pattern, back in _ENCODED_TWICE:
            better = pattern.sub(back, better)
            if better != word:
                break
        else:
            better = _VIETNAMESE_LEAD.sub(_welsh, better)
        if better == word:
            break
        word = better
    if "\ufffd" in word:
        return word, LOST
    return word, DOUBLED if _LEFT_OVER.search(word) and (is_bad(word) or _LEFT_OVER.search(word)) else None


def _welsh(found: re.Match[str]) -> str:
    try:
        return found.group().encode("sloppy-windows-1252").decode("utf-8")
    except UnicodeError:
        return found.group()
