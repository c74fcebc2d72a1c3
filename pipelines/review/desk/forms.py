"""The form by which a candidate or a cluster is decided: what a merge would need to know, and what was filled in.

The form calls the records of a candidate left and right, those of a cluster by their number, from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pipelines.decisions.statement import PROFILE_FIELDS, Choices, DecisionRefusedError, ProfileField, choices_from
from pipelines.merge.case import Case
from pipelines.merge.live_references import Numbered, differing_references
from pipelines.merge.outcomes import Outcome, outcomes
from pipelines.merge.profile import differing_fields, value_of
from pipelines.merge.record import Record
from pipelines.review.contents import Candidate, Cluster
from pipelines.review.mask import mask_reference, mask_value

T = TypeVar("T")
Sides = Mapping[str, Record]

VERDICTS = {
    "same": ("same", "They are one person."),
    "different": ("different", "They are two people."),
    "unsure": ("unsure", "It cannot be told from what is here."),
}
CLUSTER_VERDICTS = {
    "same": ("same", "All of them are one person."),
    "different": ("different", "One of them is another person; of the others nothing is said."),
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
    """One choice between numbers: the reference to keep of an issuer (empty: of a council that is not known), each with
    its own issuer and the side on which it stands."""

    issuer: str
    numbers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Enrolled:
    """One choice between records: those that are enrolled on one contract."""

    contract: str
    sides: tuple[str, ...]


@dataclass(frozen=True)
class FieldValues:
    """One choice between values: a field of the profile that differs, each value with its side."""

    name: ProfileField
    label: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Asked:
    """What a merge would need to be told. Which field asks for what follows from the order here."""

    orders: bool
    aliases: bool
    contracts: tuple[Enrolled, ...]
    references: tuple[Keep, ...]
    fields: tuple[FieldValues, ...] = ()


def sides_of_pair(candidate: Candidate) -> Sides:
    """The records of a candidate by what the form calls them."""
    return {"left": candidate.left, "right": candidate.right}


def sides_of_cluster(cluster: Cluster) -> Sides:
    """The records of a cluster by what the form calls them."""
    return {str(number): record for number, record in enumerate(cluster.records, start=1)}


def asked(sides: Sides) -> Asked:
    """What is to be asked about a case, in whichever direction it would be merged."""
    lifted = {b.lifted_by for tried in outcomes(Case(tuple(sides.values())))[1] for b in tried.blockers}
    on: dict[str, list[str]] = {}
    for side, record in sides.items():
        for contract in sorted({enrolment.contract for enrolment in record.enrolments if enrolment.contract}):
            on.setdefault(contract, []).append(side)
    return Asked(
        "move_active_orders" in lifted,
        "aliases" in lifted,
        tuple(Enrolled(contract, tuple(enrolled)) for contract, enrolled in sorted(on.items()) if len(enrolled) > 1),
        _references(sides) if "references" in lifted else (),
        tuple(
            FieldValues(
                name,
                PROFILE_FIELDS[name],
                tuple(
                    (side, said) for side, record in sides.items() if (said := value_of(record, PROFILE_FIELDS[name]))
                ),
            )
            for name in differing_fields(list(sides.values()))
        ),
    )


def read_choices(form: Mapping[str, str], sides: Sides) -> Choices:
    """The choices of a filled-in form. Raises DecisionRefusedError for what the form does not offer."""
    ask = asked(sides)
    written: dict[str, Any] = {"move_active_orders": ask.orders and form.get("move_active_orders") == "yes"}
    if survivor := form.get("survivor"):
        written["survivor"] = one_of(sides, survivor).client_ref
    if ask.aliases and (aliases := form.get("aliases")):
        written["aliases"] = aliases
    written["enrolments"] = {
        one.contract: one_of({name: sides[name] for name in one.sides}, side).client_ref
        for number, one in enumerate(ask.contracts)
        if (side := form.get(f"enrolment_{number}"))
    }
    written["references"] = {
        chosen[0]: chosen[1]
        for number, keep in enumerate(ask.references)
        if (place := form.get(f"reference_{number}"))
        for chosen in (one_of({str(place): one for place, one in enumerate(keep.numbers)}, place),)
    }
    written["fields"] = {
        one.name: one_of({name: sides[name] for name, _ in one.values}, side).client_ref
        for one in ask.fields
        if (side := form.get(f"field_{one.name}"))
    }
    return choices_from(written)


def filled_in(choices: Choices, sides: Sides) -> dict[str, str]:
    """Choices as the form holds them: what ``read_choices`` would read back."""
    ask, names = asked(sides), {record.client_ref: side for side, record in sides.items()}
    form = {"aliases": choices.aliases or "", "move_active_orders": "yes" if choices.move_active_orders else ""}
    form["survivor"] = names.get(choices.survivor or "", "")
    for number, one in enumerate(ask.contracts):
        form[f"enrolment_{number}"] = names.get(choices.enrolments.get(one.contract, ""), "")
    for field in ask.fields:
        form[f"field_{field.name}"] = names.get(choices.fields.get(field.name, ""), "")
    for number, keep in enumerate(ask.references):
        kept = (str(place) for place, (of, n, _) in enumerate(keep.numbers) if choices.references.get(of) == n)
        form[f"reference_{number}"] = next(kept, "")
    return form


def in_order_of(tried: Sequence[Outcome], sides: Sides) -> list[str]:
    """What the form calls the record that each outcome would keep."""
    names = {record.client_ref: side for side, record in sides.items()}
    return [names[outcome.survivor_ref] for outcome in tried]


def masked_references(ask: Asked) -> Asked:
    """The same questions, their numbers masked."""
    return Asked(
        ask.orders,
        ask.aliases,
        ask.contracts,
        tuple(
            Keep(
                keep.issuer,
                tuple((of, mask_reference(f"{of}/{n}").partition("/")[2], side) for of, n, side in keep.numbers),
            )
            for keep in ask.references
        ),
        tuple(
            replace(one, values=tuple((side, mask_value(one.label, said)) for side, said in one.values))
            for one in ask.fields
        ),
    )


def _references(sides: Sides) -> tuple[Keep, ...]:
    """What there is to choose between, as ``TWO_LIVE_REFERENCES`` finds it."""

    def on(number: Numbered) -> str:
        return " and ".join(
            side
            for side, record in sides.items()
            if number in {(r.issuer, r.number) for r in record.references if r.live}
        )

    return tuple(
        Keep(differing.issuer, tuple((*number, on(number)) for number in differing.numbers))
        for differing in differing_references(list(sides.values()))
    )


def one_of(offered: Mapping[str, T], said: str) -> T:
    """What was chosen of what the form offers. Raises DecisionRefusedError for anything else."""
    if said not in offered:
        raise DecisionRefusedError("A choice is none of those that the form offers. Open the page again.", code="D7")
    return offered[said]
