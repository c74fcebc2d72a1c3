"""The form by which a candidate is decided: what a merge would need to know, and what was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pipelines.decisions.statement import NO_CHOICES, Choices, DecisionRefusedError, choices_from
from pipelines.merge.case import Case
from pipelines.merge.outcomes import Outcome, outcomes
from pipelines.merge.record import COUNCIL_REFERENCE, ROSTER_ID, Record
from pipelines.review.contents import Candidate
from pipelines.review.mask import mask_reference

T = TypeVar("T")

SIDES = ("left", "right")
VERDICTS = {
    "same": ("same", "They are one person."),
    "different": ("different", "They are two people."),
    "unsure": ("unsure", "It cannot be told from what is here."),
}
REASONS = (
    "Same NHS number",
    "Same birth date and address",
    "Rang the client",
    "Rang the council",
    "Looked at both care plans",
    "Different birth dates, same home",
    "Two people of one household",
    "Different NHS numbers",
)


@dataclass(frozen=True)
class Keep:
    """One choice between numbers: the reference to keep of an issuer, each with the side on which it stands."""

    issuer: str
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Asked:
    """What a merge of the two would need to be told. Which field asks for what follows from the order here."""

    orders: bool
    aliases: bool
    contracts: tuple[str, ...]
    references: tuple[Keep, ...]


def asked(candidate: Candidate) -> Asked:
    """What is to be asked about a candidate, in whichever direction it would be merged."""
    records: tuple[Record, Record] = candidate.left, candidate.right
    lifted = {blocker.lifted_by for tried in outcomes(Case(records))[1] for blocker in tried.blockers}
    contracts = [{e.contract for e in record.enrolments if e.contract} for record in records]
    return Asked(
        "move_active_orders" in lifted,
        "aliases" in lifted,
        tuple(sorted(contracts[0] & contracts[1])),
        _references(records) if "references" in lifted else (),
    )


def read_choices(form: Mapping[str, str], candidate: Candidate) -> Choices:
    """The choices of a filled-in form. Raises DecisionRefusedError for what the form does not offer."""
    ask, sides = asked(candidate), dict(zip(SIDES, (candidate.left, candidate.right), strict=True))
    written: dict[str, Any] = {"move_active_orders": ask.orders and form.get("move_active_orders") == "yes"}
    if survivor := form.get("survivor"):
        written["survivor"] = _one_of(sides, survivor).client_ref
    if ask.aliases and (aliases := form.get("aliases")):
        written["aliases"] = aliases
    written["enrolments"] = {
        contract: _one_of(sides, side).client_ref
        for number, contract in enumerate(ask.contracts)
        if (side := form.get(f"enrolment_{number}"))
    }
    written["references"] = {
        keep.issuer: _one_of(dict(zip(map(str, range(len(keep.numbers))), keep.numbers, strict=True)), place)[0]
        for number, keep in enumerate(ask.references)
        if (place := form.get(f"reference_{number}"))
    }
    return choices_from(written)


def filled_in(choices: Choices, candidate: Candidate) -> dict[str, str]:
    """Choices as the form holds them: what ``read_choices`` would read back."""
    ask, sides = asked(candidate), {candidate.left.client_ref: "left", candidate.right.client_ref: "right"}
    form = {"aliases": choices.aliases or "", "move_active_orders": "yes" if choices.move_active_orders else ""}
    form["survivor"] = sides.get(choices.survivor or "", "")
    for number, contract in enumerate(ask.contracts):
        form[f"enrolment_{number}"] = sides.get(choices.enrolments.get(contract, ""), "")
    for number, keep in enumerate(ask.references):
        kept = [n for n, _ in keep.numbers]
        chosen = choices.references.get(keep.issuer)
        form[f"reference_{number}"] = str(kept.index(chosen)) if chosen in kept else ""
    return form


def tried(candidate: Candidate, choices: Choices = NO_CHOICES) -> list[tuple[str, Outcome]]:
    """What a merge would do with these choices, left first or right first as chosen, each with its side."""
    sides = {candidate.left.client_ref: "left", candidate.right.client_ref: "right"}
    _, found = outcomes(Case((candidate.left, candidate.right), choices))
    return [(sides[outcome.survivor_ref], outcome) for outcome in found]


def masked_references(ask: Asked) -> Asked:
    """The same questions, their numbers masked."""
    return Asked(
        ask.orders,
        ask.aliases,
        ask.contracts,
        tuple(
            Keep(
                keep.issuer,
                tuple((mask_reference(f"{keep.issuer}/{n}").partition("/")[2], side) for n, side in keep.numbers),
            )
            for keep in ask.references
        ),
    )


def _references(records: tuple[Record, Record]) -> tuple[Keep, ...]:
    """The issuers that know the two by more than one live number, as ``TWO_LIVE_REFERENCES`` finds them."""
    sides: dict[tuple[str, str], list[str]] = {}
    cores: dict[str, set[str]] = {}
    for side, record in zip(SIDES, records, strict=True):
        for reference in (*record.live_references(COUNCIL_REFERENCE), *record.live_references(ROSTER_ID)):
            on = sides.setdefault((reference.issuer, reference.number), [])
            on += [side] if side not in on else []
            cores.setdefault(reference.issuer, set()).add(reference.core or reference.number)
    return tuple(
        Keep(issuer, tuple((number, " and ".join(on)) for (of, number), on in sorted(sides.items()) if of == issuer))
        for issuer in sorted(cores)
        if issuer and len(cores[issuer]) > 1
    )


def _one_of(offered: Mapping[str, T], said: str) -> T:
    if said not in offered:
        raise DecisionRefusedError("A choice is none of those that the form offers. Open the candidate again.")
    return offered[said]
