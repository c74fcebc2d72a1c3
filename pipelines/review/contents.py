"""What a candidate report holds, whatever it is written as: the run's summary, and each candidate with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from pipelines.decisions.evidence import Change
from pipelines.decisions.standing import SETTLED
from pipelines.merge.finding import WatchLine
from pipelines.merge.outcomes import Outcome
from pipelines.merge.record import Record
from pipelines.merge.survivor import Recommendation

Agreement = Literal["same", "close", "different", "missing"]


@dataclass(frozen=True)
class FileLine:
    """One file of the night. ``status`` is loaded, quarantined or repeated; ``reason`` says why it was refused.

    ``told`` is what ``oneclient check`` says of it, in sentences, and ``facts`` the same as data.
    """

    file_name: str
    feed: str
    issuer: str
    status: str
    reason: str | None
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    facts: dict[str, Any] = field(default_factory=dict)
    told: tuple[str, ...] = ()


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
    """The summary of one night. ``tiers`` counts the candidates that are not settled, ``standings`` the decided ones;
    ``beyond`` those not settled that the report had no place for, which come up as others are decided.

    ``train_again`` says why the model should be trained again, if it should; ``watch`` what the night found on past
    merges; ``review`` is how well people review (``quality.Quality``). ``evidence_hash`` is of all that was gathered of
    its candidates, ``rules_hash`` of the rules by which blockers, survivors and previews were worked out. ``forgotten``
    counts the cases that were taken out since, when somebody was forgotten.
    """

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
    standings: dict[str, int] = field(default_factory=dict)
    train_again: tuple[str, ...] = ()
    watch: tuple[WatchLine, ...] = ()
    review: dict[str, Any] = field(default_factory=dict)
    evidence_hash: str = ""
    rules_hash: str = ""
    forgotten: int = 0
    beyond: int = 0


@dataclass(frozen=True)
class Comparison:
    """A line of evidence: a field on both sides, how it compares in words, its weight in bits (+ for, - against)."""

    field: str
    left: str
    right: str
    agreement: Agreement
    words: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """A row of a file that made a record or joined it. ``row_number`` is None when only visits named the client."""

    feed: str
    issuer: str
    record_id: str
    file_name: str
    row_number: int | None
    how_linked: str


@dataclass(frozen=True, kw_only=True)
class Side(Record):
    """One of the client records: what hangs on it, why it was made, and the rows it comes from, the first one first."""

    made_how: str
    made_on: date
    came_from: tuple[SourceRow, ...] = ()


@dataclass(frozen=True)
class Harm:
    """What it costs that two records are apart: ``level`` from 3 (most) to 0, what of, and pounds at risk in a week."""

    level: int
    words: str
    weekly_pence: int


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
class Triangle:
    """A third record, likely one person with ``shared_ref`` as well, but not with ``apart_ref``, and ``why`` not."""

    third_ref: str
    shared_ref: str
    apart_ref: str
    why: str


@dataclass(frozen=True)
class Decided:
    """What one person said of a pair, and whether it has lapsed because the evidence changed since."""

    sequence_number: int
    who: str
    decided_on: date
    verdict: str
    reason: str
    lapsed: bool


@dataclass(frozen=True)
class Candidate:
    """Two client records that may be one person. ``weight`` is in bits; ``match_probability`` is what such a weight has
    proved to mean; ``relation`` a household tie that may explain the likeness ("probably a couple"), empty if none.

    ``cluster_id`` is empty unless both are in one cluster. ``missed`` says why the import did not find the one for the
    other; ``outcomes`` what a merge would do, the recommended survivor first. ``standing`` is where the pair stands
    by what people ``decided``, and ``changed`` what is no longer as it was then.
    """

    candidate_id: str
    cluster_id: str
    tier: str
    match_probability: float
    weight: float
    relation: str
    left: Side
    right: Side
    comparisons: tuple[Comparison, ...]
    harm: Harm
    recommended: Recommendation
    outcomes: tuple[Outcome, ...]
    missed: Miss | None = None
    evidence_hash: str = ""
    facts: str = ""
    standing: str = ""
    standing_reason: str = ""
    decided: tuple[Decided, ...] = ()
    changed: tuple[Change, ...] = ()
    triangles: tuple[Triangle, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether people have decided it, so that nothing is left to ask."""
        return self.standing in SETTLED


@dataclass(frozen=True)
class Bond:
    """Two records inside a cluster: whether they agree, and why. ``candidate_id`` is empty if they are no candidate."""

    left_ref: str
    right_ref: str
    candidate_id: str
    tier: str
    agreement: Literal["agree", "unsure", "contradict", "not proposed"]
    words: str


@dataclass(frozen=True)
class Cluster:
    """Three or more records that may all be one person, as one case; its pairs are candidates of their own, too."""

    cluster_id: str
    records: tuple[Side, ...]
    bonds: tuple[Bond, ...]
    harm: Harm
    recommended: Recommendation
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Confusion:
    """One number (``kind``, ``issuer``) on two records that are plainly two people. Never a candidate for merging.

    A number on three people is three of these, and one case. A reviewer settles each pair by its ``candidate_id``, on
    its ``facts``: *different*, another person was given the number; or *same*, one person whose details changed.
    """

    kind: str
    issuer: str
    number: str
    left_ref: str
    right_ref: str
    to_check: str = ""
    candidate_id: str = ""
    facts: str = ""
    standing: str = ""
    standing_reason: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        """The two client refs in alphabetical order, as the decision log knows the pair."""
        return min(self.left_ref, self.right_ref), max(self.left_ref, self.right_ref)

    @property
    def case(self) -> tuple[str, str, str]:
        """The identifier, which is one case however many people share it."""
        return self.kind, self.issuer, self.number


@dataclass(frozen=True)
class Report:
    """Everything that one night publishes for review, most harmful candidate first."""

    run: Run
    candidates: tuple[Candidate, ...]
    misses: tuple[Miss, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    clusters: tuple[Cluster, ...] = ()
