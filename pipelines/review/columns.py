"""The columns of the report's sheets: what each says of a row, whatever writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipelines.review.answers import ANSWERS
from pipelines.review.contents import Candidate, Comparison, Confusion, FileLine, Miss, Reject, Side
from pipelines.review.words import MARKS, NOT_PROPOSED, how_made, say_bits, say_reference

Row = TypeVar("Row")
Cell = str | int | float


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column of a sheet: heading, width in characters, what it says of a row. People fill in an ``answer``."""

    heading: str
    width: int
    cell: Callable[[Row], Cell]
    answer: bool = False


def _strongest(candidate: Candidate, direction: int) -> str:
    """The two comparisons that weigh most for (1) or against (-1), a line each."""
    lines = sorted(
        (comparison for comparison in candidate.comparisons if direction * comparison.weight > 0),
        key=lambda comparison: -direction * comparison.weight,
    )
    return "\n".join(f"{line.field}: {line.words} ({say_bits(line.weight)})" for line in lines[:2])


def _decided(candidate: Candidate) -> str:
    """Who decided what and why, a line each, and what has changed since."""
    lines = [
        f"{said.who}, {said.decided_on}: {said.verdict}{' (lapsed)' if said.lapsed else ''}. {said.reason}"
        for said in candidate.decided
    ]
    lines += [f"{c.client_ref}: {c.field} was {c.before or 'empty'}, is {c.now or 'empty'}" for c in candidate.changed]
    return "\n".join(lines)


def _side_columns(name: str, side: Callable[[Candidate], Side]) -> tuple[Column[Candidate], ...]:
    return (
        Column(f"{name} record", 26, lambda candidate: side(candidate).client_ref),
        Column(f"{name}: active orders", 9, lambda candidate: len(side(candidate).active_orders)),
        Column(f"{name}: upcoming visits", 10, lambda candidate: side(candidate).upcoming_visits),
        Column(f"{name}: past visits", 9, lambda candidate: side(candidate).past_visits),
        Column(f"{name}: enrolments", 11, lambda candidate: len(side(candidate).enrolments)),
        Column(f"{name}: references", 28, lambda candidate: "\n".join(map(say_reference, side(candidate).references))),
        Column(f"{name}: made on", 11, lambda candidate: side(candidate).made_on.isoformat()),
        Column(f"{name}: came to be", 28, lambda candidate: how_made(side(candidate).made_how)),
    )


FILE_COLUMNS: tuple[Column[FileLine], ...] = (
    Column("File", 44, lambda file: file.file_name),
    Column("Feed", 18, lambda file: file.feed.replace("_", " ")),
    Column("From", 14, lambda file: file.issuer),
    Column("Status", 13, lambda file: file.status),
    Column("Reason", 60, lambda file: file.reason or ""),
    Column("Rows read", 11, lambda file: file.rows_read),
    Column("Rows loaded", 11, lambda file: file.rows_loaded),
    Column("Rows rejected", 11, lambda file: file.rows_rejected),
    Column("What was found", 60, lambda file: " ".join(file.told)),
)
REJECT_COLUMNS: tuple[Column[Reject], ...] = (
    Column("File", 44, lambda reject: reject.file_name),
    Column("Column", 20, lambda reject: reject.column or ""),
    Column("Reason", 50, lambda reject: reject.reason),
    Column("What", 16, lambda reject: "row rejected" if reject.whole_row else "cell left empty"),
    Column("How many", 10, lambda reject: reject.count),
    Column("First row numbers", 40, lambda reject: ", ".join(map(str, reject.rows))),
)
CANDIDATE_COLUMNS: tuple[Column[Candidate], ...] = (
    Column("Candidate", 20, lambda candidate: candidate.candidate_id),
    Column("Cluster", 14, lambda candidate: candidate.cluster_id),
    Column("Tier", 13, lambda candidate: candidate.tier or NOT_PROPOSED),
    Column("Probability", 11, lambda candidate: candidate.match_probability),
    Column("Weight (bits)", 10, lambda candidate: candidate.weight),
    Column("Relation", 28, lambda candidate: candidate.relation),
    Column("Strongest evidence for", 46, lambda candidate: _strongest(candidate, 1)),
    Column("Strongest evidence against", 46, lambda candidate: _strongest(candidate, -1)),
    Column("What it costs", 34, lambda candidate: candidate.harm.words),
    Column("At risk a week (£)", 11, lambda candidate: candidate.harm.weekly_pence / 100),
    Column("Recommended survivor", 26, lambda candidate: candidate.recommended.survivor_ref),
    Column("Because it", 40, lambda candidate: "\n".join(reason.words for reason in candidate.recommended.reasons[:1])),
    Column("In the way", 46, lambda candidate: "\n".join(b.what for b in candidate.outcomes[0].blockers)),
    *_side_columns("Left", lambda candidate: candidate.left),
    *_side_columns("Right", lambda candidate: candidate.right),
    Column("Standing", 12, lambda candidate: candidate.standing),
    Column("Decided so far", 34, _decided),
    *(Column[Candidate](answer.heading, answer.width, lambda candidate: "", answer=True) for answer in ANSWERS),
)
MISS_COLUMNS: tuple[Column[Miss], ...] = (
    Column("Ask", 14, lambda miss: miss.ask),
    Column("Why the import missed", 36, lambda miss: miss.reason),
    Column("Reference sent", 18, lambda miss: miss.sent_reference),
    Column("Reference held", 18, lambda miss: miss.held_reference),
    Column("To correct", 50, lambda miss: miss.correction),
    Column("Record made", 28, lambda miss: miss.sent_ref),
    Column("Record held", 28, lambda miss: miss.held_ref),
    Column("Candidate", 14, lambda miss: miss.candidate_id),
)
CONFUSION_COLUMNS: tuple[Column[Confusion], ...] = (
    Column("Number", 26, lambda confusion: confusion.kind.replace("_", " ")),
    Column("Issuer", 14, lambda confusion: confusion.issuer),
    Column("As sent", 18, lambda confusion: confusion.number),
    Column("One record", 28, lambda confusion: confusion.left_ref),
    Column("Another record, another person", 28, lambda confusion: confusion.right_ref),
    Column("To check", 60, lambda confusion: confusion.to_check),
    Column("Case", 14, lambda confusion: confusion.candidate_id),
    Column("Status", 14, lambda confusion: confusion.standing or "open"),
)
EVIDENCE_COLUMNS: tuple[Column[tuple[Candidate, Comparison]], ...] = (
    Column("Candidate", 20, lambda line: line[0].candidate_id),
    Column("Field", 18, lambda line: line[1].field),
    Column("Left", 34, lambda line: line[1].left),
    Column("Right", 34, lambda line: line[1].right),
    Column("Agreement", 14, lambda line: f"{MARKS[line[1].agreement]} {line[1].agreement}"),
    Column("In words", 46, lambda line: line[1].words),
    Column("Weight (bits)", 10, lambda line: line[1].weight),
)
