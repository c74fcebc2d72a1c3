"""What a workbook would be once it is open, measured before it is opened: a few kilobytes may fill any memory.

A workbook is a zip of XML. It grows three times: when it is unpacked, when two far cells span a table between them, and
when each of many cells repeats one long text. Each is counted as a stream, whatever the file says of itself.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

from pipelines.ingest.refusal import ASK_AGAIN, FileRefusedError
from pipelines.sections import IngestSettings

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
_MAX_SPAN_TO_CELLS = 100
_SMALL_SHEET = 1_000_000
_SMALL_WORKBOOK = 64 << 20
_BLOCK = 1 << 20
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_SHEET = b"sheetData"
_DAMAGED = f"The file is not a whole workbook: it is cut off, damaged, protected, or no workbook at all. {ASK_AGAIN}"


def refuse_unsafe_zip(path: Path, limits: IngestSettings) -> frozenset[str]:
    """The parts of a workbook in which an error, a formula or a hidden row stands.

    Raises FileRefusedError for a workbook that is no whole zip, or that would fill the memory once it is open.
    """
    marked = set()
    packed = path.stat().st_size
    most = min(limits.max_unpacked_megabytes << 20, max(packed * limits.max_compression_ratio, _SMALL_WORKBOOK))
    too_large = FileRefusedError(
        f"The workbook unpacks to more than {most >> 20} MB, far more than a real one of its size. "
        "It was not opened. Ask the sender what it is; a real one can be let in by "
        "ingest.max_unpacked_megabytes and ingest.max_compression_ratio.",
        code="F9",
    )
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > most:
                raise too_large
            unpacked, lengths, repeats = 0, [0], 0
            for member in members:
                member.file_size = 2 * most  # so that what comes out is counted, whatever the file says of itself
                part = _Part()
                with archive.open(member) as stream:
                    for block in _blocks(stream):
                        unpacked += len(block)
                        if unpacked > most:
                            raise too_large
                        part.read(block)
                part.end(must_be_xml=member.filename.lower().endswith(".xml"))
                lengths += part.lengths
                repeats += part.repeats
                if part.is_marked:
                    marked.add(member.filename)
            if max(lengths) * repeats > most and _text_in_cells(archive, lengths[1:]) > most:
                raise too_large
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise FileRefusedError(_DAMAGED, code="F8") from error
    return frozenset(marked)


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(_BLOCK), b"")


@dataclass
class _Part:
    """One file of the zip as it streams by: where its cells stand, and how long the texts are that cells share.

    ``repeats`` counts the cells that show a shared text; ``lengths`` are those of the shared texts, in characters.
    """

    lengths: list[int] = field(default_factory=list)
    repeats: int = 0
    is_marked: bool = False
    _cells: int = 0
    _row: int = 0
    _column: int = 0
    _lowest: int = 0
    _widest: int = 0
    _is_xml: bool = True
    _is_sheet: bool = False
    _tail: bytes = b""

    def __post_init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._element
        self._parser.StartDoctypeDeclHandler = _no_document_type

    def read(self, block: bytes) -> None:
        """The next bytes; pictures and other parts that are no XML are let by."""
        self._is_sheet = self._is_sheet or _SHEET in self._tail + block
        self._tail = block[-len(_SHEET) :]
        self._parse(block)

    def end(self, *, must_be_xml: bool) -> None:
        """Raises FileRefusedError for a sheet that is damaged, or whose few cells span a huge table."""
        self._parse(b"", last=True)
        if not self._is_xml and (must_be_xml or self._is_sheet):
            raise FileRefusedError(_DAMAGED, code="F8")
        span = self._widest * self._lowest
        if span > max(_SMALL_SHEET, _MAX_SPAN_TO_CELLS * self._cells):
            raise FileRefusedError(
                f"A sheet of the workbook spans {span:,} cells, nearly all empty. "
                "Ask the sender to save only the table.",
                code="F9",
            )

    def _parse(self, block: bytes, *, last: bool = False) -> None:
        try:
            if self._is_xml:
                self._parser.Parse(block, last)
        except (expat.ExpatError, LookupError):  # not well-formed, or in an encoding that there is not
            self._is_xml = False

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "c":
                self._cell(attributes)
            case "f" if self._cells:
                self.is_marked = True
            case "row":
                self.is_marked = self.is_marked or attributes.get("hidden") in {"1", "true"}
                self._row = int(attributes.get("r", self._row + 1))
                self._column = 0
                if not 0 < self._row <= MOST_ROWS:
                    raise ValueError("no sheet has such a row")
            case "si":
                self.lengths.append(0)
                self._parser.CharacterDataHandler = self._shared_text

    def _cell(self, attributes: dict[str, str]) -> None:
        self._column += 1
        if place := attributes.get("r"):
            self._row, self._column = place_of(place)
        if not (0 < self._column <= MOST_COLUMNS and 0 <= self._row <= MOST_ROWS):
            raise ValueError("no sheet has such a cell")
        self._cells += 1
        self._lowest, self._widest = max(self._lowest, self._row), max(self._widest, self._column)
        kind = attributes.get("t")
        self.repeats += kind == "s"
        if kind == "e":
            self.is_marked = True

    def _shared_text(self, text: str) -> None:
        self.lengths[-1] += len(text)


def _text_in_cells(archive: zipfile.ZipFile, lengths: list[int]) -> int:
    """How many characters all cells show that share a text, each counted as often as it is shown."""
    shown = 0
    shares = False
    said = ""

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal shares, said
        if name.rpartition(":")[2] == "c":
            shares, said = attributes.get("t") == "s", ""

    def read(text: str) -> None:
        nonlocal said
        said += text if shares else ""

    def end(name: str) -> None:
        nonlocal shown
        if shares and name.rpartition(":")[2] == "c" and 0 <= int(said or -1) < len(lengths):
            shown += lengths[int(said)]

    for member in archive.infolist():
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = begin, read, end
        with archive.open(member) as stream:
            try:
                for block in _blocks(stream):
                    parser.Parse(block)
            except (expat.ExpatError, LookupError):
                continue
    return shown


def place_of(name: str) -> tuple[int, int]:
    """The row and column of a cell such as B7, from 1. Raises ValueError for what is no place."""
    said = _PLACE.fullmatch(name)
    if not said:
        raise ValueError("no cell has such a place")
    return int(said[2]), _column_number(said[1])


def _no_document_type(*_: Any) -> None:
    raise ValueError("no spreadsheet program writes a document type, which may name other files")


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
