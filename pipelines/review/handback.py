"""Decisions handed back in a file, the report's workbook or a CSV: good rows are recorded, bad ones returned.

Messages name rows, columns and candidate ids, never what a cell says.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from pipelines.decisions.entry import Entry
from pipelines.decisions.statement import (
    VERDICTS,
    DecisionRefusedError,
    Statement,
    checked,
    person,
)
from pipelines.decisions.store import open_decisions
from pipelines.ingest.encoding import read_text
from pipelines.ingest.layout import layout_of
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.unpacked import refuse_unsafe_zip
from pipelines.ingest.workbook import WORKBOOKS
from pipelines.publishing.spreadsheet import as_text_cell
from pipelines.review.answers import ANSWERS, CANDIDATES, LEDGER, LEDGER_HEADINGS, seal
from pipelines.review.contents import Candidate
from pipelines.review.decide import Queue, choices_written, names_of, open_queue, state
from pipelines.settings import Settings
from pipelines.sources import heading_key
from pipelines.troubles import TROUBLES, told

REFUSED_BECAUSE = "Refused because"
_COLUMNS = {heading_key(a.heading): a.name for a in ANSWERS} | {heading_key(a.name): a.name for a in ANSWERS}
_COLUMNS |= {"candidate": "candidate_id", "candidateid": "candidate_id", "evidencehash": "evidence_hash"}
_HEADING = {answer.name: answer.heading for answer in ANSWERS}
_ID = re.compile(r"C[0-9A-F]{10}")
_UNREADABLE = (
    InvalidFileException, BadZipFile, ParseError, LookupError, ValueError, TypeError, AttributeError, EOFError, OSError,
)  # fmt: skip
_AMISS = (
    "The workbook is not one that oneclient wrote, or a sheet or column of it was removed or renamed. "
    "Fill in the workbook of the last report."
)


@dataclass(frozen=True)
class HandedRow:
    """One row of the file with the text of its cells by name; ``problem``: why it cannot be read, empty if it can.

    ``evidence_hash`` is of the facts that the row showed; empty: those of the last report.
    """

    number: int
    cells: Mapping[str, str]
    evidence_hash: str = ""
    problem: str = ""

    @property
    def candidate_id(self) -> str:
        """The candidate's id in capitals."""
        return self.cells.get("candidate_id", "").strip().upper()

    @property
    def answered(self) -> bool:
        """Whether somebody decided here; a name alone, filled down a column, decides nothing."""
        return any(self.cells.get(answer.name, "").strip() for answer in ANSWERS if answer.name != "by")


@dataclass(frozen=True)
class Refused:
    """A row that was not taken. ``row`` is the one that a spreadsheet shows, from 1; ``code`` is of docs/errors.md."""

    row: int
    candidate_id: str
    reason: str
    code: str

    @property
    def told(self) -> str:
        """The reason with its code and where to read on."""
        return told(TROUBLES[self.code], self.reason)


@dataclass(frozen=True)
class HandBack:
    """What became of a file: how many decisions are new and how many were recorded before, and each refused row."""

    recorded: int = 0
    repeated: int = 0
    refused: tuple[Refused, ...] = ()
    sequence_numbers: tuple[int, ...] = field(default=())


def hand_back(settings: Settings, path: Path, *, door: str = "workbook", refused_copy: Path | None = None) -> HandBack:
    """Record what a filled-in workbook or CSV says; with ``refused_copy``, write the bad rows there, each with its why.

    Raises FileRefusedError for a file that cannot be read as one, NoReportError when there is no report to decide on.
    """
    rows = [row for row in read_rows(settings, path) if row.answered]
    twice = {candidate for candidate, count in Counter(row.candidate_id for row in rows).items() if count > 1}
    refused: list[Refused] = []
    said: list[Statement] = []
    repeated = 0
    with open_decisions(settings) as store:
        queue = open_queue(settings, store)
        known = {candidate.candidate_id: candidate for candidate in queue.candidates}
        before = {_gist(entry) for entry in queue.entries if entry.kind == "verdict"}
        for row in rows:
            try:
                if row.candidate_id in twice:
                    raise DecisionRefusedError(
                        "The candidate stands more than once in the file. Keep one row of it.", code="D5"
                    )
                said.append(checked(_statement(row, known, queue, door)))
            except DecisionRefusedError as error:
                if not row.problem and _gist_of(row) in before:
                    repeated += 1
                else:
                    shown = row.candidate_id if _ID.fullmatch(row.candidate_id) else ""
                    refused.append(Refused(row.number, shown, str(error), error.trouble.code))
        recorded = store.record(said)
    new = tuple(one.entry.sequence_number for one in recorded if one.new)
    if refused and refused_copy:
        _write_refused(path, refused_copy, refused)
    return HandBack(len(new), repeated + len(recorded) - len(new), tuple(refused), new)


def read_rows(settings: Settings, path: Path) -> list[HandedRow]:
    """The rows of a handed-back file. Raises FileRefusedError when it is not one, is damaged, or is far too large."""
    if path.suffix.lower() not in WORKBOOKS:
        return list(_read_csv(settings, path))
    refuse_unsafe_zip(path, settings.ingest)
    try:
        return list(_read_workbook(path))
    except _UNREADABLE as error:
        raise FileRefusedError(_AMISS, code="F14") from _nameless(error)


def _read_csv(settings: Settings, path: Path) -> Iterator[HandedRow]:
    if path.stat().st_size > settings.ingest.max_unpacked_megabytes << 20:
        raise FileRefusedError(
            "The file is far too large for a list of decisions. Hand back the right one.", code="F14"
        )
    letters = read_text(path)
    layout = layout_of(letters, tuple(_COLUMNS))
    names = [_COLUMNS.get(key, "") for key in layout.header.keys]
    if missing := [name for name in ("candidate_id", "verdict", "by", "reason") if name not in names]:
        raise FileRefusedError(
            f"The file has no column {', '.join(missing)}. Add it, or hand back the workbook.", code="F14"
        )
    text = letters.whole()
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter)
    for number, cells in enumerate(lines, start=1):
        if number > layout.header.row:
            row = {name: cell for name, cell in zip(names, cells, strict=False) if name}
            yield HandedRow(number, row, row.get("evidence_hash", "").strip().lower())


def _read_workbook(path: Path) -> Iterator[HandedRow]:
    file = load_workbook(path, read_only=True)
    try:
        sheet, ledger = file[CANDIDATES], file[LEDGER]
        for each in (sheet, ledger):
            each.reset_dimensions()
        lines = ledger.iter_rows(max_col=len(LEDGER_HEADINGS), values_only=True)
        if tuple(next(lines, ())) != LEDGER_HEADINGS:
            raise KeyError(LEDGER)
        kept = {str(line[0]): (str(line[1]), str(line[2])) for line in lines}
        rows = sheet.iter_rows()
        headings = [str(cell.value or "").strip() for cell in next(rows, ())]
        answers = {place: _COLUMNS[heading_key(h)] for place, h in enumerate(headings) if h in _HEADING.values()}
        if set(answers.values()) != _HEADING.keys():
            raise KeyError(CANDIDATES)
        for number, cells in enumerate(rows, start=2):
            yield _workbook_row(number, cells, answers, kept)
    finally:
        file.close()


def _workbook_row(
    number: int, cells: Iterable[Any], answers: Mapping[int, str], kept: Mapping[str, tuple[str, str]]
) -> HandedRow:
    cells = list(cells)
    locked = [cell.value for cell in cells[: min(answers)]]
    there = {name: cells[place] for place, name in answers.items() if place < len(cells)}
    row = {name: "" if cell.value is None else str(cell.value) for name, cell in there.items()}
    row["candidate_id"] = str(locked[0] or "") if locked else ""
    evidence_hash, sealed = kept.get(row["candidate_id"], ("", ""))
    locked += [None] * (min(answers) - len(locked))
    problem = ""
    if wrong := next((name for name, cell in there.items() if cell.data_type in {"f", "e"}), None):
        problem = f"A formula or an error stands in the column {_HEADING[wrong]}. Write the value itself."
    elif not evidence_hash:
        problem = "The candidate is not one of this workbook. Decide on a row that oneclient wrote."
    elif seal(locked) != sealed:
        problem = (
            "A cell of the evidence was changed. Fill in only the green columns; take the row from the report again."
        )
    return HandedRow(number, row, evidence_hash, problem)


def _statement(row: HandedRow, known: Mapping[str, Candidate], queue: Queue, door: str) -> Statement:
    """What a row says. Raises DecisionRefusedError."""
    if row.problem:
        raise DecisionRefusedError(row.problem, code="D6")
    candidate = known.get(row.candidate_id)
    if candidate is None:
        raise DecisionRefusedError(
            "The last report has no such candidate. Decide on the workbook of the last report.", code="D5"
        )
    if row.evidence_hash and row.evidence_hash != candidate.evidence_hash:
        raise DecisionRefusedError(
            "The records have changed since this workbook was written. Decide on the workbook of the last report.",
            code="D4",
        )
    verdict = _verdict(row)
    if not verdict:
        raise DecisionRefusedError("No verdict is chosen. Choose same, different or unsure, or empty the row.")
    if verdict not in VERDICTS:
        raise DecisionRefusedError("The verdict is not one of same, different and unsure. Choose it from the list.")
    return state(
        candidate,
        verdict=verdict,
        who=row.cells.get("by", ""),
        door=door,
        reason=row.cells.get("reason", ""),
        model_version=queue.model_version,
        choices=choices_written(row.cells, names_of(candidate)),
    )


def _verdict(row: HandedRow) -> str:
    return row.cells.get("verdict", "").strip().casefold()


def _gist(entry: Entry) -> tuple[str, ...]:
    return (
        entry.candidate_id or "",
        person(entry.who),
        entry.verdict or "",
        entry.reason or "",
        entry.evidence_hash or "",
    )


def _gist_of(row: HandedRow) -> tuple[str, ...]:
    """As a row's entry would have it, so that a file handed back late again is known for what it is."""
    reason = " ".join(row.cells.get("reason", "").split())
    return row.candidate_id, person(row.cells.get("by", "")), _verdict(row), reason, row.evidence_hash


def _write_refused(path: Path, copy: Path, refused: Iterable[Refused]) -> None:
    """A copy of the file with the reason beside each refused row, which can be corrected and handed back."""
    why = {one.row: one.told for one in refused}
    if path.suffix.lower() not in WORKBOOKS:
        _write_refused_csv(path, copy, why)
        return
    try:
        file = load_workbook(path)
    except _UNREADABLE:
        _write_reasons(copy, refused)
        return
    sheet = file[CANDIDATES]
    headings = [cell.value for cell in sheet[1]]
    place = headings.index(REFUSED_BECAUSE) + 1 if REFUSED_BECAUSE in headings else len(headings) + 1
    sheet.delete_cols(place)
    sheet.cell(1, place, REFUSED_BECAUSE)
    sheet.column_dimensions[get_column_letter(place)].width = 60
    for row, reason in why.items():
        for written in sheet[row]:
            if written.data_type == "f":
                written.data_type, written.quotePrefix = "s", True
        cell = sheet.cell(row, place, reason)
        cell.fill = PatternFill("solid", fgColor="FBE3E0")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    file.save(copy)


def _write_reasons(copy: Path, refused: Iterable[Refused]) -> None:
    """The refused rows alone, of a workbook that is whole enough to be read and too damaged to be written again."""
    file = Workbook(write_only=True)
    sheet = file.create_sheet(REFUSED_BECAUSE)
    sheet.append(("Row", "Candidate", REFUSED_BECAUSE))
    for one in refused:
        sheet.append((one.row, one.candidate_id, one.told))
    file.save(copy)


def _write_refused_csv(path: Path, copy: Path, why: Mapping[int, str]) -> None:
    letters = read_text(path)
    layout = layout_of(letters, tuple(_COLUMNS))
    text = letters.whole()
    with copy.open("w", encoding="utf-8-sig", newline="") as written:
        writer = csv.writer(written, delimiter=layout.delimiter)
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter), start=1):
            if number == layout.header.row:
                writer.writerow([*map(as_text_cell, cells), REFUSED_BECAUSE])
            elif number > layout.header.row:
                writer.writerow([*map(as_text_cell, cells), why.get(number, "")])


def _nameless(error: Exception) -> Exception | None:
    """Where a workbook is amiss, without what stands there."""
    return None if isinstance(error, ValueError | KeyError | TypeError) else error
