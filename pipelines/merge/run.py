"""A merge run from its sign-off to its end. The command line and the DAG take the same steps; every step may be killed
at any moment and taken again.

    sign off   a person agrees to the plan as it is at that moment; the log is the only authority from here on
    begin      the crosswalk follows the log: sources are inactive, and what is of today or to come has moved
    move       one partition of the past after the other, each in a transaction of its own with its ledger line
    finish     verify; a wave that does not hold is taken back
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from pipelines.decisions.crosswalk import crosswalk, live_merges, write_crosswalk
from pipelines.decisions.entry import Entry, first_broken
from pipelines.decisions.snapshot import DecisionsDamagedError, take_snapshot
from pipelines.decisions.statement import DecisionRefusedError, checked_who
from pipelines.decisions.store import DecisionStore, open_decisions
from pipelines.decisions.two_persons import OWN_DECISIONS, require_another_person
from pipelines.merge import MergeError
from pipelines.merge.partitions import LEDGER_KINDS, Moved, Partition, bring_up_to_date, partitions_to_do, write_ledger
from pipelines.merge.plan import Plan, Planned, draw_up, draw_up_undo
from pipelines.merge.recheck import stopped
from pipelines.merge.selection import Selection
from pipelines.merge.verify import failures
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse, open_warehouse

log = logging.getLogger(__name__)

BEGUN, DONE, ROLLED_BACK = "begun", "done", "rolled back"


class NotSignedOffError(MergeError):
    """Nobody has signed off what is to be carried out."""

    code = "M1"


class MergeInFlightError(MergeError):
    """Another merge run is not finished."""

    code = "M2"


class PlanChangedError(MergeError):
    """What was looked at is not what would be done now."""

    code = "M3"


class MergeStoppedError(MergeError):
    """Something came to light after the sign-off, so that the merge must not go further."""

    code = "M4"


class VerificationFailedError(MergeError):
    """What was merged does not hold; the wave was taken back."""

    code = "M5"


@dataclass
class Outcome:
    """What came of it: the sign-offs that were carried out, who was merged or taken apart, and what moved by kind."""

    signed_in: list[int] = field(default_factory=list)
    merges: int = 0
    undone: int = 0
    partitions: int = 0
    moved: dict[str, int] = field(default_factory=dict)
    published: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON and XCom: counts and numbers only."""
        return asdict(self)


def sign_off(
    settings: Settings, selection: Selection, *, who: str, door: str, reason: str = "",
    plan_hash: str | None = None, run: str = "",
) -> int | None:  # fmt: skip
    """Record that ``who`` agrees to merge what the selection holds, and begin; gives the number of the entry.

    The plan is drawn up anew while nobody else can change the register. None: there is nothing to merge. Raises
    DecisionRefusedError when ``who`` decided any of it, PlanChangedError when ``plan_hash`` is not that of the plan
    now, MergeInFlightError while another run is not finished.
    """
    return _sign(settings, lambda warehouse: draw_up(settings, warehouse, selection), who, door, reason, plan_hash, run)


def sign_off_undo(
    settings: Settings, merge_ids: Iterable[str] | None, *, who: str, door: str, reason: str = "",
    plan_hash: str | None = None, run: str = "",
) -> int | None:  # fmt: skip
    """Record that ``who`` takes back these merges (None: all), and begin; as ``sign_off``, but anybody may."""
    ids = None if merge_ids is None else list(merge_ids)
    return _sign(settings, lambda warehouse: draw_up_undo(settings, warehouse, ids), who, door, reason, plan_hash, run)


def _sign(
    settings: Settings, draw: Callable[[Warehouse], Plan], who: str, door: str, reason: str, plan_hash: str | None,
    run: str,
) -> int | None:  # fmt: skip
    who = checked_who(who)
    with open_warehouse(settings) as warehouse, open_decisions(settings) as store, warehouse.transaction():
        plan = draw(warehouse)
        if plan.unfinished and not plan.undoes:
            raise MergeInFlightError(_in_flight(plan.unfinished))
        if plan_hash is not None and plan.plan_hash != plan_hash:
            raise PlanChangedError(
                "What was planned is not what would be done now: decisions or the register have changed since. "
                "Nothing was signed off. Plan again, look at it, and sign that off."
            )
        if not plan.signed.merges and not plan.signed.undoes:
            if all(_is_own(planned) for planned in plan.blocked) and plan.blocked:
                raise DecisionRefusedError(OWN_DECISIONS, code="D10")
            return None
        require_another_person(settings, who, plan.decided_by)
        entry = store.sign_off(plan.signed, who, door, reason)
        running = Run(settings, warehouse, store, entry.sequence_number, run)
        if entry.sequence_number == plan.log_until + 1:  # nobody decided anything while this was drawn up
            running.count_as_checked()
        running.begin_now()
    log.info("entry %d signs off %d merges and %d undos", entry.sequence_number, len(plan.ready), len(plan.undoes))
    return entry.sequence_number


@contextmanager
def open_run(settings: Settings, signed_in: int, run: str = "", plan_hash: str | None = None) -> Iterator[Run]:
    """A signed-off run, to carry it on. Raises NotSignedOffError when the log holds no such sign-off (of that plan)."""
    with open_warehouse(settings) as warehouse, open_decisions(settings) as store:
        yield Run(settings, warehouse, store, signed_in, run, plan_hash)


class Run:
    """One sign-off being carried out in an open warehouse. Make one with ``open_run``."""

    def __init__(
        self, settings: Settings, warehouse: Warehouse, store: DecisionStore, signed_in: int, run: str,
        plan_hash: str | None = None,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.warehouse = warehouse
        self.store = store
        self.run = run
        self.entries: list[Entry] = []
        self._checked: tuple[int, int] | None = None
        self._touched_as_of = 0
        self._read_log()
        found = [e for e in self.entries if e.sequence_number == signed_in and e.kind == "signoff"]
        if not found or plan_hash not in {None, found[0].plan_hash}:
            raise NotSignedOffError(
                "Nobody has signed this plan off in the decision store, so nothing was merged. "
                "Sign it off in the run's own approval, or with: oneclient merge apply --by NAME"
            )
        self.entry = found[0]
        self.plan = self.entry.signed_plan

    def begin(self) -> None:
        """Let the crosswalk follow the log, and move what is of today or to come, unless the sign-off has done so."""
        if self._has("true"):
            return
        with self.warehouse.transaction():
            self._check()
            self.begin_now()

    def begin_now(self) -> None:
        """As ``begin``, unasked and within the caller's transaction."""
        take_snapshot(self.settings, self.warehouse)
        write_crosswalk(self.warehouse, self.entries)
        self._state(BEGUN)
        self._move(Partition())

    def count_as_checked(self) -> None:
        """The plan was drawn up just before its sign-off, so all that could stop it until then has been asked."""
        self._checked = self.entry.sequence_number, self._now()[1]

    def partitions(self) -> list[Partition]:
        """The partitions of the past that still have rows to bring up to date, oldest first."""
        self._show_touched()
        return partitions_to_do(self.warehouse, self.plan, self.settings.merge.partition)

    def move(self, partition: Partition) -> Moved:
        """Bring one partition up to date, with its ledger line, in one transaction.

        Raises MergeStoppedError when something came to light since the sign-off that a merge must not go on over.
        """
        with self.warehouse.transaction():
            self._check()
            return self._move(partition)

    def finish(self) -> None:
        """Verify, once. Raises VerificationFailedError when it does not hold; the wave that failed was taken back then.

        A run that has ended is not asked again: what has come to light since is the watch's to tell, and people's to
        decide.
        """
        if self._has("state <> 'begun'"):
            return
        with self.warehouse.transaction():
            self._check()
            self._show_touched()
            found = failures(self.settings, self.warehouse, self.entry)
            if not found:
                self._state(DONE)
        if found:
            self._roll_back(found)

    def tell(self, outcome: Outcome) -> None:
        """Add to ``outcome`` what the ledger says of this run."""
        kinds = (*LEDGER_KINDS, "visit_minutes", "order_pence")
        columns = ", ".join(f'sum("{kind}")::bigint' for kind in kinds)
        count, *sums = self.warehouse.rows(
            f"select count(distinct partition_name), {columns} from merged.ledger where signed_in = $number",
            {"number": self.entry.sequence_number},
        )[0]
        outcome.signed_in.append(self.entry.sequence_number)
        outcome.merges += len(self.plan.merges)
        outcome.undone += len(self.plan.undoes)
        outcome.partitions += count
        for kind, amount in zip(kinds, sums, strict=True):
            outcome.moved[kind] = outcome.moved.get(kind, 0) + (amount or 0)

    def _has(self, condition: str, **named: object) -> bool:
        """Whether this warehouse has begun the run, and what it keeps of it meets a condition."""
        found = f"select count(*) from merged.runs where signed_in = $number and {condition}"
        return bool(self.warehouse.one(found, {"number": self.entry.sequence_number, **named}))

    def _move(self, partition: Partition) -> Moved:
        self._show_touched()
        moved, before, after = bring_up_to_date(self.warehouse, partition, self.plan)
        write_ledger(self.warehouse, moved, (before, after), self.entry, self.run)
        return moved

    def _check(self) -> None:
        """That the log is whole and still says what it said, and that nothing stops the merges: when anything may have
        changed since this was asked last."""
        now = self._now()
        kept = "(checked_at_entry, checked_at_files) = ($entry, $files)"
        if now == self._checked or self._has(kept, entry=now[0], files=now[1]):
            self._checked = now
            return
        self._read_log()
        if why := stopped(self.warehouse, self.entries, self.entry):
            raise MergeStoppedError(
                f"{len(why)} of the merges must not go further ({'; '.join(sorted(why.values())[:3])}). They "
                f"stay as far as they have come. Undo them (oneclient merge undo {' '.join(sorted(why))}), or put "
                "right what stops them, and run again."
            )
        self._checked = now

    def _now(self) -> tuple[int, int]:
        """How far the log and the register are: while neither goes on, nothing new can come to light."""
        return self.store.last(), self.warehouse.one("select count(*) from staged.taken_files")

    def _read_log(self) -> None:
        self.entries = self.store.entries()
        if broken := first_broken(self.entries):
            raise DecisionsDamagedError(
                f"Entry {broken} of the decision log is not as it was recorded, so nothing is merged on its word. "
                "Restore the decision store from its last backup, and find out who changed it."
            )

    def _show_touched(self) -> None:
        """Temporary table ``touched``: for whom each record of the merges that were signed off, and each other one for
        which the sign-off changed the survivor, counts as the log has it now."""
        if self._touched_as_of == len(self.entries):
            return
        number = self.entry.sequence_number
        before = _survivors(entry for entry in self.entries if entry.sequence_number < number)
        after = _survivors(entry for entry in self.entries if entry.sequence_number <= number)
        now = _survivors(self.entries)
        reached = {ref for ref in {*before, *after} if before.get(ref, ref) != after.get(ref, ref)}
        reached |= {ref for merge in self.plan.merges for ref in merge.origins}
        rows = [(ref, now.get(ref, ref)) for ref in sorted(reached)]
        with self.warehouse.relation("reached", pd.DataFrame(rows, columns=["client_ref", "target_ref"], dtype="str")):
            self.warehouse.execute(
                "create or replace temp table touched as"
                " select one.client_id, target.client_id as target_id from reached"
                " join staged.client_ids as one using (client_ref)"
                " join staged.client_ids as target on target.client_ref = reached.target_ref"
            )
        self._touched_as_of = len(self.entries)

    def _state(self, state: str, problem: str = "") -> None:
        checked = self._checked or (0, 0)
        row = {
            "signed_in": self.entry.sequence_number, "plan_hash": self.entry.plan_hash, "signed_by": self.entry.who,
            "from_on": self.plan.from_on, "to_on": self.plan.to_on, "state": state, "problem": problem,
            "checked_at_entry": checked[0], "checked_at_files": checked[1],
        }  # fmt: skip
        with self.warehouse.relation("state", pd.DataFrame([row])):
            self.warehouse.work("incoming", "merged.runs")
        if state != BEGUN or not self._has("true"):
            self.warehouse.upsert("merged.runs", ["signed_in"], "incoming")

    def _roll_back(self, found: dict[str, str]) -> None:
        """Take back every merge of a wave of which one does not hold, in the name of who signed it off.

        Of an undo there is nothing to take back: it stays unfinished, and the next run brings it up to date again.
        """
        waves = {merge.wave for merge in self.plan.merges if merge.merge_id in found}
        ids = sorted(merge.merge_id for merge in self.plan.merges if merge.wave in waves)
        why = "; ".join(sorted(set(found.values()))[:3])
        if not ids:
            raise VerificationFailedError(
                f"What was taken back does not hold ({why}), and the run is not finished. Find out what changes the "
                "rows meanwhile, then run again."
            )
        live = live_merges(self.entries)
        if taken := [merge_id for merge_id in ids if merge_id in live]:
            with self.warehouse.transaction():
                plan = draw_up_undo(self.settings, self.warehouse, taken)
                entry = self.store.sign_off(plan.signed, self.entry.who, self.entry.door, f"rolled back: {why}"[:2000])
                undo = Run(self.settings, self.warehouse, self.store, entry.sequence_number, self.run)
                undo.begin_now()
                self._state(ROLLED_BACK, why)
            for partition in undo.partitions():
                undo.move(partition)
            undo.finish()
        else:
            with self.warehouse.transaction():
                self._state(ROLLED_BACK, why)
        raise VerificationFailedError(
            f"What was merged does not hold ({why}). {len(taken)} merges of the wave {', '.join(sorted(waves))} were "
            "taken back; nothing of them is left. Find out what brought the rows, then plan again."
        )


def _survivors(entries: Iterable[Entry]) -> dict[str, str]:
    return crosswalk(signed.merge for signed in live_merges(entries).values())


def _is_own(planned: Planned) -> bool:
    return any(blocker.kind == "DECIDED_BY_EXECUTOR" for blocker in planned.blockers)


def _in_flight(signed_in: int) -> str:
    return (
        f"Another merge run (entry {signed_in} of the decision log) is not finished. Wait until it is, or finish it: "
        "oneclient merge apply. Nothing was signed off."
    )
