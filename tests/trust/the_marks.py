"""Made-up feeds in which every personal value carries a mark that survives standardising, and a search for the marks.

Words carry five letters that stand together nowhere by chance; numbers, dates and postcodes a run of digits or a shape.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from zlib import crc32

import openpyxl
import pyarrow.parquet as pq

from pipelines.sample import make_sample

NIGHT = date(2026, 11, 20)
WORD = "xqzvj"
CP1252 = {"kent", "rosterly"}
HEADINGS = {"FileReference", "ClientID", "VisitID"}


def _word(value: str) -> str:
    return f"{value}{WORD.upper() if value.isupper() else WORD}"


def _born(value: str) -> str:
    """The same day of a year long past, a leap year if it was one."""
    return re.sub(r"(?<!\d)(?:19|20)\d\d(?!\d)", lambda year: str(1905 + (int(year[0]) - 1905) % 12), value)


def _nhs(value: str) -> str:
    """A valid number of a range that is given to nobody, the same for the same number."""
    for n in range(crc32(re.sub(r"\D", "", value).encode()) % 9_000, 10_000):
        digits = f"99977{n:04d}"
        check = 11 - sum(int(d) * (10 - place) for place, d in enumerate(digits)) % 11
        if check != 10:
            return digits + str(check % 11)
    raise AssertionError(value)


def _reference(value: str) -> str:
    return re.sub(r"\d+", lambda digits: f"77707770{digits[0]}", value, count=1)


def _phone(value: str) -> str:
    return f"0791187{crc32(re.sub(r'[^0-9]', '', value)[-9:].encode()) % 10_000:04d}"


def _postcode(value: str) -> str:
    return re.sub(r"\s*\d[A-Z]{2}\s*$", " 9QX", value, flags=re.IGNORECASE)


MARKING: dict[str, Callable[[str], str]] = {
    "Forename": _word, "Surname": _word, "KnownAs": _word, "OtherNames": _word, "Address1": _word, "Address2": _word,
    "Town": _word, "Email": lambda value: f"{WORD}.{value}", "KeyWorker": _word, "KeySafe": _word,
    "AccessDetails": _word, "DateOfBirth": _born, "NHSNumber": _nhs, "SocialServicesRef": _reference, "Phone": _phone,
    "Mobile": _phone, "Postcode": _postcode, "ClientID": lambda value: f"{value}{WORD}",
}  # fmt: skip
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
MARKS = {
    "word": re.compile(WORD.encode(), re.IGNORECASE),
    "birth": re.compile(
        rf"(?<!\d)19(?:0[5-9]|1[0-6])[-/.](?:0\d|1[0-2])[-/.][0-3]\d(?!\d)|[0-3]?\d[-/. ](?:\d\d|(?:{_MONTHS})[a-z]*)"
        r"[-/. ]19(?:0[5-9]|1[0-6])(?!\d)".encode()
    ),
    "NHS number": re.compile(rb"(?<![\d.])999[ -]?77\d[ -]?\d{4}(?!\d)"),
    "reference": re.compile(rb"77707770"),
    "phone": re.compile(rb"(?<![\d.])(?:\+?44 ?|0)?7911[ -]?87\d{4}(?!\d)"),
    "postcode": re.compile(rb"\b[A-Z]{1,2}\d[A-Z\d]?\s?9QX\b", re.IGNORECASE),
}


def marked_feeds(folder: Path, clients: int = 150, text: Callable[[str], str] = _word) -> Path:
    """An inbox of one night's feeds, marked; ``text`` says how words are."""
    make_sample(folder, clients=clients, visits=2 * clients, seed=5, day=NIGHT)
    for file in sorted((folder / "inbox").iterdir()):
        (_mark_workbook if file.suffix == ".xlsx" else _mark_csv)(file, text)
    return folder / "inbox"


def _mark_csv(file: Path, text: Callable[[str], str]) -> None:
    encoding = "cp1252" if file.name.split("_")[0] in CP1252 else "utf-8-sig"
    content = file.read_text(encoding)
    line = next(line for line in content.splitlines() if line.strip('"').startswith(tuple(HEADINGS)))
    delimiter = next(d for d in ";\t," if d in line)
    rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))
    _mark(rows, text)
    with file.open("w", encoding=encoding, newline="") as out:
        csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)


def _mark_workbook(file: Path, text: Callable[[str], str]) -> None:
    book = openpyxl.load_workbook(file)
    for sheet in book:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        _mark(rows, text)
        for row, values in zip(sheet.iter_rows(), rows, strict=True):
            for cell, value in zip(row, values, strict=True):
                if cell.value != value:
                    cell.value = value
    book.save(file)


def _mark(rows: list[list[Any]], text: Callable[[str], str]) -> None:
    """Mark the cells below the headings, in place."""
    header = next(n for n, row in enumerate(rows) if row and str(row[0]).strip() in HEADINGS)
    places = [(n, MARKING[str(h).strip()]) for n, h in enumerate(rows[header]) if str(h).strip() in MARKING]
    for row in rows[header + 1 :]:
        for place, mark in places:
            if place < len(row) and row[place] not in {None, ""}:
                value = row[place]
                if isinstance(value, date):
                    row[place] = value.replace(year=int(_born(str(value.year))))
                else:
                    row[place] = text(str(value)) if mark is _word else mark(str(value))


def marks_in(content: bytes) -> set[str]:
    """The kinds of mark that stand in it."""
    return {kind for kind, mark in MARKS.items() if mark.search(content)}


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder with its bytes; workbooks and Parquet files unpacked, and the names themselves."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        yield f"the name {name}", name.encode()
        if path.is_file() and not path.is_symlink():
            yield name, path.read_bytes()
            if path.suffix == ".parquet":
                yield f"{name}, unpacked", str(pq.read_table(path).to_pylist()).encode()
            elif zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    for member in archive.namelist():
                        yield f"{name}/{member}", archive.read(member)


def marked(found: Iterator[tuple[str, bytes]]) -> dict[str, set[str]]:
    """The places where a mark stands, with its kinds."""
    return {place: kinds for place, content in found if (kinds := marks_in(content))}
