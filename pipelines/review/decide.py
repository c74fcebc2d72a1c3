"""What every door to the decisions shares: the last report's candidates as they stand now, and deciding on them.

The doors read published reports and the decision store, never the warehouse, so that people can decide while a night
runs. What has changed since the report is found by the next night: the decision lapses then.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pipelines.decisions.entry import Entry, Pair
from pipelines.decisions.evidence import changes
from pipelines.decisions.standing import Recall, Standing, standings
from pipelines.decisions.statement import (
    NO_CHOICES,
    PROFILE_FIELDS,
    Choices,
    DecisionRefusedError,
    Statement,
    choices_from,
)
from pipelines.decisions.store import DecisionStore, line_of
from pipelines.merge.profile import value_of
from pipelines.merge.record import Record
from pipelines.review.contents import Candidate, Decided, Report
from pipelines.review.published import NoReportError, evidence_hashes, facts_behind, last_night, read_report
from pipelines.settings import TIERS, Settings

UNKNOWN = "UNKNOWN"
"""What people write for the council of a reference whose council is not known."""
BULK_SAME_TIER = "near-certain"
_YES_OR_NO = {"": False, "no": False, "n": False, "false": False, "yes": True, "y": True, "true": True}


@dataclass(frozen=True)
class Queue:
    """The candidates of the last published night with what was decided since, and the log that says so.

    What waits for people comes first, most harmful first; what is settled comes last.
    """

    day: date
    model_version: str
    candidates: tuple[Candidate, ...]
    entries: tuple[Entry, ...]
    recall: Recall = lambda hashes: {}


@dataclass(frozen=True)
class Bulk:
    """What to record for a whole tier, and how many of its candidates are left out, by why."""

    statements: tuple[Statement, ...]
    skipped: dict[str, int] = field(default_factory=dict)


def open_queue(settings: Settings, store: DecisionStore) -> Queue:
    """The queue as it is now. Raises NoReportError when no night has published a report yet."""
    day = last_published(settings)
    report = read_report(settings, day)
    entries = store.entries()
    candidates = standing_now(report, entries, store, settings.timezone)
    return Queue(day, report.run.model_version, candidates, tuple(entries), recall_from(report, store))


def last_published(settings: Settings) -> date:
    """The night whose candidates are decided on. Raises NoReportError when none has published a report yet."""
    day = last_night(settings)
    if day is None:
        raise NoReportError("No night has published a report yet. Run: oneclient nightly", code="R1")
    return day


def standings_today(settings: Settings, store: DecisionStore, day: date) -> dict[Pair, Standing]:
    """Where every decided pair stands now, on the evidence that the night of ``day`` published: quick for one case."""
    return standings_of(settings, store, store.entries(), day)


def standings_of(settings: Settings, store: DecisionStore, entries: Sequence[Entry], day: date) -> dict[Pair, Standing]:
    """As ``standings_today``, of a log that is read already."""

    def recall(hashes: Collection[str]) -> dict[str, str]:
        return facts_behind(settings, day, hashes) | store.facts(hashes)

    return standings(entries, _last_seen(entries) | evidence_hashes(settings, day), recall)


def standing_now(
    report: Report, entries: Sequence[Entry], store: DecisionStore, timezone: str
) -> tuple[Candidate, ...]:
    """The candidates of a report with today's standing in place of that of its night."""
    found = standings(entries, _evidence(report.candidates, entries), recall_from(report, store))
    lapsed = {pair: standing.lapsed[-1].evidence_hash or "" for pair, standing in found.items() if standing.lapsed}
    before = store.facts(lapsed.values())
    now = [
        _as_it_stands(
            candidate, found.get(pair_of(candidate)), before.get(lapsed.get(pair_of(candidate), "")), timezone
        )
        for candidate in report.candidates
    ]
    return tuple(sorted(now, key=lambda candidate: candidate.settled))


def recall_from(report: Report, store: DecisionStore) -> Recall:
    """The facts that a report shows, and those that were ever decided on."""
    texts = {candidate.evidence_hash: candidate.facts for candidate in report.candidates}
    return lambda hashes: texts | store.facts(hashes)


def as_it_stands_today(settings: Settings, store: DecisionStore, day: date, candidate: Candidate) -> Candidate:
    """One candidate of the night of ``day`` with today's standing in place of that of its night: quick for one case."""
    standing = standings_today(settings, store, day).get(pair_of(candidate))
    lapsed = standing.lapsed[-1].evidence_hash or "" if standing and standing.lapsed else ""
    return _as_it_stands(candidate, standing, store.facts([lapsed]).get(lapsed) if lapsed else None, settings.timezone)


def pair_of(candidate: Candidate) -> Pair:
    """The two client refs in alphabetical order, as the decision log knows the pair."""
    left, right = candidate.left.client_ref, candidate.right.client_ref
    return min(left, right), max(left, right)


def state(
    candidate: Candidate,
    *,
    verdict: str,
    who: str,
    door: str,
    reason: str,
    model_version: str,
    choices: Choices | None = None,
    score_was_hidden: bool = False,
    seconds_spent: float | None = None,
) -> Statement:
    """A statement on a candidate, bound to what its report shows.

    Raises DecisionRefusedError for choices about a reference or a contract that is on neither record.
    """
    choices = on_the_records(choices or Choices(), (candidate.left, candidate.right))
    return Statement(
        candidate_id=candidate.candidate_id,
        left_ref=candidate.left.client_ref,
        right_ref=candidate.right.client_ref,
        verdict=verdict,
        who=who,
        door=door,
        reason=reason,
        evidence_hash=candidate.evidence_hash,
        facts=candidate.facts,
        match_probability=candidate.match_probability,
        match_weight=candidate.weight,
        tier=candidate.tier,
        model_version=model_version,
        choices=choices,
        score_was_hidden=score_was_hidden,
        seconds_spent=seconds_spent,
    )


def on_the_records(choices: Choices, records: Sequence[Record]) -> Choices:
    """The same choices with issuers as the records write them.

    Raises DecisionRefusedError for a reference or a contract that is on none of them.
    """
    there = {(r.issuer.upper() or UNKNOWN, r.number): r.issuer for record in records for r in record.references}
    contracts = {enrolment.contract for record in records for enrolment in record.enrolments}
    kept = {(issuer.strip().upper() or UNKNOWN, number.strip()) for issuer, number in choices.references.items()}
    none = "neither record" if len(records) == 2 else "none of the records"
    if not kept <= there.keys():
        raise DecisionRefusedError(
            f"A reference to keep stands on {none}. Write issuer and number as shown.", code="D7"
        )
    if not choices.enrolments.keys() <= contracts:
        raise DecisionRefusedError(
            f"{none.capitalize()} is enrolled on a contract that is named. Write it as shown.", code="D7"
        )
    said = {record.client_ref: record for record in records}
    if any(ref not in said or not value_of(said[ref], PROFILE_FIELDS[name]) for name, ref in choices.fields.items()):
        raise DecisionRefusedError("A value to keep is on none of the records. Name the record that has it.", code="D7")
    return choices.model_copy(update={"references": {there[one]: one[1] for one in sorted(kept)}})


def names_of(candidate: Candidate) -> dict[str, str]:
    """What people call the records of a candidate: left, right, or by the client ref in any case."""
    left, right = candidate.left.client_ref, candidate.right.client_ref
    return {right.casefold(): right, left.casefold(): left, "left": left, "right": right}


def choices_written(cells: Mapping[str, str], names: Mapping[str, str]) -> Choices:
    """Choices as people write them: a record by one of its ``names``; yes or no; ``NAME=VALUE``, with ; between two.

    The keys are those of ``ANSWERS``. Whether a record is one of the case is found when the choices are stated.
    Raises DecisionRefusedError for what cannot be read.
    """
    cells = {name: cell.strip() for name, cell in cells.items()}
    moves = cells.get("move_active_orders", "").casefold()
    if moves not in _YES_OR_NO:
        raise DecisionRefusedError("Move active orders has to be yes or no.")
    enrolments = _equations(cells.get("enrolment", ""), "Enrolments")
    fields = _equations(cells.get("field", ""), "Values")
    written: dict[str, Any] = {
        "fields": {name.lower(): names.get(ref.casefold(), ref) for name, ref in fields},
        "enrolments": {contract: names.get(ref.casefold(), ref) for contract, ref in enrolments},
        "references": dict(_equations(cells.get("keep_reference", ""), "References")),
        "move_active_orders": _YES_OR_NO[moves],
    }
    if survivor := cells.get("survivor"):
        written["survivor"] = names.get(survivor.casefold(), survivor)
    if aliases := cells.get("aliases", "").casefold():
        written["aliases"] = aliases
    return choices_from(written)


def bulk(
    queue: Queue, tier: str, *, verdict: str, who: str, door: str, reason: str, choices: Choices = NO_CHOICES
) -> Bulk:
    """One verdict for all open candidates of a tier that may be decided unseen.

    Raises DecisionRefusedError for *same* of any tier but the near-certain one, and for a choice that names a record.
    """
    if tier not in TIERS:
        raise DecisionRefusedError(f"The tier has to be one of {', '.join(TIERS)}.")
    if verdict == "same" and tier != BULK_SAME_TIER:
        raise DecisionRefusedError(
            f"Only {BULK_SAME_TIER} candidates may be the same in bulk. Decide these one by one.", code="D8"
        )
    if choices.refs() or choices.references:
        raise DecisionRefusedError(
            "Survivor, enrolments and references differ from one to the next: not in bulk.", code="D8"
        )
    skipped: Counter[str] = Counter()
    said: list[Statement] = []
    for candidate in queue.candidates:
        if candidate.tier != tier:
            continue
        if why := _needs_a_look(candidate, verdict, choices):
            skipped[why] += 1
        else:
            said.append(
                state(
                    candidate,
                    verdict=verdict,
                    who=who,
                    door=door,
                    reason=reason,
                    model_version=queue.model_version,
                    choices=choices,
                )
            )
    contradicted = _would_contradict(queue, said) if verdict == "same" else set()
    skipped["would join two records that are held to be different"] = len(contradicted)
    said = [statement for statement in said if statement.candidate_id not in contradicted]
    return Bulk(tuple(said), {why: count for why, count in sorted(skipped.items()) if count})


def _equations(cell: str, column: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"[;\n]", cell):
        name, equals, value = part.partition("=")
        if part.strip():
            if not equals or not name.strip() or not value.strip():
                raise DecisionRefusedError(f"{column} to keep have to be written as NAME=VALUE, with ; between two.")
            yield name.strip(), value.strip()


def _needs_a_look(candidate: Candidate, verdict: str, choices: Choices) -> str:
    """Why a candidate may not be decided in bulk; empty if it may."""
    if candidate.settled:
        return f"already decided: {candidate.standing}"
    if candidate.standing:
        return {"conflict": "in conflict", "lapsed": "changed since it was decided", "unsure": "somebody was unsure"}[
            candidate.standing
        ]
    if verdict == "same" and candidate.relation:
        return "a household relation"
    recommended = candidate.outcomes[0].blockers if candidate.outcomes else ()
    blocking = (b for b in recommended if not (b.lifted_by and getattr(choices, b.lifted_by)))
    if verdict == "same" and (blocker := next(blocking, None)):
        return f"blocked: {blocker.kind}"
    return ""


def _would_contradict(queue: Queue, said: Sequence[Statement]) -> set[str]:
    """The candidates among the statements that would be in conflict, were all of them recorded."""
    last = queue.entries[-1].sequence_number if queue.entries else 0
    imagined = [line_of(statement, number) for number, statement in enumerate(said, start=last + 1)]
    entries = [*queue.entries, *imagined]
    found = standings(entries, _evidence(queue.candidates, entries), queue.recall)
    return {standing.candidate_id for standing in found.values() if standing.standing == "conflict"}


def _evidence(candidates: Iterable[Candidate], entries: Iterable[Entry]) -> dict[Pair, str]:
    return _last_seen(entries) | {pair_of(candidate): candidate.evidence_hash for candidate in candidates}


def _last_seen(entries: Iterable[Entry]) -> dict[Pair, str]:
    """The evidence on which each pair was last decided: what a pair that is no candidate now is taken to have still."""
    return {entry.pair: entry.evidence_hash or "" for entry in entries if entry.kind == "verdict"}


def _as_it_stands(candidate: Candidate, standing: Standing | None, before: str | None, timezone: str) -> Candidate:
    if standing is None:
        return replace(candidate, standing="", standing_reason="", decided=(), changed=())
    has_lapsed = {entry.sequence_number for entry in standing.lapsed}
    decided = tuple(
        Decided(
            entry.sequence_number,
            entry.who,
            entry.recorded_in(timezone).date(),
            entry.verdict or "",
            entry.reason or "",
            entry.sequence_number in has_lapsed,
        )
        for entry in standing.entries
    )
    changed = changes(before, candidate.facts) if before and standing.standing == "lapsed" else ()
    return replace(
        candidate, standing=standing.standing, standing_reason=standing.reason, decided=decided, changed=changed
    )
