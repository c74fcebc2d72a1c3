"""What a candidate report holds, whatever it is written as: the run's summary, and each candidate with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Agreement = Literal["same", "close", "different", "missing"]
TIERS = ("near-certain", "likely", "possible")


@dataclass(frozen=True)
class FileLine:
    """One file of the night. ``status`` is loaded, quarantined or repeated; ``reason`` says why it was refused."""

    file_name: str
    feed: str
    issuer: str
    status: str
    reason: str | None
    rows_read: int
    rows_loaded: int
    rows_rejected: int


@dataclass(frozen=True)
class Reject:
    """Rows of a file rejected for one reason, or cells left unread (not ``whole_row``). ``rows``: first row numbers."""

    file_name: str
    column: str | None
    reason: str
    whole_row: bool
    count: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class GateLine:
    """One suite of expectations run over one file or table. ``failures`` is empty when it passed."""

    suite: str
    subject: str
    rows: int
    checks: int
    success: bool
    failures: str


@dataclass(frozen=True)
class Run:
    """The summary of one night."""

    day: date
    provider: str
    oneclient_version: str
    model_version: str
    config_hash: str
    clients: int
    new_clients: dict[str, int]
    tiers: dict[str, int]
    files: tuple[FileLine, ...]
    rejects: tuple[Reject, ...]
    gates: tuple[GateLine, ...]


@dataclass(frozen=True)
class Comparison:
    """A line of evidence: a field on both sides, how it compares in words, its weight in bits (+ for, - against)."""

    field: str
    left: str
    right: str
    agreement: Agreement
    words: str
    weight: float


@dataclass(frozen=True)
class Side:
    """One of the two client records: its readable id, how it came to be, and what hangs on it."""

    client_ref: str
    made_how: str
    made_on: date
    active_orders: int
    upcoming_visits: int
    past_visits: int
    enrolments: int
    references: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """Two client records that may be one person. ``weight`` is in bits; ``relation`` a household tie that may explain
    the likeness ("probably a couple"), empty if none."""

    candidate_id: str
    cluster_id: str
    tier: str
    match_probability: float
    weight: float
    relation: str
    left: Side
    right: Side
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class Miss:
    """A record that was made because its reference was not found, beside the one that we held: what was sent, what was
    held, why the import missed, whom to ``ask`` (a council or rostering system), and what they should correct."""

    candidate_id: str
    sent_ref: str
    held_ref: str
    sent_reference: str
    held_reference: str
    reason: str
    ask: str
    correction: str


@dataclass(frozen=True)
class Confusion:
    """One number (``kind``, ``issuer``) on two records that are plainly two people. Never a candidate for merging."""

    kind: str
    issuer: str
    number: str
    left_ref: str
    right_ref: str


@dataclass(frozen=True)
class Report:
    """Everything that one night publishes for review, most harmful candidate first."""

    run: Run
    candidates: tuple[Candidate, ...]
    misses: tuple[Miss, ...] = ()
    confusions: tuple[Confusion, ...] = ()
