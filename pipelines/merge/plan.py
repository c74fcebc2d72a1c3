"""The plan: what follows from the decisions as they stand, what may be merged, what stands in its way, what would move.
A plan only reads. It is made again at the moment of the sign-off, so nothing is merged but what was looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

import pandas as pd

from pipelines.decisions.crosswalk import Signed, crosswalk, ever_joined, live_merges, signed_off
from pipelines.decisions.entry import Entry
from pipelines.decisions.signoff import Member, Merge, SignedPlan, Undone, Wave
from pipelines.decisions.snapshot import Snapshot, take_snapshot
from pipelines.decisions.statement import DecisionRefusedError, same_person
from pipelines.merge.blockers import RULES, Blocker, blockers
from pipelines.merge.case import Case
from pipelines.merge.decided import Decided, contested, decided_groups, decision_rules, held_back, joint_choices
from pipelines.merge.live_references import differing_references
from pipelines.merge.measure import KINDS, Measured, PartitionRows, Rows, measure
from pipelines.merge.policy import check_policy
from pipelines.merge.profile import value_origins
from pipelines.merge.record import COUNCIL_REFERENCE, ROSTER_ID, Record
from pipelines.merge.selection import WAVES, Selection, candidate_id, new_merge_id
from pipelines.merge.survivor import recommend
from pipelines.publishing.rows import from_table
from pipelines.settings import Settings
from pipelines.stage.register import require_register
from pipelines.warehouse import Warehouse, open_warehouse

CHOSEN = "chosen by the decision"


@dataclass(frozen=True)
class Planned:
    """One merge: whom it joins, and why into this survivor; what it moves and leaves, or what stands in its way.

    ``carries_on``: it was signed off before and left some partitions behind. ``open_ways`` are other survivors with
    which nothing would stand in the way.
    """

    merge: Merge
    decided_by: tuple[str, ...]
    survivor_because: str
    carries_on: bool = False
    blockers: tuple[Blocker, ...] = ()
    open_ways: tuple[str, ...] = ()
    measured: Measured = field(default_factory=Measured)

    @property
    def candidate_ids(self) -> tuple[str, ...]:
        """The candidates that people decided."""
        return tuple(candidate_id(*pair) for pair in self.merge.pairs)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **self.merge.model_dump(mode="json"),
            "candidate_ids": self.candidate_ids,
            "decided_by": self.decided_by,
            "survivor_because": self.survivor_because,
            "carries_on": self.carries_on,
            "blockers": [asdict(blocker) for blocker in self.blockers],
            "open_ways": self.open_ways,
            **asdict(self.measured),
        }


@dataclass(frozen=True)
class HeldBack:
    """A pair that somebody said is one person, and that cannot be merged as it stands now."""

    candidate_id: str
    standing: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """What may be merged now (``ready``, wave by wave), what is blocked, and what is held back.

    ``undoes`` are the merges that an undo plan takes back, as they were signed. ``unfinished`` is the entry of a
    sign-off whose run has to be finished first, ``log_until`` the last entry that was read.
    """

    signed: SignedPlan
    ready: tuple[Planned, ...] = ()
    blocked: tuple[Planned, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    undoes: tuple[Planned, ...] = ()
    partitions: tuple[PartitionRows, ...] = ()
    unfinished: int | None = None
    log_until: int = 0

    @property
    def plan_hash(self) -> str:
        """What a person signs off."""
        return self.signed.plan_hash()

    @property
    def decided_by(self) -> tuple[str, ...]:
        """Who decided any of what is ready: they may not sign it off."""
        return tuple(sorted({who for planned in self.ready for who in planned.decided_by}))

    @property
    def moves(self) -> Rows:
        """Rows that would move, by kind."""
        every = (*self.ready, *self.undoes)
        return {kind: sum(planned.measured.moves.get(kind, 0) for planned in every) for kind in KINDS}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "plan_hash": self.plan_hash,
            "as_of": self.signed.as_of,
            "from": self.signed.from_on,
            "to": self.signed.to_on,
            "ready": [planned.as_dict() for planned in self.ready],
            "blocked": [planned.as_dict() for planned in self.blocked],
            "held_back": [asdict(held) for held in self.held_back],
            "undoes": [planned.as_dict() for planned in self.undoes],
            "moves": self.moves,
            "partitions": [asdict(partition) for partition in self.partitions],
            "unfinished": self.unfinished,
        }


def plan_merges(settings: Settings, selection: Selection | None = None) -> Plan:
    """What would be merged if it were signed off now. Changes nothing.

    Raises UnknownTableError when a table with a client key has no row in the merge policy.
    """
    with open_warehouse(settings) as warehouse, warehouse.rehearsal():
        return draw_up(settings, warehouse, selection or Selection())


def plan_undo(settings: Settings, merge_ids: Iterable[str] | None) -> Plan:
    """What would be taken back (None: every live merge) if it were signed off now. Changes nothing.

    Raises DecisionRefusedError for a merge that is not live.
    """
    with open_warehouse(settings) as warehouse, warehouse.rehearsal():
        return draw_up_undo(settings, warehouse, merge_ids)


def draw_up(settings: Settings, warehouse: Warehouse, selection: Selection) -> Plan:
    """The plan on the register as it stands, within the caller's transaction. Raises NoRegisterError without one."""
    require_register(warehouse)
    check_policy(warehouse)
    return _Draft(settings, warehouse).merges(selection)


def draw_up_undo(settings: Settings, warehouse: Warehouse, merge_ids: Iterable[str] | None) -> Plan:
    """The plan of an undo, within the caller's transaction.

    Raises DecisionRefusedError for a merge that is not live.
    """
    require_register(warehouse)
    check_policy(warehouse)
    return _Draft(settings, warehouse).undo(merge_ids)


def sides(warehouse: Warehouse, day: date, members: Iterable[tuple[str, str]]) -> dict[str, Record]:
    """What hangs on each member as of ``day``; ``members`` are pairs of a record and the member that it counts for."""
    frame = pd.DataFrame(list(members), columns=["client_ref", "member_ref"], dtype="str")
    with warehouse.relation("named_members", frame):
        warehouse.execute(
            "create or replace temp table members as"
            " select one.client_id, member.client_id as member_id from named_members as n"
            " join staged.client_ids as one using (client_ref)"
            " join staged.client_ids as member on member.client_ref = n.member_ref"
        )
    warehouse.work("involved", "merged.involved")
    warehouse.work("profiles", "matched.profiles")
    warehouse.work("sides", "matched.sides", {"day": day})
    found = from_table(Record, warehouse.connection.sql("select * from sides order by client_id").to_arrow_table())
    return {record.client_ref: record for record in found}


class _Draft:
    def __init__(self, settings: Settings, warehouse: Warehouse) -> None:
        self.settings = settings
        self.warehouse = warehouse
        self.snapshot: Snapshot = take_snapshot(settings, warehouse)
        self.live = live_merges(self.snapshot.entries)
        self.survivor = crosswalk(signed.merge for signed in self.live.values())
        self.log_until = max((entry.sequence_number for entry in self.snapshot.entries), default=0)
        self.contested = contested(self.snapshot.entries, (signed.merge for signed in self.live.values()))
        self.after = max((e.sequence_number for e in self.snapshot.entries if e.kind == "signoff"), default=0)
        self.as_of: date = warehouse.one("select coalesce(max(taken_on), date '1900-01-01') from staged.taken_files")
        self.unfinished = unfinished(warehouse, self.snapshot.entries)

    def merges(self, selection: Selection) -> Plan:
        if not self.settings.decisions.two_persons:
            selection = replace(selection, without_decisions_of=None)
        of_council = self._of_council(selection.authority)
        planned = [one for one in self._planned(selection) if _is_asked_for(selection, one, of_council)]
        ready = [*self._left_behind(selection, of_council), *(one for one in planned if not one.blockers)]
        ready.sort(key=lambda one: (WAVES.index(one.merge.wave), one.merge.merge_id))
        signed = SignedPlan(
            after=self.after,
            as_of=self.as_of,
            from_on=selection.from_on,
            to_on=selection.to_on,
            merges=tuple(one.merge for one in ready),
        )
        before = {merge_id: one.merge for merge_id, one in self.live.items()}
        then = crosswalk({**before, **{one.merge.merge_id: one.merge for one in ready}}.values())
        ready, partitions = self._measured(signed, ready, then)
        blocked = tuple(one for one in planned if one.blockers)
        return Plan(
            signed, tuple(ready), blocked, tuple(self._held_back()), (), partitions, self.unfinished, self.log_until
        )

    def undo(self, merge_ids: Iterable[str] | None) -> Plan:
        asked = list(self.live) if merge_ids is None else sorted({merge_id.strip().upper() for merge_id in merge_ids})
        undone = {undone.merge_id for entry in signed_off(self.snapshot.entries) for undone in entry.signed_plan.undoes}
        if unknown := [merge_id for merge_id in asked if merge_id not in self.live]:
            if undone.issuperset(unknown):
                raise DecisionRefusedError(
                    f"{len(unknown)} of these merges are undone already: nothing is left to undo. If that command was "
                    "cut short, run: oneclient nightly. It finishes the undo and publishes it.",
                    code="D14",
                )
            raise DecisionRefusedError(
                f"{len(unknown)} of these merges cannot be undone, since none of that id stands. "
                "See: oneclient merge status",
                code="D14",
            )
        taken = [Planned(self.live[merge_id].merge, (), "", carries_on=True) for merge_id in asked]
        signed = SignedPlan(
            after=self.after,
            as_of=self.as_of,
            undoes=tuple(Undone(merge_id=one.merge.merge_id, pairs=one.merge.pairs) for one in taken),
        )
        taken_ids = set(asked)
        then = crosswalk(one.merge for merge_id, one in self.live.items() if merge_id not in taken_ids)
        measured, partitions = self._measured(signed, taken, then)
        return Plan(
            signed,
            undoes=tuple(measured),
            partitions=partitions,
            unfinished=self.unfinished,
            log_until=self.log_until,
        )

    def _planned(self, selection: Selection) -> list[Planned]:
        groups = decided_groups(self.snapshot, self.survivor)
        counting = ((ref, live) for one in groups for live, refs in one.origins.items() for ref in refs)
        records = sides(self.warehouse, self.as_of, counting)
        in_flight = self._in_flight()
        around = {"in_flight": in_flight, "partial": self._partial() - in_flight}
        executor = selection.without_decisions_of or ""
        return [self._one(decided, records, {**around, "executor": executor}) for decided in groups]

    def _one(self, decided: Decided, records: dict[str, Record], around: dict[str, Any]) -> Planned:
        members = tuple(records[ref] for ref in decided.origins)
        choices, contradicting = joint_choices(decided, members)
        case = Case(members, choices)
        recommended = recommend(members)
        survivor = choices.survivor or recommended.survivor_ref
        reason = recommended.reasons[0].words if recommended.reasons else "no record is ahead of the other"
        rules = (*RULES, *decision_rules(decided, contradicting, **around))
        found = blockers(case, survivor, rules)
        others = (ref for ref in decided.origins if found and ref != survivor and not blockers(case, ref, rules))
        merge = Merge(
            merge_id=new_merge_id(tuple(decided.origins), decided.verdicts, self.live),
            survivor=survivor,
            members=tuple(Member(client_ref=ref, origins=origins) for ref, origins in decided.origins.items()),
            pairs=tuple(standing.pair for standing in decided.same),
            verdicts=decided.verdicts,
            wave=_wave(case, survivor),
            choices=choices.model_copy(update={"fields": value_origins(case)}),
            former=_former(case),
        )
        because = CHOSEN if choices.survivor else reason
        return Planned(merge, decided.decided_by, because, blockers=found, open_ways=tuple(others))

    def _left_behind(self, selection: Selection, of_council: frozenset[str] | None) -> list[Planned]:
        """Live merges that an earlier range left partial, and that this one brings further."""
        behind = self._behind(selection.from_on, selection.to_on) - self.contested.keys()
        found = [
            Planned(signed.merge, self._deciders(signed), "signed off before", carries_on=True)
            for merge_id, signed in self.live.items()
            if merge_id in behind
        ]
        not_by = selection.without_decisions_of or ""
        return [
            one
            for one in found
            if _is_asked_for(selection, one, of_council) and not any(same_person(not_by, who) for who in one.decided_by)
        ]

    def _behind(self, from_on: date | None = None, to_on: date | None = None) -> set[str]:
        """The live merges with visits in this range that do not count yet for whom they should."""
        if not self.live:
            return set()
        return {merge_id for (merge_id,) in self.warehouse.rows(_BEHIND, {"from_on": from_on, "to_on": to_on})}

    def _partial(self) -> frozenset[str]:
        behind = self._behind()
        return frozenset(ref for merge_id in behind for ref in self.live[merge_id].merge.origins)

    def _held_back(self) -> Iterable[HeldBack]:
        for standing in held_back(self.snapshot, self.survivor):
            yield HeldBack(standing.candidate_id, standing.standing, standing.reason)
        for merge_id, why in sorted(self.contested.items()):
            yield HeldBack(candidate_id(*self.live[merge_id].merge.pairs[0]), "contested", f"{merge_id}: {why}")

    def _of_council(self, authority: str | None) -> frozenset[str] | None:
        """The records that a council knows by a reference or an order; None if no council is asked for."""
        if not (authority or "").strip():
            return None
        return frozenset(ref for (ref,) in self.warehouse.rows(_OF_COUNCIL, {"council": authority}))

    def _deciders(self, signed: Signed) -> tuple[str, ...]:
        by_number = {entry.sequence_number: entry.who for entry in self.snapshot.entries}
        return tuple(sorted({by_number[number] for number in signed.merge.verdicts}))

    def _in_flight(self) -> frozenset[str]:
        entry = next((e for e in self.snapshot.entries if e.sequence_number == self.unfinished), None)
        return frozenset(ref for merge in entry.signed_plan.merges for ref in merge.origins) if entry else frozenset()

    def _measured(
        self, signed: SignedPlan, planned: list[Planned], then: dict[str, str]
    ) -> tuple[list[Planned], tuple[PartitionRows, ...]]:
        target: dict[str, dict[str, str | None]] = {}
        groups = ever_joined(self.snapshot.entries)
        changed: dict[str, set[str]] = defaultdict(set)
        for ref in {*self.survivor, *then}:
            if self.survivor.get(ref, ref) != then.get(ref, ref):
                changed[groups.of(ref)].add(ref)
        for one in planned:
            moves = changed.pop(groups.of(one.merge.survivor), set()) if signed.undoes else one.merge.origins
            every = sorted(one.merge.origins | moves)
            target[one.merge.merge_id] = {ref: then.get(ref, ref) if ref in moves else None for ref in every}
        found, partitions = measure(self.settings, self.warehouse, signed, target)
        return [replace(one, measured=found.get(one.merge.merge_id, Measured())) for one in planned], partitions


def unfinished(warehouse: Warehouse, entries: Iterable[Entry]) -> int | None:
    """The oldest sign-off that this warehouse has not brought to its end."""
    ended = {number for (number,) in warehouse.rows("select signed_in from merged.runs where state <> 'begun'")}
    return next((e.sequence_number for e in signed_off(entries) if e.sequence_number not in ended), None)


def _is_asked_for(selection: Selection, planned: Planned, of_council: frozenset[str] | None) -> bool:
    return (
        selection.names(planned.merge)
        and selection.wave in {None, planned.merge.wave}
        and (of_council is None or not of_council.isdisjoint(planned.merge.origins))
    )


def _wave(case: Case, survivor_ref: str) -> Wave:
    """How much hangs on the records that are merged away: nothing, no money (no order was ever theirs), or money."""
    away = case.others(case.record(survivor_ref))
    if any(record.orders or record.past_orders for record in away):
        return "money"
    if any(record.upcoming_visits or record.past_visits or record.enrolments for record in away):
        return "no money"
    return "empty"


def _former(case: Case) -> tuple[tuple[str, str], ...]:
    """The live references that go on no more, since another live one of the same system was chosen."""
    live = {
        (reference.issuer, reference.number)
        for record in case.records
        for kind in (COUNCIL_REFERENCE, ROSTER_ID)
        for reference in record.live_references(kind)
    }
    kept = {one for one in case.choices.references.items() if one in live}
    of_issuer = {one for one in live - kept if one[0] in dict(kept)}
    chosen = (one.former(case.choices.references) for one in differing_references(case.records))
    return tuple(sorted(of_issuer.union(*chosen)))


_BEHIND = """
    select distinct m.merge_id
    from merged.merges as m
    join merged.crosswalk as x using (client_id)
    join staged.visits as v on v.origin_client_id = m.client_id and v.client_id <> x.survivor_id
    where v.visit_on is null or v.visit_on >= coalesce($from_on::date, date '0001-01-01')
        and v.visit_on < coalesce($to_on::date, date '9999-12-31')
"""
_OF_COUNCIL = """
    select i.client_ref
    from staged.client_ids as i
    where i.client_id in (
        select origin_client_id from staged.references
        where kind = 'social_services_reference' and upper(issuer) = upper(trim($council))
        union
        select origin_client_id from staged.purchase_orders where upper(issuer) = upper(trim($council))
    )
"""
