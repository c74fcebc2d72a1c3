"""Lines below and among the rows of a table that are no rows: the heading again, totals, who printed it and when.

Such a line has one or two filled cells, or a label and sums. A client with the surname
Total or Page has an id beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ingest.layout import Header
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.table import BrokenRow
from pipelines.sources import heading_key

HEADING_AGAIN = "the heading again, not a row"
TOTAL = "a total, not a row"
FOOTER = "a line of the report, not a row"
BY_MAPPING = "a footer that the source mapping names, not a row"
_FEW = 2
_SMALL = 100_000  # rows that every heading is looked for in
_LONG = 60  # letters that no id has
_TELLING = 2  # headings that make a row one of headings

_TOTAL = (
    r"[\W_]*(?:(?:grand|sub|overall|sheet|report|page|column|final|running|client|row|record)s?[ -]*)*totals?\b.*"
    r"|(?:sum|count|average|mean)\s*(?:[:=(].*|of\b.*|\d.*)?"
    r"|(?:(?:total|record|row|client|visit|order|line)s?\s+)?(?:number|no\.?|count|records?|rows?|clients|visits|orders"
    r"|enrolments|service users|entries|lines)(?:\s+(?:of|in|returned|exported|listed|found|printed)\b[\w /-]*)?"
    r"\s*[:=]\s*[\d,.]+"
    r"|\(?\s*[\d,]+\s+(?:records?|rows?(?:\(s\))?|clients|visits|orders|enrolments|lines|entries|service users)"
    r"(?:\s+\w+){0,3}\s*\)?\.?"
)
_LINE = (
    r"(?:report\s+|date\s+|time\s+)*(?:printed|generated|produced|exported|extracted|downloaded|prepared|created"
    r"|compiled|issued|run)\s*(?:by\b.*|on\b.*|at\b.*|from\b.*|for\b.*|using\b.*|date\b.*|time\b.*|[:=].*|\d.*)?"
    r"|(?:report|print|run|extract|export|completion|data)\s*(?:date|time|run|id|name|title|parameters?|criteria"
    r"|filters?|ends?|ended|ref(?:erence)?|version|period)\b\s*(?:[:=\d].*)?"
    r"|date of (?:report|print|export|extract)\b.*|as (?:at|of)\b.*\d.*|(?:report|printed|run) (?:on|at|by)\b.*"
    r"|[\W_]*(?:(?:this is )?(?:the )?end(?: of (?:the )?\w+(?: \w+)?)?|report ends?|eof|finis|ends here"
    r"|no more (?:records|rows|data)|no data|continued\b.*)[\W_]*"
    r"|[\W_]*(?:page|pages?|pg\.?|p\.|seite|pagina|página|blatt|sheet|tudalen)\s*(?:no\.?|number)?\s*:?\s*\d+"
    r"(?:\s*(?:of|/|von|de|di|sur|o)\s*\d+)?[\W_]*"
    r"|(?:copyright|©|\(c\)|confidential|private and confidential|official(?:[ -]+sensitive)?|disclaimer|note|notes|nb"
    r"|key|legend|filters?(?: applied)?|applied filters?|sorted by|selection|criteria|source|printed)\b"
    r"\s*(?:[:;,.*–—-].*|\d.*)?"
    r"|(?:signed|authorised|authorized|checked|approved) by\b.*"
    r"|[\W_]*(?:internal use only|not protectively marked)[\W_]*"
    r"|\[?(?:eof|end)\]?"
)
_RULE = re.compile(r"[-=_*#~.+|\s]{3,}")
_IS_TOTAL, _IS_LINE = re.compile(_TOTAL, re.IGNORECASE), re.compile(_LINE, re.IGNORECASE | re.DOTALL)
_LABEL = (  # what such a line begins with, in one quick look at every row
    r"(?i)^(?:[\W_]|\d[\d,]* +[a-z]|grand|sub|overall|sheet|report|page|column|final|running|client|row|record|total"
    r"|sum|count|average|mean|number|no\.|visit|order|line|enrolment|service|entr|date|time|print|generated|produced"
    r"|export|extract|download|prepared|created|compiled|issued|run|completion|data|as |this|the |end|eof|finis|no "
    r"|continued|pg|p\.|seite|p.gina|blatt|tudalen|copyright|conf|private|offic|disc|note|nb|key|legend|filter|applied"
    r"|sorted|sele|crit|source|signed|auth|checked|appr|internal|not )"
)
_AMOUNT = re.compile(
    r"[£$€]?\s*[-(]?[\d.,:\s]*\d\)?\s*(?:%|-|h(?:ou)?rs?|mins?(?:utes)?|records?|rows?|clients?)?", re.I
)


@dataclass(frozen=True)
class TableShape:
    """What a table of a feed is known by: its header, the places of its keys, and every heading of its mapping.

    ``footer`` are the patterns of the mapping for lines that are no rows.
    """

    header: Header
    keys: frozenset[int]
    vocabulary: frozenset[str]
    footer: tuple[str, ...] = ()


def without_no_rows(
    cells: pa.Table, shape: TableShape, as_record: Callable[[Sequence[str]], str]
) -> tuple[pa.Table, list[BrokenRow]]:
    """The rows of a table, and the lines among them that are none.

    Raises FileRefusedError when the headings of another table stand below the first.
    """
    found = pc.indices_nonzero(_candidates(cells, shape)).to_pylist()
    if not found:
        return cells, []
    left_out: dict[int, BrokenRow] = {}
    for place, row in zip(found, cells.take(found).to_pylist(), strict=True):
        number, *values = row.values()
        if why := why_no_row(values, shape):
            left_out[place] = BrokenRow(number, why, as_record(values))
    if not left_out:
        return cells, []
    kept = pc.invert(pc.is_in(pa.array(range(cells.num_rows)), pa.array(list(left_out))))
    return cells.filter(kept), list(left_out.values())


def named(broken: Iterable[BrokenRow], shape: TableShape, split: Callable[[str], Sequence[str]]) -> list[BrokenRow]:
    """Rows with too few or too many cells; those that are no rows say so."""
    return [replace(row, reason=why_no_row(split(row.text), shape) or row.reason) for row in broken]


def why_no_row(values: Sequence[str], shape: TableShape) -> str | None:  # noqa: PLR0911 - a table of cases
    """Why a row of cells is none; None: it is one. Raises FileRefusedError for the headings of another table."""
    filled = {place: " ".join(cell.split()) for place, cell in enumerate(values) if cell and cell.strip()}
    if not filled:
        return None
    first = min(filled)
    label, others = filled[first], {place: cell for place, cell in filled.items() if cell != filled[first]}
    if any(fnmatchcase(label.casefold(), pattern.casefold()) for pattern in shape.footer):
        return BY_MAPPING
    if _is_heading(filled, shape):
        return HEADING_AGAIN
    if all(_RULE.fullmatch(cell) for cell in filled.values()):
        return FOOTER
    if first not in shape.keys and any(place in others for place in shape.keys):
        return TOTAL if _is_total_over_keys(label, others) else None
    if len(others) < _FEW or all(_AMOUNT.fullmatch(cell) for cell in others.values()):
        if _IS_TOTAL.fullmatch(label) and (others or not _is_bare_name(label, first, shape)):
            return TOTAL
        if _IS_LINE.fullmatch(label) and len(others) < _FEW:
            return FOOTER
        if not others and (len(label.split()) > 3 or len(label) > _LONG):
            return FOOTER
    return None


def _is_total_over_keys(label: str, others: dict[int, str]) -> bool:
    """Whether a sum stands under the heading of a key: ``Total clients: 12`` with 12, but no surname with an id."""
    said = len(label.split()) > 1 and bool(_IS_TOTAL.fullmatch(label))
    return said and len(others) <= _FEW and all(_AMOUNT.fullmatch(cell) for cell in others.values())


def _is_bare_name(label: str, place: int, shape: TableShape) -> bool:
    """Whether one word stands alone under another heading than a key's: it may be a surname, and is missing its key."""
    return (
        place not in shape.keys and label.isalpha() and bool(shape.keys) and label.casefold() not in {"total", "totals"}
    )


def _is_heading(filled: dict[int, str], shape: TableShape) -> bool:
    keys = {place: heading_key(cell) for place, cell in filled.items()}
    ours = shape.header.keys
    same = [place for place, key in keys.items() if key and place < len(ours) and ours[place] == key]
    known = [place for place, key in keys.items() if key in shape.vocabulary]
    if len(same) >= min(_TELLING, len(ours)) and len(same) * 2 >= len(filled):
        return True
    if len(known) > _TELLING and len(known) * 2 >= len(filled):
        raise FileRefusedError(
            "The headings of a second table, in another order, stand below the first: two tables are in one file or on "
            "one sheet. Ask the sender for a file or a sheet of its own for each.",
            code="F5",
        )
    return False


def _candidates(cells: pa.Table, shape: TableShape) -> pa.ChunkedArray:
    """Rows that could be none, by a look at their first filled cell, and at headings among their cells."""
    columns = cells.columns[1:]
    small = cells.num_rows < _SMALL
    first = columns[0]
    for column in columns[1:]:
        empty = pc.equal(pc.utf8_trim_whitespace(first), "")
        if not pc.any(empty).as_py():
            break
        first = pc.if_else(empty, column, first)
    found = pc.or_(pc.match_substring_regex(first, _LABEL), pc.greater(pc.count_substring(first, " "), 2))
    found = pc.or_(found, pc.greater(pc.utf8_length(first), _LONG))
    for pattern in shape.footer:
        found = pc.or_(found, pc.match_substring_regex(first, _as_regex(pattern)))
    headings = pa.array(
        sorted({*shape.header.headings, *(h.lower() for h in shape.header.headings), *shape.vocabulary})
    )
    for column in columns if small else columns[:_FEW]:
        cells_sent = pc.unique(column)
        is_heading = pc.is_in(cells_sent, value_set=headings)
        if small:
            key = pc.replace_substring_regex(pc.ascii_lower(cells_sent), "[^a-z0-9]", "")
            is_heading = pc.or_(is_heading, pc.is_in(key, value_set=headings))
        if pc.any(is_heading).as_py():
            found = pc.or_(found, pc.is_in(column, value_set=cells_sent.filter(is_heading)))
    return found


def _as_regex(pattern: str) -> str:
    parts = re.split(r"([*?])", " ".join(pattern.split()))
    return "(?is)^\\s*" + "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts) + "\\s*$"
