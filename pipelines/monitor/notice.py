"""What people are told of a night: done, failed or late. Counts, places and kinds of error; nobody's name (law 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import escape

from pipelines.troubles import KnownError
from pipelines.unforeseen import UnforeseenError

RUNBOOK = "When it is red"  # a heading of the DAG's documentation
UNKNOWN = "not told: the task was killed, or ran out of time or memory"

_COUNTS = {
    "files_loaded": "Files loaded",
    "files_quarantined": "Files refused",
    "rows_read": "Rows read",
    "rows_loaded": "Rows loaded",
    "rows_rejected": "Rows rejected",
    "cells_unread": "Cells unread",
    "new_records": "New client records",
    "duplicates_found": "Of them, with a match that was there",
    "merges_standing": "Merges that stand",
    "train_again": "Reasons to train again",
}


@dataclass(frozen=True)
class Notice:
    """One notice. ``ending`` is done, failed or late; ``facts`` are what a program reads of it."""

    ending: str
    subject: str
    lines: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """For people, in a chat."""
        return "\n".join((self.subject, *(f"{name}: {said}" for name, said in self.lines.items())))

    @property
    def html(self) -> str:
        """For people, in a letter."""
        rows = "".join(f"<tr><th align='left'>{escape(n)}</th><td>{escape(s)}</td></tr>" for n, s in self.lines.items())
        return f"<p>{escape(self.subject)}</p><table>{rows}</table>"

    @property
    def payload(self) -> dict[str, Any]:
        """For a webhook; ``text`` is what Slack, Mattermost and their like show."""
        return {"ending": self.ending, "text": self.text, **self.facts}


def problem_of(error: BaseException) -> str:
    """The code and title of an error that is known, the place of one that nobody foresaw; else its kind."""
    if isinstance(error, UnforeseenError):
        return str(error)
    return f"[{error.trouble.code}] {error.trouble.title}" if isinstance(error, KnownError) else type(error).__name__


def night_done(dag_id: str, link: str, measured: Mapping[str, Any]) -> Notice:
    """A night that came to its end; ``measured`` is ``Measured.as_dict``."""
    waiting = sum(measured["waiting"].values())
    refused = f", {measured['files_quarantined']:,} files refused" if measured["files_quarantined"] else ""
    lines = {said: f"{measured[name]:,}" for name, said in _COUNTS.items()}
    lines["Candidates that wait"] = (
        f"{waiting:,} (" + ", ".join(f"{n:,} {t}" for t, n in measured["waiting"].items()) + ")"
    )
    lines |= {"Report": f"{measured['report']}/index.html", "Run": link}
    subject = f"{dag_id}: {measured['day']} is done, {waiting:,} candidates wait{refused}"
    return Notice("done", subject, lines, {"dag_id": dag_id, "run": link, **measured})


def night_failed(dag_id: str, link: str, task: str, problem: str | None, runbook: str) -> Notice:
    """A night that stopped: the task that did, the kind of its error, and where it says what to do."""
    facts = {"task": task or "not known", "problem": problem or UNKNOWN}
    lines = {"Task": facts["task"], "Problem": facts["problem"], "Run": link, "What to do": f"{runbook} ({RUNBOOK})"}
    told = {"dag_id": dag_id, "run": link, "runbook": runbook, **facts}
    return Notice("failed", f"{dag_id}: the night failed in {facts['task']}", lines, told)


def night_late(dag_id: str, link: str, needed_by: str, runbook: str) -> Notice:
    """A night that was not done in time."""
    lines = {"Needed by": needed_by, "Run": link, "What to do": f"{runbook} ({RUNBOOK})"}
    told = {"dag_id": dag_id, "run": link, "runbook": runbook, "needed_by": needed_by}
    return Notice("late", f"{dag_id}: the night is late", lines, told)
