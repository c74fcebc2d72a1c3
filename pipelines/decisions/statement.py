"""What a person says of two client records, checked before it may be recorded. The machine never says anything."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.decisions.evidence import evidence_hash
from pipelines.mistakes import first_mistake
from pipelines.troubles import KnownError

Verdict = Literal["same", "different", "unsure"]
Door = Literal["page", "workbook", "cli", "inbox", "dag"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
DOORS: tuple[Door, ...] = get_args(Door)

LONGEST_WHO = 100
LONGEST_REASON = 2_000
MACHINES = frozenset(
    ("airflow", "anonymous", "automatic", "bot", "cron", "machine", "model", "nightly", "nobody", "none", "null",
     "oneclient", "root", "scheduler", "splink", "system", "unknown")
)  # fmt: skip
_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class DecisionRefusedError(KnownError):
    """The statement cannot be recorded. The message says what to correct; it quotes nothing that was written."""

    code = "D1"


ProfileField = Literal["title", "forename", "known_as", "other_names", "surname", "born_on", "gender"]
PROFILE_FIELDS: dict[ProfileField, str] = {
    "title": "Title", "forename": "Forename", "known_as": "Known as", "other_names": "Other names",
    "surname": "Surname", "born_on": "Born", "gender": "Gender",
}  # fmt: skip
"""The fields of the profile of which another value than the survivor's may be chosen, and what they are called."""


class Choices(BaseModel):
    """What a merge of the two needs to know beside *same*; what is left out follows the merge policy.

    ``survivor`` is a client ref; ``enrolments`` names, for a contract number, the client ref whose enrolments stay;
    ``references`` names, for an issuer (empty: not known), the reference to keep; ``fields`` names, for a field of the
    profile, the client ref whose value is kept.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    survivor: str | None = Field(default=None, min_length=1, max_length=200)
    enrolments: Mapping[str, str] = Field(default_factory=dict, max_length=50)
    aliases: Literal["keep", "drop"] | None = None
    references: Mapping[str, str] = Field(default_factory=dict, max_length=50)
    move_active_orders: bool = False
    fields: Mapping[ProfileField, str] = Field(default_factory=dict)

    def as_json(self) -> str:
        """Canonical JSON: equal choices are equal texts, and what was left out is not in it."""
        return canonical_json(self.model_dump(exclude_defaults=True))

    def refs(self) -> frozenset[str]:
        """The client refs that are named."""
        return frozenset((*self.enrolments.values(), *self.fields.values())) | (
            {self.survivor} if self.survivor else frozenset()
        )


NO_CHOICES = Choices()


@dataclass(frozen=True)
class Statement:
    """One verdict on one pair, with what was on the screen: facts, score (bits and probability), tier and model.

    ``left_ref`` and ``right_ref`` are client refs as matching shows them; ``facts`` is what ``evidence_hash`` is of.
    """

    candidate_id: str
    left_ref: str
    right_ref: str
    verdict: str
    who: str
    door: str
    reason: str
    evidence_hash: str
    facts: str
    match_probability: float | None = None
    match_weight: float | None = None
    tier: str = ""
    model_version: str = ""
    choices: Choices = field(default_factory=Choices)
    score_was_hidden: bool = False
    seconds_spent: float | None = None


def checked(statement: Statement) -> Statement:
    """The statement as it is recorded: spaces tidied. Raises DecisionRefusedError when it may not be."""
    if statement.verdict not in VERDICTS:
        raise DecisionRefusedError(f"The verdict has to be one of {', '.join(VERDICTS)}.")
    if statement.door not in DOORS:
        raise DecisionRefusedError(f"The door has to be one of {', '.join(DOORS)}.")
    who = checked_who(statement.who)
    reason = tidied(statement.reason, "reason", LONGEST_REASON)
    if not reason and statement.verdict != "unsure":
        raise DecisionRefusedError("A reason is missing. Say in a few words what you looked at.", code="D3")
    if statement.choices != NO_CHOICES and statement.verdict != "same":
        raise DecisionRefusedError("Survivor and the other choices go with the verdict same. Leave them out.")
    if not statement.choices.refs() <= {statement.left_ref, statement.right_ref}:
        raise DecisionRefusedError(
            "Survivor, enrolments and fields have to name one of the two records of the candidate.", code="D7"
        )
    for name in (*statement.choices.enrolments, *statement.choices.references, *statement.choices.references.values()):
        tidied(name, "choice", LONGEST_WHO)
    if evidence_hash(statement.facts) != statement.evidence_hash:
        raise DecisionRefusedError(
            "The evidence hash is not that of the facts. Open the last report and decide again.", code="D4"
        )
    if statement.seconds_spent is not None and not 0 <= statement.seconds_spent < 1e9:
        raise DecisionRefusedError("The seconds spent have to be a number from 0.")
    return replace(statement, who=who, reason=reason)


def checked_who(who: str) -> str:
    """A person's name as it is recorded. Raises DecisionRefusedError for an empty or a machine's one."""
    tidy = tidied(who, "name of who decides", LONGEST_WHO)
    if not tidy:
        raise DecisionRefusedError("It is not said who decides. Give the name of a person.", code="D2")
    if person(tidy) in MACHINES:
        raise DecisionRefusedError("That is a machine's name. The machine proposes; a person has to decide.", code="D2")
    return tidy


def person(who: str) -> str:
    """One key for one person, however the name's capitals and spaces are written."""
    return " ".join(unicodedata.normalize("NFKC", who).casefold().split())


def choices_from(written: Mapping[str, Any]) -> Choices:
    """Choices from unchecked values. Raises DecisionRefusedError for an unknown key or an impossible value."""
    try:
        return Choices.model_validate(dict(written))
    except ValidationError as error:
        raise DecisionRefusedError(
            f"The choices cannot be used: {first_mistake(error, Choices, what='choice')}."
        ) from None


def choices_read(text: str) -> Choices:
    """Choices from the canonical JSON of an entry."""
    return Choices.model_validate_json(text)


def canonical_json(value: object) -> str:
    """One text for equal values: keys in order, no spaces, plain ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def tidied(text: str, name: str, longest: int) -> str:
    """One line of text, its spaces tidied. Raises DecisionRefusedError if it is too long or no plain text."""
    tidy = unicodedata.normalize("NFC", re.sub(r"\s+", " ", text).strip())
    if any(unicodedata.category(c) in {"Cc", "Cs", "Cn"} or c in _DIRECTION_MARKS for c in tidy):
        raise DecisionRefusedError(f"The {name} holds control characters. Write it again by hand.")
    if len(tidy) > longest:
        raise DecisionRefusedError(f"The {name} is longer than {longest:,} characters. Shorten it.")
    return tidy
