"""What people decided, read for merging: which live records belong together, what was chosen for them, and what the
decisions themselves put in the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pipelines.decisions.entry import Entry, Pair
from pipelines.decisions.groups import Groups
from pipelines.decisions.signoff import Merge
from pipelines.decisions.snapshot import Snapshot
from pipelines.decisions.standing import Standing, in_force
from pipelines.decisions.statement import Choices, ProfileField, same_person
from pipelines.merge.blockers import Found, Owner, Rule
from pipelines.merge.case import Case
from pipelines.merge.record import Record

T = TypeVar("T")


@dataclass(frozen=True)
class Decided:
    """Live records that people said are one person: each with all that counts for it (``origins``, itself first), and
    every standing between two of them, by which they were joined (``same``) or stand otherwise (``against``)."""

    origins: Mapping[str, tuple[str, ...]]
    same: tuple[Standing, ...]
    against: tuple[Standing, ...] = ()

    @property
    def decided_by(self) -> tuple[str, ...]:
        """Who said that they are one person, each once."""
        return tuple(sorted({e.who for standing in self.same for e in standing.current if e.verdict == "same"}))

    @property
    def verdicts(self) -> tuple[int, ...]:
        """The numbers of the entries that say so."""
        said = (e for standing in self.same for e in standing.current if e.verdict == "same")
        return tuple(sorted(entry.sequence_number for entry in said))

    def member(self, ref: str) -> str:
        """The live record that a record counts for."""
        return next(live for live, refs in self.origins.items() if ref in refs)


def decided_groups(snapshot: Snapshot, survivor: Mapping[str, str]) -> list[Decided]:
    """The groups of live records that pairs standing as *same* join, and that no merge has joined yet.

    ``survivor`` is the crosswalk: for each merged-away record the one that it counts for.
    """

    def now(pair: Pair) -> Pair:
        return survivor.get(pair[0], pair[0]), survivor.get(pair[1], pair[1])

    apart = {pair: standing for pair, standing in snapshot.standings.items() if now(pair)[0] != now(pair)[1]}
    groups = Groups(now(pair) for pair, standing in apart.items() if standing.standing == "same")
    counts_for: dict[str, list[str]] = defaultdict(list)
    for ref, live in sorted(survivor.items()):
        counts_for[live].append(ref)
    same: dict[str, list[Standing]] = defaultdict(list)
    against: dict[str, list[Standing]] = defaultdict(list)
    for pair, standing in sorted(apart.items()):
        one, other = (groups.of(ref) for ref in now(pair))
        if one == other:
            (same if standing.standing == "same" else against)[one].append(standing)
    return [
        Decided({ref: (ref, *counts_for[ref]) for ref in members}, tuple(same[group]), tuple(against[group]))
        for group, members in groups.all().items()
    ]


def held_back(snapshot: Snapshot, survivor: Mapping[str, str]) -> list[Standing]:
    """Pairs that somebody said are one person, and that cannot be merged as they stand: in conflict, or lapsed."""
    return [
        standing
        for (one, other), standing in sorted(snapshot.standings.items())
        if standing.standing in {"conflict", "lapsed"}
        and any(entry.verdict == "same" for entry in standing.entries)
        and survivor.get(one, one) != survivor.get(other, other)
    ]


def contested(entries: Iterable[Entry], merges: Iterable[Merge]) -> dict[str, str]:
    """The merges that people see otherwise now than when they were signed off, with the reason why.

    A decision that only lapsed does not count: the survivor may well move house.
    """
    apart: dict[str, set[str]] = defaultdict(set)
    same: set[Pair] = set()
    for (one, other), by in in_force(entries).items():
        said = {entry.verdict for entry in by.values()}
        if "different" in said:
            apart[one].add(other)
        if "same" in said:
            same.add((one, other))
    why: dict[str, str] = {}
    for merge in merges:
        member = {ref: one.client_ref for one in merge.members for ref in one.origins}
        if any(member.get(other, member[ref]) != member[ref] for ref in member for other in apart[ref]):
            why[merge.merge_id] = "somebody holds two of the records to be different people now"
        elif not same.issuperset(merge.pairs):
            why[merge.merge_id] = "a decision that they are one person was taken back"
    return why


def joint_choices(decided: Decided, records: Iterable[Record]) -> tuple[Choices, tuple[str, ...]]:
    """The choices of all pairs as one, in terms of members, and the names of those that contradict each other.

    The survivor is the one that some pair names and that no pair merges away. Orders move if each record that has
    orders stands in a pair whose decision moves them.
    """
    member = {ref: live for live, refs in decided.origins.items() for ref in refs}
    stay: set[str] = set()
    go: set[str] = set()
    enrolments: dict[str, set[str]] = defaultdict(set)
    references: dict[str, set[str]] = defaultdict(set)
    fields: dict[ProfileField, set[str]] = defaultdict(set)
    aliases = {said for standing in decided.same if (said := standing.choices.aliases)}
    orders_agreed: set[str] = set()
    for standing in decided.same:
        chosen, sides = standing.choices, {member[ref] for ref in standing.pair}
        if chosen.survivor:
            stay.add(member[chosen.survivor])
            go |= sides - {member[chosen.survivor]}
        if chosen.move_active_orders:
            orders_agreed |= sides
        for contract, ref in chosen.enrolments.items():
            enrolments[contract].add(member[ref])
        for name, ref in chosen.fields.items():
            fields[name].add(member[ref])
        for issuer, number in chosen.references.items():
            references[issuer].add(number)
    contradict = {
        "the survivor": bool(stay) and len(stay - go) != 1,
        "the enrolments": any(len(sides) > 1 for sides in enrolments.values()),
        "the references": any(len(numbers) > 1 for numbers in references.values()),
        "the other names": len(aliases) > 1,
        "the values of a field": any(len(refs) > 1 for refs in fields.values()),
    }
    choices = Choices(
        survivor=_only(stay - go),
        enrolments={contract: only for contract, sides in sorted(enrolments.items()) if (only := _only(sides))},
        references={issuer: only for issuer, numbers in sorted(references.items()) if (only := _only(numbers))},
        aliases=_only(aliases),
        fields={name: only for name, refs in sorted(fields.items()) if (only := _only(refs))},
        move_active_orders=bool(orders_agreed)
        and all(record.client_ref in orders_agreed for record in records if record.orders),
    )
    return choices, tuple(name for name, does in contradict.items() if does)


def decision_rules(
    decided: Decided,
    contradicting: tuple[str, ...],
    in_flight: frozenset[str] = frozenset(),
    partial: frozenset[str] = frozenset(),
    executor: str = "",
) -> tuple[Rule, ...]:
    """What the decisions put in the way, to be asked beside ``RULES``.

    ``in_flight`` are records that an unfinished run touches, ``partial`` those of merges that have left visits behind;
    ``executor`` is who would sign off, if that is known.
    """

    def between(what: str, speaks: Callable[[Standing], bool]) -> Callable[[Case, Record], Found | None]:
        refs = {decided.member(ref) for standing in decided.against if speaks(standing) for ref in standing.pair}
        return lambda case, _: Found(what, _records(case, refs)) if refs else None

    def concerning(what: str, refs: Iterable[str]) -> Callable[[Case, Record], Found | None]:
        concerned = set(refs)
        return lambda case, _: Found(what, _records(case, concerned)) if concerned else None

    def rule(kind: str, find: Callable[[Case, Record], Found | None], why: str, fix: str, owner: Owner) -> Rule:
        return Rule(kind, find, why, fix, owner)

    own = executor and any(same_person(executor, who) for who in decided.decided_by)
    everyone = decided.origins.keys()

    def touched(by: frozenset[str]) -> set[str]:
        return {live for live, refs in decided.origins.items() if not by.isdisjoint(refs)}

    return (
        rule(
            "DIFFERENT_BETWEEN_MEMBERS",
            between("somebody holds two of the records to be different people", _says_different),
            "a merge would join what a person said is apart",
            "settle it with whoever said so: one of the two decisions has to be taken back", "analyst",
        ),
        rule(
            "DECISION_PENDING",
            between("somebody was unsure about two of the records", lambda s: s.standing == "unsure"),
            "a person looked and could not tell", "have it looked at again, and decide", "analyst",
        ),
        rule(
            "DECISION_LAPSED",
            between("a decision about two of the records has lapsed", _lapsed_alone),
            "the evidence is not what it was when somebody decided",
            "look at what changed, and decide again", "analyst",
        ),
        rule(
            "CHOICES_CONTRADICT",
            concerning(f"the decisions contradict: {', '.join(contradicting)}", everyone if contradicting else ()),
            "the records were decided pair by pair, and the choices do not go together",
            "decide one of the pairs again with the choice that holds for all", "analyst",
        ),
        rule(
            "MERGE_IN_FLIGHT",
            concerning("a merge that is not finished touches one of the records", touched(in_flight)),
            "two merges at once could not be told apart when one is undone",
            "let the running merge end, or finish it: oneclient merge apply", "office",
        ),
        rule(
            "MERGE_PARTIAL",
            concerning("an earlier merge has left visits behind on one of the records", touched(partial)),
            "were this merge undone later, nobody could tell which visits the earlier one had moved",
            "carry the earlier one on first: oneclient merge apply, with a range that holds those visits", "office",
        ),
        rule(
            "DECIDED_BY_EXECUTOR",
            concerning("who would sign off decided it", everyone if own else ()),
            "a merge needs two persons", "have another person sign it off", "office",
        ),
    )  # fmt: skip


def _says_different(standing: Standing) -> bool:
    return any(entry.verdict == "different" for entry in standing.entries)


def _lapsed_alone(standing: Standing) -> bool:
    return standing.standing == "lapsed" and not _says_different(standing)


def _records(case: Case, refs: Iterable[str]) -> tuple[Record, ...]:
    return tuple(record for record in case.records if any(ref == record.client_ref for ref in refs))


def _only(values: Collection[T]) -> T | None:
    return next(iter(values)) if len(values) == 1 else None
