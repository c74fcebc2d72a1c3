"""What the command line does with decisions; each command says in counts and ids what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.decisions.entry import Pair
from pipelines.decisions.statement import DecisionRefusedError, choices_from
from pipelines.decisions.store import DecisionStore, Recorded, open_decisions
from pipelines.review.cluster_verdict import pairs_of, say_of_cluster, take_back
from pipelines.review.contents import Candidate
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
from pipelines.review.named import cases_of, reopened
from pipelines.review.published import NoReportError, read_candidate, read_cluster, read_report, read_run
from pipelines.settings import Settings

DOOR = "cli"
_APART = "--apart goes with a cluster (K…), or with three records or more."


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


def decide_cases(
    settings: Settings,
    cases: Sequence[str],
    *,
    verdict: str,
    who: str,
    reason: str,
    cells: Mapping[str, str],
    apart: str = "",
) -> Done:
    """Record one verdict of a candidate (C…), of a cluster (K…), or of two client records or more.

    Raises DecisionRefusedError, NoReportError.
    """
    said: dict[str, Any] = {"verdict": verdict, "who": who, "reason": reason, "cells": cells}
    if len(cases) > 1:
        return decide_records(settings, cases, apart=apart, **said)
    if _is_cluster(cases[0]):
        return decide_cluster(settings, cases[0], apart=apart, **said)
    if apart:
        raise DecisionRefusedError(_APART)
    return decide_one(settings, cases[0], **said)


def undo_cases(settings: Settings, cases: Sequence[str], *, who: str, reason: str) -> Done:
    """Take back one's own newest verdict on a candidate, a cluster, or each two of some records.

    Raises DecisionRefusedError, also of what is merged.
    """
    if len(cases) > 1:
        return undo_records(settings, cases, who=who, reason=reason)
    take = undo_cluster if _is_cluster(cases[0]) else undo
    return take(settings, cases[0], who=who, reason=reason)


def decide_one(
    settings: Settings, candidate_id: str, *, verdict: str, who: str, reason: str, cells: Mapping[str, str]
) -> Done:
    """Record one verdict, also of a case that was decided before and is no candidate of the last night.

    Raises DecisionRefusedError, and NoReportError for a candidate that neither the last report nor a decision names.
    """
    day, wanted = last_published(settings), candidate_id.strip().upper()
    with open_decisions(settings) as store:
        try:
            candidate = read_candidate(settings, day, wanted)
        except NoReportError:
            if not (found := reopened(settings, store.entries(), day, wanted)):
                raise
            candidate = found
        return _decide(settings, store, [candidate], verdict=verdict, who=who, reason=reason, cells=cells)


def decide_records(
    settings: Settings,
    refs: Sequence[str],
    *,
    verdict: str,
    who: str,
    reason: str,
    cells: Mapping[str, str],
    apart: str = "",
) -> Done:
    """Record one verdict of each two of these client records, whether or not matching proposed them; or, of three or
    more, that the record ``apart`` is another person than the others. Raises DecisionRefusedError, NoReportError."""
    with open_decisions(settings) as store:
        cases = cases_of(settings, store.entries(), last_published(settings), refs)
        return _decide(settings, store, cases, verdict=verdict, who=who, reason=reason, cells=cells, apart=apart)


def undo_records(settings: Settings, refs: Sequence[str], *, who: str, reason: str) -> Done:
    """Take back one's own newest verdict on each two of these records. Raises DecisionRefusedError."""
    with open_decisions(settings) as store:
        named = {ref.strip().casefold() for ref in refs}
        pairs = {entry.pair for entry in store.entries() if {ref.casefold() for ref in entry.pair} <= named}
        entries = take_back(store, pairs, who=who, door=DOOR, reason=reason)
        done = Done(len(entries), sequence_numbers=tuple(entry.sequence_number for entry in entries))
        return _as_they_stand(settings, store, done, pairs)


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
        cluster.records,
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
        done = replace(_done(store.record(said)), candidate_id=cluster.cluster_id)
        return _as_they_stand(settings, store, done, map(pair_of, pairs))


def undo_cluster(settings: Settings, cluster_id: str, *, who: str, reason: str) -> Done:
    """Take back one's own newest verdict on each pair of a cluster. Raises DecisionRefusedError, NoReportError."""
    day = last_published(settings)
    cluster = read_cluster(settings, day, cluster_id.strip().upper())
    pairs = [pair_of(one) for one in pairs_of(settings, day, cluster)]
    with open_decisions(settings) as store:
        entries = take_back(store, pairs, who=who, door=DOOR, reason=reason)
        numbers = tuple(entry.sequence_number for entry in entries)
        done = Done(len(entries), sequence_numbers=numbers, candidate_id=cluster.cluster_id)
        return _as_they_stand(settings, store, done, pairs)


def decide_tier(
    settings: Settings, tier: str, *, verdict: str, who: str, reason: str, cells: Mapping[str, str]
) -> Done:
    """Record one verdict on all open candidates of a tier that may be decided unseen. Raises DecisionRefusedError."""
    if any(cells.get(name) for name in ("survivor", "keep_reference", "enrolment", "field")):
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


def _is_cluster(case: str) -> bool:
    return case.strip().upper().startswith("K")


def _decide(
    settings: Settings,
    store: DecisionStore,
    cases: Sequence[Candidate],
    *,
    verdict: str,
    who: str,
    reason: str,
    cells: Mapping[str, str],
    apart: str = "",
) -> Done:
    """Record a verdict of one case of two records, or of each two of several records."""
    model_version = read_run(settings, last_published(settings)).model_version
    if len(cases) == 1:
        if apart:
            raise DecisionRefusedError(_APART)
        (one,) = cases
        said = [
            state(
                one, verdict=verdict, who=who, door=DOOR, reason=reason, model_version=model_version,
                choices=choices_written(cells, names_of(one)),
            )
        ]  # fmt: skip
        done = replace(_done(store.record(said)), candidate_id=one.candidate_id)
        return _as_it_stands(settings, store, done, pair_of(one))
    records = {side.client_ref: side for one in cases for side in (one.left, one.right)}
    names = {ref.casefold(): ref for ref in records}
    said = say_of_cluster(
        tuple(records.values()), cases, verdict=verdict, who=who, door=DOOR, reason=reason,
        model_version=model_version, choices=choices_written(cells, names),
        apart=names.get(apart.strip().casefold(), apart),
    )  # fmt: skip
    return _as_they_stand(settings, store, _done(store.record(said)), map(pair_of, cases))


def _done(recorded: Sequence[Recorded]) -> Done:
    new = tuple(one.entry.sequence_number for one in recorded if one.new)
    return Done(len(new), len(recorded) - len(new), sequence_numbers=new)


def _as_it_stands(settings: Settings, store: DecisionStore, done: Done, pair: Pair) -> Done:
    """With how the pair stands now; nothing while nobody's verdict is in force."""
    now = standings_today(settings, store, last_published(settings)).get(pair)
    return replace(done, standing=now.standing, standing_reason=now.reason) if now else done


def _as_they_stand(settings: Settings, store: DecisionStore, done: Done, pairs: Iterable[Pair]) -> Done:
    """With how several pairs stand now, each standing once; a conflict gives the reason."""
    now = standings_today(settings, store, last_published(settings))
    found = [now[pair] for pair in pairs if pair in now]
    reasons = [one.reason for one in sorted(found, key=lambda one: one.standing != "conflict")]
    return replace(
        done,
        standing=", ".join(sorted({one.standing for one in found})),
        standing_reason=reasons[0] if reasons else "",
    )
