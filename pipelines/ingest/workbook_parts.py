"""What the XML of a workbook says that a reader of values leaves out: errors, formulas without a value, number formats.

A number that is an id is what the sheet shows: 1001 in the format 000000 is 001001.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from pipelines.ingest.unpacked import place_of

Place = tuple[int, int]

_BLOCK = 1 << 20
_LONGEST_FORMULA = 200
_CUSTOM_FORMATS = 164


@dataclass(frozen=True)
class SheetFacts:
    """Of one sheet, by row and column from 0: its errors, its formulas without a value, its numbers as shown."""

    errors: dict[Place, str] = field(default_factory=dict)
    without_value: dict[Place, str] = field(default_factory=dict)
    shown: dict[Place, str] = field(default_factory=dict)
    hidden_rows: int = 0


@dataclass(frozen=True)
class WorkbookFacts:
    """Whether days count from 1904, and what is known of each sheet that holds anything of note, by its place."""

    date_1904: bool
    sheets: dict[int, SheetFacts]

    def of_sheet(self, place: int) -> SheetFacts:
        """What is known of a sheet."""
        return self.sheets.get(place, SheetFacts())


def read_facts(path: Path, marked: Collection[str] | None = None) -> WorkbookFacts:
    """Read the parts of a workbook that was found to be safe; ``marked`` are those with errors, formulas or hidden
    rows (None: all are looked through).

    Raises ValueError when a marked part is none of its sheets.
    """
    with zipfile.ZipFile(path) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        book = _elements(archive, names.get("xl/workbook.xml"), {"workbookPr", "sheet"})
        links = _elements(archive, names.get("xl/_rels/workbook.xml.rels"), {"Relationship"})
        target = {each.get("Id", ""): _part_name(each.get("Target", "")) for _, each in links}
        parts = [target.get(_link(each), "") for name, each in book if name == "sheet"]
        date_1904 = any(
            each.get("date1904", "").lower() in {"1", "true", "on"} for name, each in book if name == "workbookPr"
        )
        formats = _number_formats(archive, names.get("xl/styles.xml"))
        known = {part.lower() for part in parts}
        if any(name.lower().startswith("xl/worksheets/") and name.lower() not in known for name in marked or ()):
            raise ValueError("a part with formulas or errors belongs to no sheet")
        sheets = {
            place: _look_through(archive, names[part.lower()], formats)
            for place, part in enumerate(parts)
            if part.lower() in names and (formats or marked is None or names[part.lower()] in marked)
        }
    return WorkbookFacts(date_1904, sheets)


def _link(sheet: dict[str, str]) -> str:
    return next((value for name, value in sheet.items() if name.rpartition(":")[2] == "id"), "")


def _part_name(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))


def _elements(archive: zipfile.ZipFile, part: str | None, wanted: set[str]) -> list[tuple[str, dict[str, str]]]:
    """The named elements of a part, in order, with their attributes."""
    found: list[tuple[str, dict[str, str]]] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local in wanted:
            found.append((local, attributes))

    if part:
        _parse(archive, part, begin)
    return found


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    begin: Callable[[str, dict[str, str]], Any],
    read: Callable[[str], Any] | None = None,
    end: Callable[[str], Any] | None = None,
) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = begin, read, end
    try:
        with archive.open(part) as stream:
            while block := stream.read(_BLOCK):
                parser.Parse(block)
    except expat.ExpatError as error:
        raise ValueError("a part of the workbook is not well-formed") from error


def _number_formats(archive: zipfile.ZipFile, part: str | None) -> dict[str, str]:
    """The formats that show a whole number with zeros or letters of their own, by the number of the cell's style."""
    codes: dict[str, str] = {}
    styles: list[str] = []
    inside = ""

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        match name.rpartition(":")[2]:
            case "numFmt":
                codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            case "cellXfs" | "cellStyleXfs" | "dxfs" as opened:
                inside = opened
            case "xf" if inside == "cellXfs":
                styles.append(attributes.get("numFmtId", "0"))

    if part:
        _parse(archive, part, begin)
    return {str(n): codes[code] for n, code in enumerate(styles) if code in codes and shown_number(1, codes[code])}


def shown_number(number: float, code: str) -> str | None:
    """A whole number as a format shows it; None for a format that adds neither zeros nor letters."""
    section = re.sub(r"\[[^\]]*\]|_.|\*.", "", code.split(";", maxsplit=1)[0])
    pieces = re.findall(r'"[^"]*"|\\.|.', section)
    digits = [n for n, piece in enumerate(pieces) if piece in {"0", "#", "?"}]
    if not digits or not float(number).is_integer() or number < 0:
        return None
    if any(piece in ".%/," or re.fullmatch("[A-Za-z@]", piece) for piece in pieces):
        return None
    zeros = sum(piece == "0" for piece in pieces)
    literal = [n for n in range(len(pieces)) if n not in digits]
    if zeros < 2 and not any(pieces[n].strip('"\\ ') for n in literal):
        return None
    left = str(int(number))
    shown: list[str] = []
    for n in reversed(range(len(pieces))):
        if n not in digits:
            shown.append(pieces[n][1:] if pieces[n].startswith("\\") else pieces[n].strip('"'))
        elif n == digits[0]:
            shown.append(left or ("0" if pieces[n] == "0" else ""))
        else:
            shown.append(left[-1:] or ("0" if pieces[n] == "0" else ""))
            left = left[:-1]
    return "".join(reversed(shown))


def _look_through(archive: zipfile.ZipFile, part: str, formats: dict[str, str]) -> SheetFacts:
    sheet = _SheetReader(formats)
    _parse(archive, part, sheet.begin, sheet.read, sheet.end)
    return SheetFacts(sheet.errors, sheet.without_value, sheet.shown, sheet.hidden_rows)


class _SheetReader:
    """Reads the cells of a sheet as they stream by."""

    def __init__(self, formats: dict[str, str]) -> None:
        self.formats = formats
        self.errors: dict[Place, str] = {}
        self.without_value: dict[Place, str] = {}
        self.shown: dict[Place, str] = {}
        self.hidden_rows = 0
        self._row, self._column = 0, 0
        self._type = self._style = ""
        self._has_formula = False
        self._reads = ""
        self._formula = self._value = ""

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "c":
                self._column += 1
                if said := attributes.get("r"):
                    self._row, self._column = place_of(said)
                self._type, self._style = attributes.get("t", "n"), attributes.get("s", "0")
                self._has_formula, self._formula, self._value = False, "", ""
            case "row":
                self._row, self._column = int(attributes.get("r", self._row + 1)), 0
                self.hidden_rows += attributes.get("hidden", "0") in {"1", "true"}
            case "f":
                self._has_formula, self._reads = True, "f"
            case "v":
                self._reads = "v"

    def read(self, text: str) -> None:
        if self._reads == "f":
            self._formula += text[: max(0, _LONGEST_FORMULA - len(self._formula))]
        elif self._reads == "v":
            self._value += text[: max(0, _LONGEST_FORMULA - len(self._value))]

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local in {"f", "v"}:
            self._reads = ""
        if local != "c":
            return
        at = (self._row - 1, self._column - 1)
        if self._type == "e":
            self.errors[at] = self._value or "error"
        elif self._has_formula and not self._value.strip() and self._type != "str":
            self.without_value[at] = f"={self._formula}"
        elif (
            self._type == "n"
            and self._style in self.formats
            and self._value
            and (shown := shown_number(float(self._value), self.formats[self._style]))
        ):
            self.shown[at] = shown
