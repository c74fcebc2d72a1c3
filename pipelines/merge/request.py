"""What somebody asks for by a form, to merge or to take back, and what the person reads who is to sign it off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.decisions.statement import DecisionRefusedError
from pipelines.merge.plan import Plan, Planned, plan_merges, plan_undo
from pipelines.merge.run import sign_off, sign_off_undo
from pipelines.merge.selection import WAVES, Selection
from pipelines.providers import plan_at
from pipelines.settings import Settings

LISTED = 10

Form = Mapping[str, Any]


@dataclass(frozen=True)
class MergeRequest:
    """Merge what the selection holds."""

    selection: Selection
    reason: str = ""

    @classmethod
    def of_form(cls, form: Form) -> MergeRequest:
        """Raises DecisionRefusedError for what cannot be meant."""
        ids = {str(one).strip().upper() for one in form["candidate_ids"] or ()} - {""}
        selection = Selection(
            _day(form["from_on"]), _day(form["to_on"]), form["authority"], form["wave"], frozenset(ids),
            form["signed_off_by"],
        )  # fmt: skip
        return cls(selection, form["reason"] or "")

    def plan(self, settings: Settings) -> Plan:
        """What would be done now. Changes nothing."""
        return plan_merges(settings, self.selection)

    def sign_off(self, settings: Settings, who: str, plan_hash: str, run: str = "") -> int | None:
        """Record that ``who`` agrees to this very plan, and begin; the number of the entry."""
        return sign_off(settings, self.selection, who=who, door="dag", reason=self.reason, plan_hash=plan_hash, run=run)


@dataclass(frozen=True)
class UndoRequest:
    """Take these merges back; None: every one that stands."""

    merge_ids: tuple[str, ...] | None
    reason: str = ""

    @classmethod
    def of_form(cls, form: Form) -> UndoRequest:
        """Raises DecisionRefusedError unless the form names merges or asks for all, and not both."""
        ids = tuple(str(one).strip() for one in form["merge_ids"] or () if str(one).strip())
        if bool(ids) == bool(form["every_merge"]):
            raise DecisionRefusedError(
                "Name the merges to take back, or switch on that every merge is meant.", code="D14"
            )
        return cls(ids or None, form["reason"] or "")

    def plan(self, settings: Settings) -> Plan:
        """What would be done now. Changes nothing."""
        return plan_undo(settings, self.merge_ids)

    def sign_off(self, settings: Settings, who: str, plan_hash: str, run: str = "") -> int | None:
        """Record that ``who`` agrees to this very plan, and begin; the number of the entry."""
        return sign_off_undo(
            settings, self.merge_ids, who=who, door="dag", reason=self.reason, plan_hash=plan_hash, run=run
        )


Request = MergeRequest | UndoRequest


def counted(plan: Plan) -> dict[str, Any]:
    """A plan in counts, without a name or an id of anybody: for XCom and logs."""
    return {
        "plan_hash": plan.plan_hash,
        "merges": len(plan.ready),
        "undoes": len(plan.undoes),
        "blocked": len(plan.blocked),
        "held_back": len(plan.held_back),
        "waves": _waves(plan),
        "moves": plan.moves,
        "partitions": len(plan.partitions),
    }


def headline(plan: Plan) -> str:
    """What is to be signed off, in one line."""
    if plan.undoes:
        return f"Take back {_many(len(plan.undoes), 'merge')}?"
    return f"Carry out {_many(len(plan.ready), 'merge')}?"


def question(plan: Plan, published: str, review: str) -> str:
    """What is to be signed off, for the person who is asked: Markdown, in opaque ids and counts, since more may read it
    than may review.

    ``published`` says where the plan lies in full, ``review`` where the review page is served, which shows it.
    """
    signed = plan.signed
    lines = [
        f"**[Read the plan first]({plan_at(review, plan.plan_hash)})** (in the home: `{published}`)",
        "",
        f"- Drawn up on the register of the night of **{signed.as_of:%d/%m/%Y}**, as plan `{plan.plan_hash[:12]}`",
        f"- Moves: {_named(plan.moves) or 'nothing'}",
        f"- Visits of the past {_range(signed.from_on, signed.to_on)}; what is of today or to come always moves",
    ]
    if plan.ready:
        lines += [
            f"- Waves: {', '.join(f'{count:,} {wave}' for wave, count in _waves(plan).items())}",
            f"- Decided by **{', '.join(plan.decided_by)}**: whoever signs it off must be somebody else",
        ]
    if plan.blocked or plan.held_back:
        lines.append(f"- Left out: {len(plan.blocked):,} blocked, {len(plan.held_back):,} held back; the plan says why")
    if plan.unfinished and not plan.undoes:
        lines.append(f"- **Another run (entry {plan.unfinished}) is not finished.** Approve once it is")
    every = (*plan.ready, *plan.undoes)
    lines += ["", "| merge | wave | candidates | visits | order lines |", "| --- | --- | --- | --: | --: |"]
    lines += [_row(one, review) for one in every[:LISTED]]
    if len(every) > LISTED:
        lines += ["", f"and {len(every) - LISTED:,} more: see the plan."]
    lines += [
        "",
        "**Approve** puts your name under this plan in the decision log, and carries it out. If decisions or the "
        "register change before, nothing is done. **Reject** ends the run, and nothing is done.",
    ]
    return "\n".join(lines)


def _row(one: Planned, review: str) -> str:
    moves = one.measured.moves
    candidates = ", ".join(f"[{ref}]({review}/candidates/{ref})" for ref in one.candidate_ids)
    visits, orders = moves.get("visits", 0), moves.get("purchase_orders", 0)
    return f"| {one.merge.merge_id} | {one.merge.wave} | {candidates} | {visits:,} | {orders:,} |"


def _waves(plan: Plan) -> dict[str, int]:
    found = Counter(one.merge.wave for one in plan.ready)
    return {wave: found[wave] for wave in WAVES if found[wave]}


def _named(rows: Mapping[str, int]) -> str:
    return "; ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in rows.items() if count)


def _range(from_on: date | None, to_on: date | None) -> str:
    if not from_on and not to_on:
        return "without limit"
    since = f"from {from_on:%d/%m/%Y}" if from_on else "from the first"
    return f"{since} until before {to_on:%d/%m/%Y}" if to_on else f"{since} on"


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
