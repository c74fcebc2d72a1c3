"""What the workbook asks for, and what it keeps so that the answers can be trusted when it is handed back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipelines.decisions.statement import VERDICTS

CANDIDATES = "Candidates"
LEDGER = "oneclient"
LEDGER_HEADINGS = ("candidate_id", "evidence_hash", "seal", "night", "model_version")


@dataclass(frozen=True)
class Answer:
    """One column to be filled in: its heading, its name in a CSV, its width, what may be chosen, and how to fill it.

    ``strict``: nothing but one of ``choices``.
    """

    heading: str
    name: str
    width: int
    how: str
    choices: tuple[str, ...] = ()
    strict: bool = True


ANSWERS = (
    Answer("Verdict", "verdict", 12, "Choose same, different or unsure. Left empty: not decided.", VERDICTS),
    Answer("Decided by", "by", 18, "Your name: a person's, not a team's or a system's."),
    Answer("Reason", "reason", 40, "What you looked at, in a few words. Only unsure may go without."),
    Answer(
        "Survivor", "survivor", 14,
        "Which record stays: left, right, or its name as in Left record or Right record. Empty: the recommended one.",
        ("left", "right"), strict=False,
    ),
    Answer(
        "Move active orders", "move_active_orders", 12,
        "yes: orders that still run move to the record that stays. Else they block the merge.", ("yes", "no"),
    ),
    Answer("Aliases", "aliases", 10, "Whether other names are kept or dropped.", ("keep", "drop")),
    Answer(
        "References to keep", "keep_reference", 26,
        "Where one issuer gave two: ISSUER=NUMBER as the report shows them; several with ; between.",
    ),
    Answer(
        "Enrolments to keep", "enrolment", 26,
        "Where both are enrolled on one contract: CONTRACT=left or CONTRACT=right; several with ; between.",
    ),
)  # fmt: skip

HOW_TO_DECIDE = (
    ("1", "Open the sheet Candidates. One row is two records. Its white columns are locked: they are the evidence."),
    ("2", "Fill in the green columns of the rows that you have decided. Leave the others empty."),
    *((answer.heading, answer.how) for answer in ANSWERS),
    ("3", "Save the workbook under a name with the word decisions in it, and put it into the inbox of oneclient;"),
    ("", "or hand it back at once with: oneclient decide --file FILE"),
    ("4", "A row that cannot be taken comes back in a copy of the workbook, with the reason at its end."),
    ("", "Correct it there and hand the copy back. Rows that were taken already are not taken twice."),
    (
        "Protection",
        "There is no password: it only guards against slips. A row whose evidence was edited is refused.",
    ),
)

_ESCAPED = re.compile(r"_x[0-9A-Fa-f]{4}_")


def seal(cells: Iterable[Any]) -> str:
    """Sixteen hex digits that change when a cell of the evidence does, however the file was saved in between."""
    text = "\x1f".join(map(_plain, cells))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _plain(cell: Any) -> str:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return f"{cell:.9g}"
    return "" if cell is None else " ".join(_ESCAPED.sub(" ", str(cell)).split())
