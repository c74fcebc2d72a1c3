"""What contradicts a standing merge: every blocker of the plan, asked again over its members' own facts.

What the decisions chose is no contradiction, and neither is what was known when the merge was signed off. It is settled
by an undo, by a correction at its source, or by a reviewer who says *same* again after the file with the news was
loaded (``oneclient merge confirm``). Then it is not reported until a row of the records concerned changes again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipelines.decisions.crosswalk import Signed, crosswalk
from pipelines.decisions.entry import Entry, Pair
from pipelines.decisions.standing import in_force
from pipelines.decisions.statement import Choices
from pipelines.merge.blockers import RULES, Found, Rule, blockers
from pipelines.merge.case import Case
from pipelines.merge.finding import Finding
from pipelines.merge.plan import sides
from pipelines.merge.record import Enrolment, Record
from pipelines.stage.standardise import know_nicknames
from pipelines.warehouse import Warehouse

_OR_UNDO = "if they are two people: oneclient merge undo; if they are one: oneclient merge confirm"
_REVIEWER = ("reviewer", _OR_UNDO)
_SETTLE: Mapping[str, tuple[str, str]] = {
    "BOTH_HAVE_ACTIVE_ORDERS": ("council", f"ask the council whether both orders are meant; {_OR_UNDO}"),
    "TWO_LIVE_REFERENCES": ("council", f"have the sender end one of the references; {_OR_UNDO}"),
    "SAME_CONTRACT_TWICE": ("rostering team", f"end one of the two enrolments in the rostering system; {_OR_UNDO}"),
    "NHS_NUMBERS_DIFFER": ("reviewer", f"look both numbers up; have the wrong one corrected at its source; {_OR_UNDO}"),
    "RESTRICTED": ("reviewer", f"ask the office that restricted the record who may see the whole; {_OR_UNDO}"),
    "DECEASED_AND_ALIVE": ("rostering team", f"find out which is true, and correct the wrong record; {_OR_UNDO}"),
    "SURVIVOR_ENDED": (
        "rostering team", f"open the record that stays again, or end the other one in the rostering system; {_OR_UNDO}"
    ),
    "SOMEBODY_ELSE": ("reviewer", f"look at both records; {_OR_UNDO}"),
    "ID_OF_ANOTHER_PERSON": (
        "rostering team", f"have the sender give the newcomer an id of their own; {_OR_UNDO}"
    ),
}  # fmt: skip
_SHOWN_ONLY = frozenset({"ALIASES_UNDECIDED"})
"""A name that came in since says nothing against a merge; the reviewer has only not chosen yet what becomes of it."""
_BY_THE_WATCH = "ACTIVE_ORDER_WOULD_MOVE"
"""Which orders came in since for a merged-away record the watch reports itself."""


@dataclass(frozen=True)
class Fact:
    """What ``sql/5_merged/member_facts.sql`` says of one record."""

    on_the_books: bool | None = None
    ended_on: date | None = None
    known_since: float = 0.0


@dataclass(frozen=True)
class OtherPerson:
    """A row of ``sql/5_merged/other_people.sql``."""

    merge_id: str
    client_ref: str
    other_ref: str
    by_id: bool
    held_from: date | None
    known_since: float


class Confirmations:
    """Which records of each live merge a reviewer has said *same* of since it was signed off, and when last."""

    def __init__(self, live: Mapping[str, Signed], entries: Iterable[Entry]) -> None:
        said = in_force(entries)
        self.decided: frozenset[Pair] = frozenset(said)
        self._newest: dict[str, dict[str, float]] = {merge_id: {} for merge_id in live}
        merges_of: dict[str, list[Signed]] = {}
        for signed in live.values():
            for ref in signed.merge.origins:
                merges_of.setdefault(ref, []).append(signed)
        for (one, other), by in said.items():
            for signed in merges_of.get(one, ()):
                if other in signed.merge.origins:
                    self._add(signed, (one, other), by.values())

    def settle(self, merge_id: str, refs: Iterable[str], known_since: float) -> bool:
        """Whether all these records were confirmed after that moment (seconds)."""
        newest = self._newest[merge_id]
        return all(newest.get(ref, -1.0) > known_since for ref in refs)

    def _add(self, signed: Signed, pair: Pair, said: Iterable[Entry]) -> None:
        confirmed = (e for e in said if e.verdict == "same" and e.sequence_number > signed.entry.sequence_number)
        at = max((entry.recorded.timestamp() for entry in confirmed), default=None)
        if at is None:
            return
        newest = self._newest[signed.merge.merge_id]
        for member in signed.merge.members:
            if not set(pair).isdisjoint(member.origins):
                newest |= {ref: max(at, newest.get(ref, at)) for ref in member.origins}


def contradictions(
    warehouse: Warehouse, live: Mapping[str, Signed], confirmed: Confirmations, day: date
) -> list[Finding]:
    """What contradicts each live merge and is not settled, oldest merge first.

    Temporary tables: those of ``sides``.
    """
    counts_for = crosswalk(signed.merge for signed in live.values())
    every = {ref for signed in live.values() for ref in signed.merge.origins}
    records = sides(warehouse, day, ((ref, ref) for ref in sorted(every)))
    facts = {ref: Fact(*said) for ref, *said in warehouse.work_rows("merged.member_facts", {"day": day})}
    know_nicknames(warehouse)
    others: dict[str, list[OtherPerson]] = {}
    for row in warehouse.work_rows("merged.other_people"):
        others.setdefault(row[0], []).append(OtherPerson(*row))
    seen: set[tuple[str, tuple[str, ...]]] = set()
    found = []
    for merge_id, signed in live.items():
        group = counts_for.get(signed.merge.pairs[0][0], signed.merge.pairs[0][0])
        there = [ref for ref in sorted(signed.merge.origins) if counts_for.get(ref, ref) == group and ref in records]
        asked = _Asked(signed, group, tuple(records[ref] for ref in there), facts, confirmed)
        for kind, finding, known_since in asked.all(others.get(merge_id, ())):
            if (kind, finding.client_refs) in seen:
                continue
            seen.add((kind, finding.client_refs))
            if not confirmed.settle(merge_id, set(finding.client_refs) & set(there), known_since):
                found.append(finding)
    return found


@dataclass(frozen=True)
class _Asked:
    """One merge as it is asked: the record that stays, and each record that counts for it, with its own facts."""

    signed: Signed
    survivor: str
    records: tuple[Record, ...]
    facts: Mapping[str, Fact]
    confirmed: Confirmations

    def all(self, others: Iterable[OtherPerson]) -> Iterator[tuple[str, Finding, float]]:
        """Kind, finding, and since when it is known."""
        if len(self.records) > 1:
            case = Case(_counted(self.records), self._choices())
            stays = self.survivor if self.survivor in self._refs else self.signed.merge.survivor
            if stays in self._refs:
                for one in blockers(case, stays, self._rules()):
                    yield self._finding(one.kind, one.what, one.why, one.concerns)
        for other in others:
            if found := self._other(other):
                yield found

    @property
    def _refs(self) -> frozenset[str]:
        return frozenset(record.client_ref for record in self.records)

    def _choices(self) -> Choices:
        """The choices, but for those of enrolments and of references of a known council: what they set aside is not on
        the records any more, so what is left came in since."""
        choices = self.signed.merge.choices
        references = {issuer: number for issuer, number in choices.references.items() if not issuer}
        return choices.model_copy(update={"references": references, "enrolments": {}})

    def _rules(self) -> Sequence[Rule]:
        ended = Rule(
            "SURVIVOR_ENDED", self._survivor_ended,
            "care goes on under the record that was merged away, while the one that stays is closed",
            _SETTLE["SURVIVOR_ENDED"][1], "office",
        )  # fmt: skip
        return (*(rule for rule in RULES if rule.kind != _BY_THE_WATCH), ended)

    def _survivor_ended(self, case: Case, survivor: Record) -> Found | None:
        """The rostering system has closed the record that stays since the sign-off, and another one goes on."""
        fact = self.facts.get(survivor.client_ref, Fact())
        as_of = self.signed.entry.signed_plan.as_of
        if survivor.client_ref != self.survivor or fact.on_the_books is not False:
            return None
        if not (self._is_news(fact.known_since) or (fact.ended_on and fact.ended_on > as_of)):
            return None
        go_on = tuple(
            record
            for record in case.others(survivor)
            if self.facts.get(record.client_ref, Fact()).on_the_books or record.upcoming_visits or record.active_orders
        )
        return Found("the record that stays has ended, while another goes on", (survivor, *go_on)) if go_on else None

    def _other(self, other: OtherPerson) -> tuple[str, Finding, float] | None:
        refs = (other.client_ref, other.other_ref)
        if other.by_id:
            as_of = self.signed.entry.signed_plan.as_of
            is_news = self._is_news(other.known_since) or bool(other.held_from and other.held_from > as_of)
            if not is_news or other.client_ref not in self._refs or (min(refs), max(refs)) in self.confirmed.decided:
                return None
            kind, what = "ID_OF_ANOTHER_PERSON", "the id of a record now belongs to another person"
            why = "new rows of this id are another person's, and the records of the first may be mixed up with them"
        else:
            if not set(refs) <= self._refs or not any(self._is_news(self._known_since([ref])) for ref in refs):
                return None
            kind, what = "SOMEBODY_ELSE", "two of the records are plainly another person now"
            why = "names, birth date or numbers changed since the merge was signed off"
        _, finding, known_since = self._finding(kind, what, why, refs)
        return kind, finding, max(known_since, other.known_since)

    def _finding(self, kind: str, what: str, why: str, refs: Sequence[str]) -> tuple[str, Finding, float]:
        owner, fix = _SETTLE.get(kind, _REVIEWER)
        finding = Finding(
            self.signed.merge.merge_id, refs[0], what, len(refs), fix, contradicts=kind not in _SHOWN_ONLY, why=why,
            owner=owner, client_refs=tuple(sorted(refs)),
        )  # fmt: skip
        return kind, finding, self._known_since(refs)

    def _known_since(self, refs: Iterable[str]) -> float:
        return max((self.facts[ref].known_since for ref in refs if ref in self.facts), default=0.0)

    def _is_news(self, known_since: float) -> bool:
        return known_since > self.signed.entry.recorded.timestamp()


def _counted(records: Sequence[Record]) -> tuple[Record, ...]:
    """The records without enrolments that came after one another: these are not counted twice."""

    def clashes(record: Record, enrolment: Enrolment) -> bool:
        return any(
            other.contract == enrolment.contract and _overlap(other, enrolment)
            for one in records
            if one is not record
            for other in one.enrolments
        )

    return tuple(
        replace(record, enrolments=tuple(one for one in record.enrolments if clashes(record, one)))
        for record in records
    )


def _overlap(one: Enrolment, other: Enrolment) -> bool:
    begins = max(one.start_on or date.min, other.start_on or date.min)
    return begins <= min(one.end_on or date.max, other.end_on or date.max)
