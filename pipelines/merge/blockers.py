"""What stands in the way of a merge: one row for each kind of blocker, pure functions over a case.

A rule is asked of every direction on its own, since what would be merged away differs. It says what it found, and
nothing when the choices of the decision have dealt with it. Whatever depends on the decisions themselves (pending,
conflicting, lapsed, *different* between members, a merge in flight) is not of a record: the plan adds those rows to
``RULES`` by the argument ``rules`` of ``blockers``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from pipelines.merge.case import Case
from pipelines.merge.live_references import unchosen
from pipelines.merge.record import COUNCIL_REFERENCE, NHS_NUMBER, ROSTER_ID, Enrolment, Order, Record

Owner = Literal["analyst", "office", "council"]


@dataclass(frozen=True)
class Blocker:
    """One thing in the way of merging a case into one of its records.

    ``concerns`` names the records, ``shows`` the numbers that it is about. ``lifted_by`` is the field of ``Choices``
    that deals with it; empty: no choice does, the data must be put right first.
    """

    kind: str
    what: str
    why: str
    fix: str
    owner: Owner
    concerns: tuple[str, ...]
    shows: tuple[str, ...] = ()
    lifted_by: str = ""


@dataclass(frozen=True)
class Found:
    """What a rule found: the records concerned, the numbers that it is about, and the sentence that says so."""

    what: str
    concerns: tuple[Record, ...]
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One kind of blocker. ``find`` looks at a case as merged into ``survivor``; None: nothing in the way."""

    kind: str
    find: Callable[[Case, Record], Found | None]
    why: str
    fix: str
    owner: Owner
    lifted_by: str = ""


def blockers(case: Case, survivor_ref: str, rules: Sequence[Rule] | None = None) -> tuple[Blocker, ...]:
    """All that stands in the way of merging the case into ``survivor_ref``, in the order of the rules.

    Raises KeyError if the survivor is not in the case.
    """
    survivor = case.record(survivor_ref)
    found = ((rule, rule.find(case, survivor)) for rule in (RULES if rules is None else rules))
    return tuple(
        Blocker(
            rule.kind, said.what, rule.why, rule.fix, rule.owner,
            tuple(record.client_ref for record in said.concerns), said.shows, rule.lifted_by,
        )
        for rule, said in found
        if said is not None
    )  # fmt: skip


def _active_order_would_move(case: Case, survivor: Record) -> Found | None:
    """Wizard rule: a record with an active purchase order cannot be made inactive (law 7: it would come back)."""
    losing = tuple(record for record in case.others(survivor) if record.orders)
    if not losing or case.choices.move_active_orders:
        return None
    orders = [order for record in losing for order in record.orders]
    active = sum(order.standing == "active" for order in orders)
    to_come = len(orders) - active
    counts = [_lines(active, "active"), _lines(to_come, "future")]
    return Found(
        f"{' and '.join(filter(None, counts))} on the record that would be merged away", losing, _named(orders)
    )


def _both_have_active_orders(case: Case, survivor: Record) -> Found | None:
    """Wizard rule: two records with active purchase orders may be two packages of care, or one paid for twice."""
    having = tuple(record for record in case.records if record.active_orders)
    if len(having) < 2 or case.choices.move_active_orders:
        return None
    orders = [order for record in having for order in record.active_orders]
    return Found(f"{len(having)} of the records have active purchase orders", having, _named(orders))


def _two_live_references(case: Case, survivor: Record) -> Found | None:
    """Policy, *References*: each must end on the survivor, and a system knows a client by one number.

    One number written in two ways (``SS-0123``, ``123``) is one number.
    """
    torn = unchosen(case.records, case.choices.references)
    if not torn:
        return None
    shown = list(dict.fromkeys(one for differing in torn for one in differing.numbers))
    live = {
        record.client_ref: {
            (one.issuer, one.number) for kind in (COUNCIL_REFERENCE, ROSTER_ID) for one in record.live_references(kind)
        }
        for record in case.records
    }
    return Found(
        f"live references of {_and([one.issuer or 'a council that is not known' for one in torn])} that differ",
        tuple(record for record in case.records if live[record.client_ref] & set(shown)),
        tuple(f"{issuer.upper()} {number}".strip() for issuer, number in shown),
    )


def _same_contract_twice(case: Case, survivor: Record) -> Found | None:
    """Policy, *Enrolments*: on both sides for one contract, one side is chosen whole, never cell by cell."""
    on = Counter(chain.from_iterable(_contracts(record.enrolments) for record in case.records))
    refs = {record.client_ref for record in case.records}
    twice = sorted(
        contract for contract, count in on.items() if count > 1 and case.choices.enrolments.get(contract) not in refs
    )
    if not twice:
        return None
    concerned = tuple(record for record in case.records if _contracts(record.enrolments) & set(twice))
    return Found(f"{len(concerned)} of the records are enrolled on one contract", concerned, tuple(twice))


def _aliases_undecided(case: Case, survivor: Record) -> Found | None:
    """Policy, *Aliases*: a name that the survivor does not carry is kept or dropped by a person, never by a rule."""
    if case.choices.aliases:
        return None
    known = {alias.key for alias in survivor.aliases}
    unknown = [(r, a) for r in case.others(survivor) for a in r.aliases if a.given and a.key not in known]
    names = sorted({alias.key: alias.name for _, alias in unknown}.values())
    if not names:
        return None
    having = tuple(record for record in case.others(survivor) if record in [r for r, _ in unknown])
    return Found(f"{_count(len(names), 'name')} that the survivor does not carry", having, tuple(names))


def _nhs_numbers_differ(case: Case, survivor: Record) -> Found | None:
    """Two valid NHS numbers are two people, or one number is another's: no merge can know which."""
    having = tuple(record for record in case.records if record.numbers(NHS_NUMBER))
    numbers = sorted({number for record in having for number in record.numbers(NHS_NUMBER)})
    if len(numbers) < 2:
        return None
    return Found("two valid NHS numbers", having, tuple(f"NHS {number}" for number in numbers))


def _restricted(case: Case, survivor: Record) -> Found | None:
    """A record whose status says that it is restricted must not be opened to those who see the other one."""
    restricted = tuple(record for record in case.records if record.restricted)
    return Found("the status says that the record is restricted", restricted) if restricted else None


def _deceased_and_alive(case: Case, survivor: Record) -> Found | None:
    """A source says in words that the client has died, while another record has visits to come or orders that run."""
    died = tuple(record for record in case.records if record.deceased)
    alive = tuple(r for r in case.records if not r.deceased and (r.upcoming_visits or r.active_orders))
    if not died or not alive:
        return None
    return Found("one record says that the client has died, another has care still to come", (*died, *alive))


RULES = (
    Rule(
        "ACTIVE_ORDER_WOULD_MOVE", _active_order_would_move,
        "an order on a merged-away record brings that record back to life with the next council file",
        "choose to move the active orders, or merge the other way", "analyst", "move_active_orders",
    ),
    Rule(
        "BOTH_HAVE_ACTIVE_ORDERS", _both_have_active_orders,
        "the council may be paying for one package of care twice, or for two packages",
        "ask the council whether both are meant for this person, then choose to move the active orders",
        "council", "move_active_orders",
    ),
    Rule(
        "TWO_LIVE_REFERENCES", _two_live_references,
        "the next file would use either, and one of them would find nobody",
        "choose the reference to keep; the other stays as a former one", "analyst", "references",
    ),
    Rule(
        "SAME_CONTRACT_TWICE", _same_contract_twice,
        "one contract holds one enrolment of a client, and the two may differ in funding or dates",
        "choose the record whose enrolments stand", "analyst", "enrolments",
    ),
    Rule(
        "ALIASES_UNDECIDED", _aliases_undecided,
        "a name may be the person's own, or another's who was written here by mistake",
        "choose to keep or to drop the other names", "analyst", "aliases",
    ),
    Rule(
        "NHS_NUMBERS_DIFFER", _nhs_numbers_differ,
        "an NHS number belongs to one person",
        "look both numbers up; have the wrong one corrected at its source, or decide that these are two people",
        "office",
    ),
    Rule(
        "RESTRICTED", _restricted,
        "who may see one record may not see the other",
        "ask whoever restricted it; it is not merged while it is restricted", "office",
    ),
    Rule(
        "DECEASED_AND_ALIVE", _deceased_and_alive,
        "either the care must stop, or the wrong person is recorded as dead",
        "find out which is true, and correct the record that is wrong", "office",
    ),
)  # fmt: skip


def _named(orders: Sequence[Order]) -> tuple[str, ...]:
    return tuple(order.label for order in orders)


def _contracts(enrolments: Sequence[Enrolment]) -> set[str]:
    return {enrolment.contract for enrolment in enrolments if enrolment.contract}


def _lines(number: int, standing: str) -> str:
    return _count(number, f"{standing} purchase order line") if number else ""


def _count(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
