"""Files that were damaged on the way, or made to hurt: strategies that begin with a good file and spoil it."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from hypothesis import Phase, settings
from hypothesis import strategies as st
from office import (
    CLIENT_HEADINGS,
    ENROLMENT_HEADINGS,
    ORDER_HEADINGS,
    VISIT_HEADINGS,
    client,
    enrolment,
    order,
    table,
    visit,
)

from pipelines.sources import load_sources

FULL = os.environ.get("PROVE") == "full"
ROOT = Path(__file__).parents[2]
BUILT_IN = load_sources(Path("no mappings of our own"))
SECRET = "SECRET-4711"
STRANGE = (
    "", " ", "\u00a0", '"', '""', "'", ",", ";", "\t", "\r", "\n", "\r\n", "\0", "\x1a", "\x1b[2J", "\ufeff",
    "\u202e", "\u200b", "\u2028", "\U0001f600", "é", "Á", "Аnn", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")',
    "+1", "-1", "@SUM(A1)", "'; drop table raw.files; --", "{{7*7}}", "{% include 'x' %}",
    "<script>alert(1)</script>", "]]>", "&a;", "<r>", "%s", "${x}", "1e999", "-1e999", "NaN", "inf", "-0", "12,50",
    "1,234.50", "£9", "1_000", "٣", "31/02/0000", "00/00/0000", "99999-99-99", "20/11/26", "2026-11-20T25:61",
    "24:00", "99:99", "45616", "45616.5", "99999", "9" * 400, "x" * 40_000, "../../x", "C:\\x", "\\N",

)  # fmt: skip
_PERSON = {"KeySafe": SECRET, "AccessDetails": f"{SECRET} round the back"}
FEEDS = {
    "careplan_roster_clients_1": (CLIENT_HEADINGS, [client(f"C{n}", **_PERSON) for n in range(4)]),
    "careplan_roster_visits_1": (VISIT_HEADINGS, [visit(f"V{n}", "C1") for n in range(4)]),
    "careplan_roster_enrolments_1": (ENROLMENT_HEADINGS, [enrolment(f"C{n}", "K-7") for n in range(4)]),
    "kent_purchase_orders_1": (ORDER_HEADINGS, [order(f"PO{n}", FileReference="F1") for n in range(4)]),
}
VISITS = table(*FEEDS["careplan_roster_visits_1"])
ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be", "latin-1")

_PLACES = st.integers(min_value=0, max_value=1 << 20)
_BYTES = st.one_of(st.sampled_from(STRANGE).map(lambda s: s.encode("utf-8")), st.binary(min_size=1, max_size=4))
Damage = Callable[[bytes], bytes]


def _at(data: bytes, place: int) -> int:
    return place % (len(data) + 1)


def _inserted(place: int, what: bytes) -> Damage:
    return lambda data: data[: _at(data, place)] + what + data[_at(data, place) :]


def _overwritten(place: int, what: bytes) -> Damage:
    return lambda data: data[: _at(data, place)] + what + data[_at(data, place) + len(what) :]


def _cut_out(place: int, length: int) -> Damage:
    return lambda data: data[: _at(data, place)] + data[_at(data, place) + length :]


def _again(place: int, length: int) -> Damage:
    return lambda data: data[: _at(data, place) + length] + data[_at(data, place) :]


def _cut_off(place: int) -> Damage:
    return lambda data: data[: _at(data, place)]


def _pieces(sep: bytes, place: int, change: Callable[[list[bytes], int], list[bytes]]) -> Damage:
    def damage(data: bytes) -> bytes:
        parts = data.split(sep)
        return sep.join(change(parts, place % len(parts)))

    return damage


def _replaced(what: bytes) -> Callable[[list[bytes], int], list[bytes]]:
    return lambda parts, n: [*parts[:n], what, *parts[n + 1 :]]


def _twice(parts: list[bytes], n: int) -> list[bytes]:
    return [*parts[: n + 1], *parts[n:]]


def _without(parts: list[bytes], n: int) -> list[bytes]:
    return [*parts[:n], *parts[n + 1 :]]


def _exchanged(old: bytes, new: bytes) -> Damage:
    return lambda data: data.replace(old, new)


def damages(*separators: bytes) -> st.SearchStrategy[Damage]:
    """One accident: bytes put in, overwritten, lost, doubled or cut off; a piece between separators spoilt."""
    separator = st.sampled_from(separators)
    return st.one_of(
        st.builds(_inserted, _PLACES, _BYTES),
        st.builds(_overwritten, _PLACES, _BYTES),
        st.builds(_cut_out, _PLACES, st.integers(1, 200)),
        st.builds(_again, _PLACES, st.integers(1, 200)),
        st.builds(_cut_off, _PLACES),
        st.builds(_pieces, separator, _PLACES, _BYTES.map(_replaced)),
        st.builds(_pieces, separator, _PLACES, st.sampled_from([_twice, _without])),
        st.builds(_exchanged, separator, separator),
    )


def spoilt(data: bytes, accidents: Sequence[Damage]) -> bytes:
    """The data after all accidents."""
    for accident in accidents:
        data = accident(data)
    return data


def _accidents(*separators: bytes) -> st.SearchStrategy[list[Damage]]:
    return st.lists(damages(*separators), max_size=4)


@st.composite
def feed_texts(draw: st.DrawFn, feeds: Sequence[str] = tuple(FEEDS)) -> tuple[str, bytes]:
    """The name and bytes of a feed as CSV, with strange cells and up to four accidents."""
    name = draw(st.sampled_from(feeds))
    headings, rows = FEEDS[name]
    strange = draw(
        st.dictionaries(
            st.sampled_from([h for h in headings if h not in _PERSON]), st.sampled_from(STRANGE), max_size=4
        )
    )
    rows = [*rows, {**rows[0], **strange}]
    text = table(headings, rows, draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\r\n", "\n", "\r"])))
    data = text.encode(draw(st.sampled_from(ENCODINGS)), "replace")
    return f"{name}.csv", spoilt(data, draw(_accidents(b"\n", b",", b";", b"\r\n", b'"')))


def workbook(rows: Sequence[Sequence[object]], sheet: str = "Clients") -> bytes:
    """A good workbook of one sheet."""
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        page = book.add_worksheet(sheet)
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return kept.getvalue()


def parts_of(book: bytes) -> dict[str, bytes]:
    """What a workbook consists of."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def as_book(parts: Sequence[tuple[str, bytes]]) -> bytes:
    """A zip of parts, whatever their names, also twice the same."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return kept.getvalue()


def edited(book: bytes, part: str, edit: Damage) -> bytes:
    """A workbook of which one part was changed."""
    return as_book([(name, edit(data) if name == part else data) for name, data in parts_of(book).items()])


SHEET = "xl/worksheets/sheet1.xml"
_XML = (b"<", b">", b'"', b" ", b"</c>", b"</row>", b"=")
_ATTRIBUTES = re.compile(rb'"([^"<]*)"')
_VALUES = [
    b"", b"0", b"-1", b"1048577", b"99999999999999999999", b"A0", b"XFE1", b"A1:XFD1048576", b"s", b"inlineStr",
    b"str", b"e", b"b", b"d", b"../../../x", b"/etc/passwd", b"http://x", b"&#0;", b"NaN", b"1e999", b"rId1",
    b"x" * 5000,
]  # fmt: skip


def _attribute(place: int, value: bytes) -> Damage:
    def damage(data: bytes) -> bytes:
        found = list(_ATTRIBUTES.finditer(data))
        if not found:
            return data
        at = found[place % len(found)]
        return data[: at.start(1)] + value + data[at.end(1) :]

    return damage


_NAMES = [
    "../../../../oneclient-was-here",
    "/oneclient-was-here",
    "xl/worksheets/sheet2.xml",
    "xl/sharedStrings.xml",
    "",
    "a\\b",
    SHEET,
]


@st.composite
def damaged_books(draw: st.DrawFn, book: bytes) -> bytes:
    """A workbook after accidents in the XML of its parts, in their list, or in the zip itself."""
    parts = list(parts_of(book).items())
    for _ in range(draw(st.integers(0, 4))):
        n = draw(st.integers(0, len(parts) - 1))
        name, data = parts[n]
        match draw(st.sampled_from(["xml", "xml", "attribute", "attribute", "lost", "twice", "renamed", "swapped"])):
            case "xml":
                parts[n] = name, draw(damages(*_XML))(data)
            case "attribute":
                parts[n] = name, _attribute(draw(_PLACES), draw(st.sampled_from(_VALUES)))(data)
            case "lost" if len(parts) > 1:
                del parts[n]
            case "twice":
                parts.append((name, data))
            case "renamed":
                parts[n] = draw(st.sampled_from(_NAMES)), data
            case "swapped":
                parts[n] = name, parts[draw(st.integers(0, len(parts) - 1))][1]
    made = as_book(parts)
    return spoilt(made, draw(st.lists(damages(b"PK"), max_size=1))) if draw(st.integers(0, 3)) == 0 else made


CLIENT_BOOK = workbook(
    [CLIENT_HEADINGS, *([row.get(h, "") for h in CLIENT_HEADINGS] for row in FEEDS["careplan_roster_clients_1"][1])]
)

_TAGS = (
    "!!python/object/apply:os.system [id]",
    "!!binary x",
    "*a",
    "&a [*a]",
    "<<: *a",
    "%TAG ! x",
    "---",
    "...",
    "? [a]",
)
_VALUES_AMISS = (
    "2001-99-99",
    "1:99:99",
    "0o9",
    "~",
    "base64",
    "idna",
    "utf-32",
    "unicode_escape",
    "%Y%",
    "%-Y",
    "../x",
)
_ENDLESS = ("[" * 400, "{a: " * 400, "- " * 400, "9" * 5000)
_SCALARS = st.sampled_from([*STRANGE, *_TAGS, *_VALUES_AMISS, *_ENDLESS])


@st.composite
def damaged_settings(draw: st.DrawFn, good: str) -> bytes:
    """A YAML or TOML file of which lines were lost, doubled, or given other values, and then bytes spoilt."""
    lines = good.splitlines()
    for _ in range(draw(st.integers(0, 3))):
        n = draw(st.integers(0, len(lines) - 1))
        key, sign, _value = lines[n].partition("=" if "=" in lines[n] else ":")
        line = draw(st.sampled_from(["other", "other", "lost", "twice", "added"]))
        value = draw(_SCALARS)
        lines[n : n + 1] = {
            "other": [f"{key}{sign} {value}"],
            "lost": [],
            "twice": [lines[n], lines[n]],
            "added": [lines[n], value],
        }[line] or ["# lost"]
    return spoilt(
        "\n".join(lines).encode("utf-8", "replace"), draw(st.lists(damages(b"\n", b":", b"=", b'"', b"["), max_size=2))
    )


def cases(quick: int, full: int) -> Any:
    """How many cases a property is tried on; none is shrunk, since what was sent is what is wanted."""
    return settings(
        max_examples=full if FULL else quick, deadline=None, phases=[Phase.explicit, Phase.generate, Phase.target]
    )


def everything_in(folder: Path, but: Path) -> Mapping[str, tuple[int, int]]:
    """Size and time of everything that lies in a folder, but for one part of it."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path != but and but not in path.parents
    }
