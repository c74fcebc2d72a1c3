"""A verdict on a cluster as one case: what it says of each of its candidate pairs.

The log knows pairs only, so it is recorded as one statement for each pair, all or none, each bound to the evidence of
its own pair: it lapses, is undone and is contradicted pair by pair, like any other. What was chosen for all is split
the same way: a pair is told what concerns its own two records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date

from pipelines.decisions.entry import Entry, Pair
from pipelines.decisions.standing import in_force
from pipelines.decisions.statement import NO_CHOICES, Choices, DecisionRefusedError, Statement, person
from pipelines.decisions.store import DecisionStore
from pipelines.merge.record import Record
from pipelines.review.contents import Candidate, Cluster
from pipelines.review.decide import on_the_records, state
from pipelines.review.joined import refuse_to_unsay_what_is_merged
from pipelines.review.published import read_candidates
from pipelines.settings import Settings


def pairs_of(settings: Settings, day: date, cluster: Cluster) -> list[Candidate]:
    """The candidates among the records of a cluster of that night, most harmful first."""
    return read_candidates(settings, day, {bond.candidate_id for bond in cluster.bonds if bond.candidate_id})


def evidence_of(pairs: Iterable[Candidate]) -> str:
    """One hash of the evidence of all pairs of a cluster, and of which they are."""
    return hashlib.sha256(
        "".join(sorted(f"{one.candidate_id} {one.evidence_hash} " for one in pairs)).encode()
    ).hexdigest()


def say_of_cluster(
    records: Sequence[Record],
    pairs: Sequence[Candidate],
    *,
    verdict: str,
    who: str,
    door: str,
    reason: str,
    model_version: str,
    choices: Choices = NO_CHOICES,
    apart: str = "",
    seconds_spent: float | None = None,
) -> list[Statement]:
    """*Same* of every pair; or *different* of each pair with the record ``apart``, and nothing of the others.

    The time is shared among the pairs. The score counts as seen, since which pairs agree is told by it. Raises
    DecisionRefusedError.
    """
    refs = {record.client_ref for record in records}
    if verdict not in {"same", "different"}:
        raise DecisionRefusedError(
            "Of a cluster as one case only same or different can be said. Decide it pair by pair."
        )
    if (verdict == "different") != bool(apart):
        raise DecisionRefusedError("Name the one record that is another person with different, and only with it.")
    if apart and choices != NO_CHOICES:
        raise DecisionRefusedError("Survivor and the other choices go with the verdict same. Leave them out.")
    if not choices.refs() | ({apart} if apart else set()) <= refs:
        raise DecisionRefusedError("A record that is named is none of the cluster. Write it as shown.", code="D7")
    concerned = [pair for pair in pairs if not apart or apart in _refs(pair)]
    if not concerned:
        raise DecisionRefusedError(
            "None of the pairs is a candidate tonight, so there is nothing to decide.", code="D5"
        )
    choices = on_the_records(choices, records)
    return [
        state(
            pair,
            verdict=verdict,
            who=who,
            door=door,
            reason=reason,
            model_version=model_version,
            choices=_of_pair(choices, pair),
            seconds_spent=None if seconds_spent is None else round(seconds_spent / len(concerned), 1),
        )
        for pair in concerned
    ]


def take_back(store: DecisionStore, pairs: Iterable[Pair], *, who: str, door: str, reason: str = "") -> list[Entry]:
    """Take back one's own newest verdict on each of the pairs.

    Raises DecisionRefusedError when there is none, or two of the records are merged.
    """
    entries, pairs = store.entries(), sorted(pairs)
    refuse_to_unsay_what_is_merged(entries, pairs, who)
    said = in_force(entries)
    mine = [newest.candidate_id or "" for pair in pairs if (newest := said.get(pair, {}).get(person(who)))]
    if not mine:
        raise DecisionRefusedError(
            "This person has no verdict on any of the pairs that could be taken back.", code="D9"
        )
    return [store.undo(candidate_id, who, door, reason) for candidate_id in mine]


def _of_pair(choices: Choices, pair: Candidate) -> Choices:
    """What concerns one pair of the choices for all: those that name one of its two records, or a number of theirs."""
    refs = _refs(pair)
    numbers = {(r.issuer, r.number) for record in (pair.left, pair.right) for r in record.references}
    return choices.model_copy(
        update={
            "survivor": choices.survivor if choices.survivor in refs else None,
            "enrolments": {contract: ref for contract, ref in choices.enrolments.items() if ref in refs},
            "fields": {field: ref for field, ref in choices.fields.items() if ref in refs},
            "references": {issuer: n for issuer, n in choices.references.items() if (issuer, n) in numbers},
        }
    )


def _refs(pair: Candidate) -> set[str]:
    return {pair.left.client_ref, pair.right.client_ref}
