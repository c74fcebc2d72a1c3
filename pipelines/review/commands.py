"""What the command line does with decisions; each command says in counts and ids what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.decisions.entry import Pair
from pipelines.decisions.statement import DecisionRefusedError, choices_from
from pipelines.decisions.store import DecisionStore, Recorded, open_decisions
from pipelines.review.cluster_verdict import pairs_of, say_of_cluster, take_back
from pipelines.review.confused import find_confusion, open_confusions, state_of_confusion
from pipelines.review.contents import Candidate, Confusion
from pipelines.review.decide import (
    bulk,
    choices_written,
    last_published,
    names_of,
    open_queue,
    pair_of,
    standings_today,
    state,
)
from pipelines.review.handback import Refused, hand_back
from pipelines.review.joined import refuse_to_unsay_what_is_merged
from pipelines.review.published import read_candidate, read_cluster, read_confusions, read_report, read_run
from pipelines.settings import Settings

DOOR = "cli"


@dataclass(frozen=True)
class Done:
    """What was recorded, what had been before, what was left out or refused, and how a single candidate stands now."""

    recorded: int = 0
    repeated: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    refused_copy: str | None = None
    sequence_numbers: tuple[int, ...] = ()
    candidate_id: str = ""
    standing: str = ""
    standing_reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def list_candidates(settings: Settings, as_of: date | None) -> Sequence[Candidate]:
    """The candidates of the last night as they stand now, or of a past one as it published them."""
    if as_of:
        return read_report(settings, as_of).candidates
    with open_decisions(settings) as store:
        return open_queue(settings, store).candidates


def list_confusions(settings: Settings, as_of: date | None) -> Sequence[Confusion]:
    """The open confusions of the last night as they stand now, or those of a past night as it published them."""
    if as_of:
        return read_confusions(settings, as_of)
    with open_decisions(settings) as store:
        return open_confusions(settings, store)


def decide_one(
    settings: Settings, candidate_id: str, *, verdict: str, who: str, reason: str, cells: Mapping[str, str]
) -> Done:
    """Record one verdict on a candidate or a confusion. Raises DecisionRefusedError, and NoReportError for a case that
    the last report does not have."""
    day, candidate_id = last_published(settings), candidate_id.strip().upper()
    if confusion := find_confusion(settings, candidate_id):
        of_confusion = state_of_confusion(
            settings, confusion, verdict=verdict, who=who, door=DOOR, reason=reason, cells=cells
        )
        with open_decisions(settings) as store:
            done = _done(store.record([of_confusion]))
            return _as_it_stands(settings, store, replace(done, candidate_id=candidate_id), confusion.pair)
    candidate = read_candidate(settings, day, candidate_id)
    said = state(
        candidate,
        verdict=verdict,
        who=who,
        door=DOOR,
        reason=reason,
        model_version=read_run(settings, day).model_version,
        choices=choices_written(cells, names_of(candidate)),
    )
    with open_decisions(settings) as store:
        done = _done(store.record([said]))
        return _as_it_stands(settings, store, replace(done, candidate_id=candidate.candidate_id), pair_of(candidate))


def decide_cluster(
    settings: Settings,
    cluster_id: str,
    *,
    verdict: str,
    who: str,
    reason: str,
    cells: Mapping[str, str],
    apart: str = "",
) -> Done:
    """Record that all records of a cluster are one person, or that the record ``apart`` is another one.

    Raises DecisionRefusedError, and NoReportError for a cluster that no report has.
    """
    day = last_published(settings)
    cluster = read_cluster(settings, day, cluster_id.strip().upper())
    pairs = pairs_of(settings, day, cluster)
    names = {record.client_ref.casefold(): record.client_ref for record in cluster.records}
    said = say_of_cluster(
        cluster,
        pairs,
        verdict=verdict,
        who=who,
        door=DOOR,
        reason=reason,
        model_version=read_run(settings, day).model_version,
        choices=choices_written(cells, names),
        apart=names.get(apart.strip().casefold(), apart),
    )
    with open_decisions(settings) as store:
        return _as_they_stand(settings, store, _done(store.record(said)), cluster_id, pairs)


def undo_cluster(settings: Settings, cluster_id: str, *, who: str, reason: str) -> Done:
    """Take back one's own newest verdict on each pair of a cluster. Raises DecisionRefusedError, NoReportError."""
    day = last_published(settings)
    pairs = pairs_of(settings, day, read_cluster(settings, day, cluster_id.strip().upper()))
    with open_decisions(settings) as store:
        entries = take_back(store, pairs, who=who, door=DOOR, reason=reason)
        done = Done(len(entries), sequence_numbers=tuple(entry.sequence_number for entry in entries))
        return _as_they_stand(settings, store, done, cluster_id, pairs)


def decide_tier(
    settings: Settings, tier: str, *, verdict: str, who: str, reason: str, cells: Mapping[str, str]
) -> Done:
    """Record one verdict on all open candidates of a tier that may be decided unseen. Raises DecisionRefusedError."""
    if any(cells.get(name) for name in ("survivor", "keep_reference", "enrolment")):
        raise DecisionRefusedError(
            "Survivor, references and enrolments differ from one to the next: not in bulk.", code="D8"
        )
    choices = choices_from(
        {"aliases": cells.get("aliases") or None, "move_active_orders": bool(cells.get("move_active_orders"))}
    )
    with open_decisions(settings) as store:
        queue = open_queue(settings, store)
        found = bulk(queue, tier, verdict=verdict, who=who, door=DOOR, reason=reason, choices=choices)
        return replace(_done(store.record(found.statements)), skipped=found.skipped)


def undo(settings: Settings, candidate_id: str, *, who: str, reason: str) -> Done:
    """Take back one's own newest verdict on a candidate. Raises DecisionRefusedError, also of what is merged."""
    candidate_id = candidate_id.strip().upper()
    with open_decisions(settings) as store:
        entries = store.entries()
        pairs = {entry.pair for entry in entries if entry.candidate_id == candidate_id}
        refuse_to_unsay_what_is_merged(entries, pairs, who)
        entry = store.undo(candidate_id, who, DOOR, reason)
        done = Done(1, sequence_numbers=(entry.sequence_number,), candidate_id=entry.candidate_id or "")
        return _as_it_stands(settings, store, done, entry.pair)


def decide_file(settings: Settings, path: Path) -> Done:
    """Record what a workbook or CSV says; refused rows come back in ``<name>.refused.<suffix>`` beside it."""
    copy = path.with_name(f"{path.stem}.refused{path.suffix}")
    found = hand_back(settings, path, refused_copy=copy)
    written = str(copy) if found.refused else None
    return Done(found.recorded, found.repeated, {}, found.refused, written, found.sequence_numbers)


def _done(recorded: Sequence[Recorded]) -> Done:
    new = tuple(one.entry.sequence_number for one in recorded if one.new)
    return Done(len(new), len(recorded) - len(new), sequence_numbers=new)


def _as_it_stands(settings: Settings, store: DecisionStore, done: Done, pair: Pair) -> Done:
    """With how the pair stands now; nothing while nobody's verdict is in force."""
    now = standings_today(settings, store, last_published(settings)).get(pair)
    return replace(done, standing=now.standing, standing_reason=now.reason) if now else done


def _as_they_stand(
    settings: Settings, store: DecisionStore, done: Done, cluster_id: str, pairs: Sequence[Candidate]
) -> Done:
    """With how the pairs of a cluster stand now, each standing once; a conflict gives the reason."""
    now = standings_today(settings, store, last_published(settings))
    found = [now[pair_of(pair)] for pair in pairs if pair_of(pair) in now]
    reasons = [one.reason for one in sorted(found, key=lambda one: one.standing != "conflict")]
    return replace(
        done,
        candidate_id=cluster_id.strip().upper(),
        standing=", ".join(sorted({one.standing for one in found})),
        standing_reason=reasons[0] if reasons else "",
    )
