"""The candidate report as an Excel workbook, to be filled in. What a source sent is text there, not a formula.

Of many candidates it holds the most harmful, as many as a spreadsheet is good for; what is settled stands last, so the
next ones follow once these are decided. The review page and ``candidates.parquet`` hold all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter

from pipelines.publishing.legible import legible
from pipelines.review.answers import ANSWERS, CANDIDATES, HOW_TO_DECIDE, LEDGER, LEDGER_HEADINGS, seal
from pipelines.review.columns import (
    CANDIDATE_COLUMNS,
    CONFUSION_COLUMNS,
    EVIDENCE_COLUMNS,
    FILE_COLUMNS,
    MISS_COLUMNS,
    REJECT_COLUMNS,
    Cell,
    Column,
    Row,
)
from pipelines.review.contents import (
    Candidate,
    Comparison,
    Report,
)
from pipelines.review.mask import mask_report
from pipelines.review.words import MADE_HOW, MARKS, how_made, in_order, say_bits
from pipelines.settings import TIERS

LONGEST_CELL = 32_767
MOST_ROWS = 1_048_575
MOST_CANDIDATES = 5_000
READ_ME = (
    (
        "Candidates",
        "One row is two client records that may be one person, most harmful first. "
        f"Of more than {MOST_CANDIDATES:,}, the first: the others follow once these are decided.",
    ),
    ("Evidence", "One row is one comparison of a candidate: what the two records say, and what that weighs."),
    ("Missed references", "Why the import made a second record, and who should correct which reference."),
    ("Confusions", "One number on two people. Clear it up with its sender, then settle the case: oneclient decide."),
    ("Summary, Files, Rejects", "What the night read, and that nothing was lost on the way."),
    ("Weight", "In bits: each bit doubles the odds that the two are one person, a negative one halves them."),
    ("Tier", f"{', '.join(TIERS)}: how likely, in a word."),
    ("Relation", "Why two people may look alike: a couple, twins, a father and son. Read it before you agree."),
    ("Agreement", ", ".join(f"{mark} {agreement}" for agreement, mark in MARKS.items()) + "."),
    ("Standing", "What people have decided so far; empty: open. What is settled stands at the end."),
    ("Verdict", "Choose same, different or unsure, and hand the workbook back: see the sheet How to decide."),
    ("The rule", "The machine proposes; people decide."),
)
MASKED = "Most of each value is hidden, so that this file may leave the building. Agreement and weight are as found."
PERSONAL = "This workbook holds personal data: keep it in the building."

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def write_workbook(report: Report, path: Path, *, mask: bool = False) -> None:
    """Write the report to ``path``, the same bytes for the same report; with ``mask``, fit to leave the building."""
    in_all = len(report.candidates)
    report = replace(report, candidates=report.candidates[:MOST_CANDIDATES])
    if mask:
        report = mask_report(report)
    with xlsxwriter.Workbook(str(path), _OPTIONS) as file:
        file.set_properties(
            {
                "title": _as_text(f"Candidates for {report.run.provider}, {report.run.day}"),
                "created": datetime.combine(report.run.day, time.min),
            }
        )
        workbook = _Workbook(file)
        workbook.write_lines("Read me", _read_me(report, mask))
        workbook.write_lines("Summary", _summary(report, in_all))
        files, rejects = report.run.files, report.run.rejects
        workbook.write_table("Files", FILE_COLUMNS, _cells(FILE_COLUMNS, files), len(files), "No file came.")
        rejected = _cells(REJECT_COLUMNS, rejects)
        workbook.write_table("Rejects", REJECT_COLUMNS, rejected, len(rejects), "Nothing was rejected.")
        shown = list(_cells(CANDIDATE_COLUMNS, report.candidates))
        sheet = workbook.write_table(CANDIDATES, CANDIDATE_COLUMNS, shown, len(shown), "No candidates tonight.")
        if shown:
            _ask_for_answers(sheet, len(shown))
        evidence = _cells(EVIDENCE_COLUMNS, _evidence(report))
        workbook.write_table("Evidence", EVIDENCE_COLUMNS, evidence, _evidence_rows(report), "No candidates tonight.")
        misses, confusions = _cells(MISS_COLUMNS, report.misses), _cells(CONFUSION_COLUMNS, report.confusions)
        workbook.write_table("Missed references", MISS_COLUMNS, misses, len(report.misses), "The import missed none.")
        workbook.write_table(
            "Confusions", CONFUSION_COLUMNS, confusions, len(report.confusions), "No number is on two people."
        )
        workbook.write_lines("How to decide", HOW_TO_DECIDE)
        _keep_ledger(file.add_worksheet(LEDGER), report, shown)


def write_corrections(report: Report, folder: Path, *, mask: bool = False) -> None:
    """Write ``<issuer>.xlsx`` for each council and rostering system that has references to correct."""
    misses = mask_report(replace(report, candidates=(), clusters=())).misses if mask else report.misses
    folder.mkdir(parents=True, exist_ok=True)
    for ask in sorted({miss.ask for miss in misses}):
        theirs = [miss for miss in misses if miss.ask == ask]
        with xlsxwriter.Workbook(str(folder / f"{_file_name(ask)}.xlsx"), _OPTIONS) as file:
            file.set_properties({"created": datetime.combine(report.run.day, time.min)})
            _Workbook(file).write_table(
                "To correct", MISS_COLUMNS, _cells(MISS_COLUMNS, theirs), len(theirs), "Nothing to correct."
            )


def _file_name(issuer: str) -> str:
    """The issuer's name where it makes a file name, else what of it does and a hash, so that no two are one."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", issuer)[:80]
    return name if name and name == issuer else f"{name}-{sha256(issuer.encode('utf-8', 'replace')).hexdigest()[:8]}"


class _Workbook:
    """The open file and its few styles."""

    def __init__(self, file: Any) -> None:
        file.formats[0].set_font_size(11)
        top = {"valign": "top"}
        self._file = file
        self._text = file.add_format(top | {"text_wrap": True, "quote_prefix": True})
        self._whole = file.add_format(top | {"num_format": "#,##0"})
        self._decimal = file.add_format(top | {"num_format": "0.0000"})
        self._heading = file.add_format(
            {"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E4EAEF", "bottom": 1}
        )
        self._title = file.add_format({"bold": True, "font_size": 13, "valign": "top"})
        self._answer = file.add_format(top | {"text_wrap": True, "locked": False, "bg_color": "#EAF4EA", "border": 4})
        self._label = file.add_format(top | {"bold": True, "text_wrap": True, "quote_prefix": True})

    def write_lines(self, name: str, lines: Iterable[tuple[str, Cell | None]]) -> None:
        """A sheet of labels and what they say; a label with nothing to say is a title."""
        sheet = self._add_sheet(name)
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 1, 90)
        for row, (label, said) in enumerate(lines):
            if said is None:
                sheet.write_string(row, 0, _as_text(label), self._title)
            else:
                sheet.write_string(row, 0, _as_text(label), self._label)
                self._write(sheet, row, 1, _as_written(said))

    def write_table(
        self, name: str, columns: tuple[Column[Row], ...], rows: Iterable[Sequence[Cell]], count: int, if_none: str
    ) -> Any:
        """A sheet with a heading that stays in sight and can be filtered; what does not fit is cut, with a note.

        ``rows`` are the cells of the columns, as ``_cells`` gives them.
        """
        sheet = self._add_sheet(name)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        fits = count if count <= MOST_ROWS else MOST_ROWS - 1
        sheet.autofilter(0, 0, fits, len(columns) - 1)
        sheet.set_row(0, 32)
        for position, column in enumerate(columns):
            sheet.set_column(position, position, column.width)
            sheet.write_string(0, position, column.heading, self._heading)
        answers = [position for position, column in enumerate(columns) if column.answer]
        for number, row in enumerate(islice(rows, fits), start=1):
            for position, cell in enumerate(row):
                if cell != "":
                    self._write(sheet, number, position, cell)
            for position in answers:
                sheet.write_blank(number, position, None, self._answer)
        if not count:
            self._write(sheet, 1, 0, if_none)
        elif fits < count:
            self._write(sheet, fits + 1, 0, f"Cut here: a sheet holds no more. {_first_of(fits, count)}")
        return sheet

    def _add_sheet(self, name: str) -> Any:
        sheet = self._file.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return sheet

    def _write(self, sheet: Any, row: int, column: int, cell: Cell) -> None:
        if isinstance(cell, str):
            sheet.write_string(row, column, cell, self._text)
        else:
            sheet.write_number(row, column, cell, self._whole if isinstance(cell, int) else self._decimal)


def _cells(columns: tuple[Column[Row], ...], rows: Iterable[Row]) -> Iterator[list[Cell]]:
    """What the columns say of each row, as it is written. Nothing stands in a column that asks for an answer."""
    says = [column.cell for column in columns]
    return ([_as_written(say(row)) for say in says] for row in rows)


def _evidence(report: Report) -> Iterator[tuple[Candidate, Comparison]]:
    """Every comparison of every candidate but those of a field that neither record fills."""
    return (
        (candidate, comparison)
        for candidate in report.candidates
        for comparison in candidate.comparisons
        if comparison.left or comparison.right
    )


def _as_text(text: str) -> str:
    """Text that a cell can hold: no character that XML forbids, nothing xlsxwriter takes for markup, not too long."""
    text = legible(_FORBIDDEN.sub("\ufffd", text.replace("\r\n", "\n")))
    if text.startswith("<r>"):
        text = f" {text}"
    if len(text) > LONGEST_CELL // 2 and len(encoded := text.encode("utf-16-le")) > 2 * LONGEST_CELL:
        text = encoded[: 2 * (LONGEST_CELL - 1)].decode("utf-16-le", "ignore") + "…"
    return text


def _ask_for_answers(sheet: Any, rows: int) -> None:
    """Drop-downs for the answers, and a lock on all else, so that a slip does not change the evidence."""
    headings = [column.heading for column in CANDIDATE_COLUMNS]
    for answer in ANSWERS:
        column = headings.index(answer.heading)
        asked = {"validate": "list", "source": list(answer.choices)} if answer.choices else {"validate": "any"}
        one_of = f"Choose {', '.join(answer.choices[:-1])} or {answer.choices[-1]}." if answer.choices else ""
        sheet.data_validation(
            1, column, rows, column,
            asked | {
                "input_title": answer.heading, "input_message": answer.how, "show_error": answer.strict,
                "error_title": f"Not a {answer.heading.lower()}", "error_message": one_of,
            },
        )  # fmt: skip
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})


def _keep_ledger(sheet: Any, report: Report, shown: Sequence[Sequence[Cell]]) -> None:
    """A hidden sheet by which a handed-back row is known: candidate, the facts it showed, and a seal on its cells.

    ``shown``: the cells of each candidate.
    """
    sheet.very_hidden()
    for position, heading in enumerate(LEDGER_HEADINGS):
        sheet.write_string(0, position, heading)
    locked = [position for position, column in enumerate(CANDIDATE_COLUMNS) if not column.answer]
    night, model = report.run.day.isoformat(), report.run.model_version
    for number, (candidate, cells) in enumerate(zip(report.candidates, shown, strict=True), start=1):
        line = (cells[0], candidate.evidence_hash, seal(cells[position] for position in locked), night, model)
        for position, cell in enumerate(line):
            sheet.write_string(number, position, str(cell))


def _as_written(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return _as_text(cell)
    return cell if math.isfinite(cell) else say_bits(cell)


def _read_me(report: Report, masked: bool) -> Iterable[tuple[str, Cell | None]]:
    yield f"Candidates for {report.run.provider}, night of {report.run.day}", None
    yield from READ_ME
    yield ("Masked", MASKED) if masked else ("Personal data", PERSONAL)


def _summary(report: Report, in_all: int) -> Iterable[tuple[str, Cell | None]]:
    run = report.run
    read, loaded, rejected = (
        sum(getattr(file, rows) for file in run.files) for rows in ("rows_read", "rows_loaded", "rows_rejected")
    )
    yield "The night", None
    yield "Provider", run.provider
    yield "Night", run.day.isoformat()
    yield "Client records", run.clients
    yield "Files", None
    yield "Files", len(run.files)
    yield "Rows read", read
    yield "Rows loaded", loaded
    yield "Rows rejected", rejected
    yield "Read = loaded + rejected", "yes" if read == loaded + rejected else "NO: look at this before anything else"
    yield "New client records, by why one was made", None
    for how, count in in_order(run.new_clients, tuple(MADE_HOW)):
        yield how_made(how), count
    yield "All", sum(run.new_clients.values())
    yield "Candidates by tier", None
    for tier, count in in_order(run.tiers, TIERS):
        yield tier, count
    yield "All", sum(run.tiers.values())
    if run.beyond:
        yield "Not in this workbook; they come up as these are decided", run.beyond
    yield "In this workbook", None
    shown, evidence = len(report.candidates), _evidence_rows(report)
    yield "Candidates", shown if shown == in_all else _first_of(shown, in_all)
    yield "Evidence", evidence if evidence <= MOST_ROWS else _first_of(MOST_ROWS - 1, evidence)
    yield "Checks", None
    for gate in run.gates:
        outcome = "passed" if gate.success else f"FAILED: {gate.failures}"
        yield f"{gate.suite}, {gate.subject}", f"{outcome} ({gate.checks:,} checks, {gate.rows:,} rows)"
    yield "Versions", None
    yield "oneclient", run.oneclient_version
    yield "Model", run.model_version
    yield "Config hash", run.config_hash


def _evidence_rows(report: Report) -> int:
    return sum(1 for _ in _evidence(report))


def _first_of(fits: int, count: int) -> str:
    return f"The first {fits:,} of {count:,} rows, most harmful candidate first."
