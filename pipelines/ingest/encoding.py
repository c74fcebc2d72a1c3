"""Read a text file as letters, whatever encoding it is in, also where its lines are in several.

A file of plain UTF-8, as nearly all are, is looked through once and left to the reader of tables as it is. Of any other
the whole text is made UTF-8 here. What decides is every word of the file that is not ASCII, never a sample.
"""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.ingest.letters import NONSENSE, best_page, cost, decoded, only_page, repaired
from pipelines.ingest.refusal import ASK_AGAIN, FileRefusedError, NotTextError

UNREAD_MARKS = {
    "\ufdd0": "letters were lost or encoded twice before the file came, and cannot be put right for certain",
    "\ufdd1": "its letters make no word in any encoding that senders use",
}
"""Signs that no text holds, each put before a word that cannot be read, and why it cannot."""

_DOUBLED, _NO_WORD = UNREAD_MARKS
LONGEST_LINE = 1 << 24
_NO_MARKS = dict.fromkeys(map(ord, UNREAD_MARKS))
_BLOCK = 1 << 22
_SAMPLE = 1 << 16
_MOST_STRAY_ZEROS = 16
_SURELY_A_WORD = 0.5
_NOT_TEXT = {b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x7fELF", b"Rar!"}
_ENDS_IN_LETTER = f"The file ends within a letter: it is half-written or cut off. {ASK_AGAIN}"
_ZEROS = f"The file is not text as its name says: it holds binary zeros. {ASK_AGAIN}"
_SUSPECT = re.compile(  # in UTF-8: Â Ã Ä Å â€, control signs, U+FFFD, our own marks, √ ¬ ├ ┬ ─ ┼ Γ ‚Ä áº á»
    rb"\xc3[\x82-\x85]|\xc3\xa2(?:\xe2|\xc2)|\xc2[\x80-\x9f\xac]|\xef\xbf\xbd|\xef\xb7[\x90-\xaf]|\xe2\x88\x9a|\xe2\x94"
    rb"|\xce\x93|\xe2\x80\x9a\xc3\x84|\xc3\xa1\xc2[\xba\xbb]"
)
_SEPARATORS = np.zeros(256, dtype=bool)
_SEPARATORS[[*range(33), *b',;|"']] = True


@dataclass(frozen=True)
class Text:
    """A text file as letters.

    ``encoding`` is a codec in which the file itself can be read, and with ``surrogateescape`` written back byte for
    byte. ``data`` is its text in UTF-8 (None: the file is that already). ``notes`` say what was unusual.
    """

    path: Path
    encoding: str
    data: bytes | None = None
    notes: tuple[str, ...] = ()

    def head(self, most: int) -> tuple[str, bool]:
        """The text as far as the first ``most`` bytes, and whether there is more."""
        if self.data is not None:
            start, more = self.data[:most], len(self.data) > most
        else:
            with self.path.open("rb") as file:
                start, more = file.read(most), bool(file.read(1))
        text = start.decode("utf-8", errors="ignore").removeprefix("\ufeff")
        return text.translate(_NO_MARKS), more

    def whole(self) -> str:
        """All of the text."""
        data = self.path.read_bytes() if self.data is None else self.data
        return data.decode("utf-8", "replace").removeprefix("\ufeff").translate(_NO_MARKS)


def read_text(path: Path, stated: str | None = None) -> Text:
    """The letters of a text file; ``stated`` is the encoding that its mapping names, which is not doubted.

    Raises FileRefusedError for what is not text, or ends within a letter.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    _refuse_other_kinds(sample)
    wide = _wide_encoding(sample) or (stated if stated and codecs.lookup(stated).name.startswith("utf-16") else None)
    if wide:
        refuse_endless_line(path)
        text = _decode_wide(path.read_bytes(), wide).encode("utf-8", "replace")
        text, notes = _without_zeros(text)
        return Text(path, wide, _rewritten(text, {word: _as_utf8(word) for word in set(_words(text))}), notes)
    mark = "utf-8-sig" if sample[:3] == codecs.BOM_UTF8 else "utf-8"
    plain = not stated or codecs.lookup(stated).name in {"utf-8", "ascii", "utf-8-sig"}
    if plain and _is_clean(path):
        return Text(path, mark)
    refuse_endless_line(path)
    data, notes = _without_zeros(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    if stated and not plain and mark == "utf-8":
        words = {word: _in_page(word, stated) for word in set(_words(data))}
        return Text(path, stated, _rewritten(data, words), notes)
    return _guessed(path, data, mark, notes)


def _refuse_other_kinds(sample: bytes) -> None:
    if sample[:4] in _NOT_TEXT or sample[:2] == b"\x1f\x8b":
        raise NotTextError(
            "The file is not text as its name says, but a workbook, archive or document. Open a workbook of another "
            "kind in Excel and save it as .xlsx or as CSV UTF-8; of anything else ask the sender for CSV."
        )


def _wide_encoding(sample: bytes) -> str | None:
    """UTF-16 by its mark, or by the zeros that stand in every second byte of Western text."""
    if sample[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return "utf-16"
    half = len(sample) // 2
    if half < 2:
        return None
    first, second = sample[0 : 2 * half : 2].count(0) / half, sample[1 : 2 * half : 2].count(0) / half
    if max(first, second) < 0.5 or min(first, second) > 0.05:
        return None
    return "utf-16-be" if first > second else "utf-16-le"


def _decode_wide(data: bytes, encoding: str) -> str:
    if len(data) % 2:
        raise FileRefusedError(_ENDS_IN_LETTER, code="F4")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise FileRefusedError(_ENDS_IN_LETTER, code="F4") from error
        return data.decode(encoding, errors="replace")


def _is_clean(path: Path) -> bool:
    """Whether a file is UTF-8 throughout, without a zero and without what looks as if encoded twice."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    tail = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if b"\0" in block:
                return False
            if tail or not block.isascii():
                if _SUSPECT.search(tail + block):
                    return False
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    return False
                tail = block[-4:]
    return not decoder.getstate()[0]


def _without_zeros(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The text without a few single binary zeros. Raises NotTextError for many, or several in a row."""
    zeros = data.count(b"\0")
    if not zeros:
        return data, ()
    if b"\0\0" in data or zeros > max(_MOST_STRAY_ZEROS, len(data) // 10_000):
        raise NotTextError(_ZEROS)
    return data.replace(b"\0", b""), (f"{zeros} binary zeros stood in the text and were left out.",)


def _guessed(path: Path, data: bytes, mark: str, notes: tuple[str, ...]) -> Text:
    """Each word that is UTF-8 is read as such; the others in the code page in which most of them are words."""
    words = set(_words(data))
    other = {word for word in words if not _is_utf8(word)}
    if len(other) == 1 and _ends_in_letter(data, next(iter(other))):
        raise FileRefusedError(_ENDS_IN_LETTER, code="F4")
    read = {word: _as_utf8(word) for word in words - other}
    if not other:
        return Text(path, mark, _rewritten(data, read), notes)
    page = best_page(other)
    bad = {word for word in other if cost(decoded(word, page)) >= NONSENSE}
    read |= {word: decoded(word, page).encode() for word in other - bad}
    by_line = _pages_of_lines(data, other, bad, page)
    read |= {word: (_NO_WORD + decoded(word, page)).encode() for word in bad}
    mixed = len(read) > len(other) or bool(by_line)
    if mixed:
        notes = (*notes, f"Its lines are in several encodings; those that are not UTF-8 were read as {page}.")
    return Text(path, page if len(read) == len(other) else "utf-8", _rewritten(data, read, by_line), notes)


def _pages_of_lines(data: bytes, other: set[bytes], bad: set[bytes], page: str) -> dict[int, dict[bytes, bytes]]:
    """For lines in which the usual code page makes nonsense and exactly one other fits: their words, as they read.

    By where in the text a line begins.
    """
    if not bad:
        return {}
    lines: dict[int, list[bytes]] = defaultdict(list)
    for start, word in _placed_words(data):
        if word in other:
            line = max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start)) + 1
            lines[line].append(word)
    found = {}
    for line, words in lines.items():
        if any(word in bad for word in words) and (better := only_page(words, page)):
            found[line] = {word: decoded(word, better).encode() for word in words}
    return found


def _as_utf8(word: bytes) -> bytes:
    text, why = repaired(word.decode("utf-8", errors="replace"))
    return ((_DOUBLED if why else "") + text).encode()


def _in_page(word: bytes, encoding: str) -> bytes:
    text, why = repaired(decoded(word, encoding))
    return ((_DOUBLED if why else "") + text).encode()


def _is_utf8(word: bytes) -> bool:
    try:
        word.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _ends_in_letter(data: bytes, word: bytes) -> bool:
    """Whether the only word that is not UTF-8 ends the file in the middle of a letter, and is no word otherwise."""
    if not data.endswith(word) or cost(decoded(word, best_page([word]))) < _SURELY_A_WORD:
        return False
    try:
        word.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False


def _words(data: bytes) -> list[bytes]:
    """Each piece without spaces and delimiters that is not ASCII, as often as it stands there."""
    return [data[start:end] for start, end in _places(data)]


def _placed_words(data: bytes) -> Iterator[tuple[int, bytes]]:
    return ((start, data[start:end]) for start, end in _places(data))


def _places(data: bytes) -> Iterator[tuple[int, int]]:
    begin = 0
    while begin < len(data):
        end = min(begin + _BLOCK, len(data))
        if end < len(data):  # a block ends with a line, or else at any separator
            end = data.rfind(b"\n", begin, end) + 1 or data.rfind(b",", begin, end) + 1 or end
        block = np.frombuffer(data, dtype=np.uint8, count=end - begin, offset=begin)
        high = np.flatnonzero(block > 127)
        if len(high):
            bounds = np.concatenate(([-1], np.flatnonzero(_SEPARATORS[block]), [len(block)]))
            at = np.unique(np.searchsorted(bounds, high))
            yield from zip((bounds[at - 1] + 1 + begin).tolist(), (bounds[at] + begin).tolist(), strict=True)
        begin = end


def _rewritten(data: bytes, words: dict[bytes, bytes], by_line: dict[int, dict[bytes, bytes]] | None = None) -> bytes:
    """The text with each word as it is read."""
    if not by_line and all(word == read for word, read in words.items()):
        return data
    return b"".join(_pieces(data, words, by_line or {}))


def _pieces(data: bytes, words: dict[bytes, bytes], by_line: dict[int, dict[bytes, bytes]]) -> Iterable[bytes]:
    done = 0
    for start, end in _places(data):
        word = data[start:end]
        read = words[word]
        if by_line:
            line = max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start)) + 1
            read = by_line.get(line, {}).get(word, read)
        yield data[done:start]
        yield read
        done = end
    yield data[done:]


def has_endless_line(path: Path) -> bool:
    """Whether a line of a text file is so long that taking it apart would take the memory of many files."""
    begun = 0
    with path.open("rb") as file:
        while block := file.read(LONGEST_LINE):
            first = re.search(rb"[\r\n]", block)
            if begun + (first.start() if first else len(block)) > LONGEST_LINE:
                return True
            begun = len(block) - 1 - max(block.rfind(b"\r"), block.rfind(b"\n")) if first else begun + len(block)
    return False


def refuse_endless_line(path: Path) -> None:
    """Raises FileRefusedError for a file with a line longer than any table's."""
    if path.stat().st_size > LONGEST_LINE and has_endless_line(path):
        raise FileRefusedError(
            f"A line of the file is longer than any table's: it is no table of rows. {ASK_AGAIN}", code="F9"
        )
