"""A report that may leave the building: every value in it masked; the agreement, the words and the weights stay."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from pipelines.decisions.evidence import Change
from pipelines.merge.masks import mask_shown
from pipelines.merge.outcomes import Outcome
from pipelines.merge.preview import Entry, Preview
from pipelines.merge.record import Record
from pipelines.merge.survivor import Recommendation
from pipelines.publishing.masking import HIDDEN, mask_file_name, mask_number, mask_reference, mask_value, mask_word
from pipelines.review.contents import Candidate, Cluster, Comparison, Confusion, Miss, Report, Run, Side
from pipelines.review.numbered import REFERENCE, said_apart, say_reference

__all__ = ["HIDDEN", "mask_candidate", "mask_cluster", "mask_reference", "mask_report", "mask_value"]

_WORD = re.compile(r"[^\s,;:()\"“”‘]+")


def mask_report(report: Report) -> Report:
    """The same report with every client's values and references masked, and the names of files."""
    return replace(
        report,
        run=_mask_run(report.run),
        candidates=tuple(mask_candidate(candidate) for candidate in report.candidates),
        misses=tuple(_mask_miss(miss) for miss in report.misses),
        confusions=tuple(_mask_confusion(confusion) for confusion in report.confusions),
        clusters=tuple(mask_cluster(cluster) for cluster in report.clusters),
    )


def mask_candidate(candidate: Candidate) -> Candidate:
    """The same candidate with the values of both records masked. What people wrote about it is hidden whole."""
    said = _said_by((candidate.left, candidate.right))
    said |= {word for c in candidate.comparisons for value in (c.left, c.right) for word in _words_of(value)}
    return replace(
        candidate,
        relation=_mask_words(candidate.relation, said),
        left=_mask_side(candidate.left),
        right=_mask_side(candidate.right),
        comparisons=tuple(_mask_comparison(comparison, said) for comparison in candidate.comparisons),
        recommended=_mask_recommendation(candidate.recommended),
        outcomes=tuple(map(_mask_outcome, candidate.outcomes)),
        missed=candidate.missed and _mask_miss(candidate.missed),
        facts="",
        standing_reason=_mask_words(candidate.standing_reason, said),
        decided=tuple(replace(one, reason=one.reason and HIDDEN) for one in candidate.decided),
        changed=tuple(map(_mask_change, candidate.changed)),
        triangles=tuple(
            replace(
                one,
                third_ref=mask_reference(one.third_ref),
                shared_ref=mask_reference(one.shared_ref),
                apart_ref=mask_reference(one.apart_ref),
            )
            for one in candidate.triangles
        ),
    )


def _mask_run(run: Run) -> Run:
    return replace(
        run,
        files=tuple(replace(file, file_name=mask_file_name(file.file_name)) for file in run.files),
        rejects=tuple(replace(reject, file_name=mask_file_name(reject.file_name)) for reject in run.rejects),
        gates=tuple(
            replace(gate, subject=mask_file_name(gate.subject)) if gate.suite.startswith("raw.") else gate
            for gate in run.gates
        ),
    )


def mask_cluster(cluster: Cluster) -> Cluster:
    """The same cluster with the values of all its records masked."""
    said = _said_by(cluster.records)
    return replace(
        cluster,
        records=tuple(map(_mask_side, cluster.records)),
        bonds=tuple(
            replace(
                bond,
                left_ref=mask_reference(bond.left_ref),
                right_ref=mask_reference(bond.right_ref),
                words=_mask_words(bond.words, said),
            )
            for bond in cluster.bonds
        ),
        recommended=_mask_recommendation(cluster.recommended),
        outcomes=tuple(map(_mask_outcome, cluster.outcomes)),
    )


def _mask_recommendation(recommended: Recommendation) -> Recommendation:
    return Recommendation(
        mask_reference(recommended.survivor_ref),
        tuple(replace(reason, speaks_for=mask_reference(reason.speaks_for)) for reason in recommended.reasons),
    )


def _mask_outcome(outcome: Outcome) -> Outcome:
    return Outcome(
        mask_reference(outcome.survivor_ref),
        tuple(
            replace(
                blocker,
                concerns=tuple(map(mask_reference, blocker.concerns)),
                shows=tuple(mask_shown(blocker.kind, shown) for shown in blocker.shows),
            )
            for blocker in outcome.blockers
        ),
        Preview(
            mask_reference(outcome.preview.survivor_ref),
            tuple(replace(line, entries=tuple(map(_mask_entry, line.entries))) for line in outcome.preview.lines),
        ),
    )


def _mask_entry(entry: Entry) -> Entry:
    numbered = entry.field in {"Purchase order", "Reference"}
    value = mask_reference(entry.value) if numbered else mask_value(entry.field, entry.value)
    return replace(entry, value=value, origin_ref=mask_reference(entry.origin_ref))


def _mask_change(change: Change) -> Change:
    return replace(
        change,
        client_ref=mask_reference(change.client_ref),
        before=mask_value(change.field, change.before),
        now=mask_value(change.field, change.now),
    )


def _mask_miss(miss: Miss) -> Miss:
    return replace(
        miss,
        sent_ref=mask_reference(miss.sent_ref),
        held_ref=mask_reference(miss.held_ref),
        sent_reference=miss.sent_reference and mask_number(miss.sent_reference),
        held_reference=miss.held_reference and mask_number(miss.held_reference),
        correction=_mask_words(miss.correction, _words_of(f"{miss.sent_reference} {miss.held_reference}")),
    )


def _mask_confusion(confusion: Confusion) -> Confusion:
    return replace(
        confusion,
        number=mask_number(confusion.number),
        left_ref=mask_reference(confusion.left_ref),
        right_ref=mask_reference(confusion.right_ref),
    )


def _mask_comparison(comparison: Comparison, said: set[str]) -> Comparison:
    mask = _mask_numbered if comparison.field == REFERENCE else partial(mask_value, comparison.field)
    return replace(
        comparison,
        left=mask(comparison.left),
        right=mask(comparison.right),
        words=_mask_words(comparison.words, said),
    )


def _mask_numbered(said: str) -> str:
    """A reference masked; that none was sent stays, and its council, as the issuer of every other reference does."""
    reference, council = said_apart(said)
    issuer = mask_reference(f"{council}/{HIDDEN}").removesuffix(f"/{HIDDEN}")
    return say_reference(mask_value(REFERENCE, reference), council and issuer)


def _mask_side(side: Side) -> Side:
    return replace(
        side,
        client_ref=mask_reference(side.client_ref),
        profile=tuple(
            replace(
                said, value=mask_value(said.field, said.value), from_ref=said.from_ref and mask_reference(said.from_ref)
            )
            for said in side.profile
        ),
        orders=tuple(replace(order, number=mask_number(order.number)) for order in side.orders),
        contacts=tuple(replace(one, value=mask_value(one.kind, one.value), key="") for one in side.contacts),
        aliases=tuple(replace(alias, name=mask_value(alias.kind, alias.name), key="") for alias in side.aliases),
        references=tuple(replace(one, number=mask_number(one.number)) for one in side.references),
        came_from=tuple(
            replace(row, record_id=mask_number(row.record_id), file_name=mask_file_name(row.file_name))
            for row in side.came_from
        ),
    )


def _said_by(records: Iterable[Record]) -> set[str]:
    """The words by which the records could be known, wherever a sentence repeats them."""
    values: list[str] = []
    for record in records:
        values += [record.client_ref, *(detail.value for detail in record.profile)]
        values += [contact.value for contact in record.contacts] + [alias.name for alias in record.aliases]
        values += [reference.number for reference in record.references]
    return {word for value in values for word in _words_of(value)}


def _words_of(value: str) -> set[str]:
    """The words of a value that would give it away in a sentence: those with a capital or a digit."""
    return {word for word in _WORD.findall(value) if len(word) > 1 and any(c.isupper() or c.isdigit() for c in word)}


def _mask_words(words: str, said: set[str]) -> str:
    """An explanation such as "Peggy is short for Margaret", where it repeats what the records say."""
    return _WORD.sub(lambda word: mask_word(word[0]) if word[0].strip(".!?’") in said else word[0], words)
