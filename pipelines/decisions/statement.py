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
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # of no category that says so
_VARIATIONS = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0000, 0xE0FFF))
_ONE_SCRIPT = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"})
_ACCOUNT = re.compile(r"(?P<name>.*\S) \[(?P<id>[^\[\]]+)\]")
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
    """A person's name as it is recorded: a name, or ``name [id]`` for an account of the review page.

    Raises DecisionRefusedError for an empty name, a machine's, and one that could pass for another person's: with
    characters that cannot be seen, or letters of several scripts.
    """
    tidy = tidied(who, "name of who decides", LONGEST_WHO)
    name, account = _name_and_id(tidy)
    if not tidy:
        raise DecisionRefusedError("It is not said who decides. Give the name of a person.", code="D2")
    if any(map(_cannot_be_seen, tidy)):
        raise DecisionRefusedError(
            "The name of who decides holds characters that cannot be seen. Type it again by hand.", code="D2"
        )
    if len(_scripts(name)) > 1 or len(_scripts(account)) > 1:
        raise DecisionRefusedError(
            "The name of who decides mixes letters of several alphabets that look alike. Type it again by hand, in one "
            "alphabet.",
            code="D2",
        )
    if _key(name) in MACHINES:
        raise DecisionRefusedError("That is a machine's name. The machine proposes; a person has to decide.", code="D2")
    return tidy


def person(who: str) -> str:
    """One key for one person: the id of an account, else the name, however its capitals and spaces are written."""
    name, account = _name_and_id(who)
    return f"[{_key(account)}]" if account else _key(name)


def same_person(one: str, other: str) -> bool:
    """Whether two may be one person: by id where both name an account, else by the name, or the id, of either."""
    (name, account), (other_name, other_account) = _name_and_id(one), _name_and_id(other)
    if account and other_account:
        return _key(account) == _key(other_account)
    return not {_key(name), _key(account)}.isdisjoint({_key(other_name), _key(other_account)} - {""})


def _name_and_id(who: str) -> tuple[str, str]:
    """The name and the id of ``name [id]``; of anything else the id is empty."""
    found = _ACCOUNT.fullmatch(" ".join(who.split()))
    return (found["name"], found["id"]) if found else (who, "")


def _key(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _cannot_be_seen(character: str) -> bool:
    ignored = unicodedata.category(character) == "Cf" or character in _UNSEEN
    return ignored or any(first <= ord(character) <= last for first, last in _VARIATIONS)


def _scripts(text: str) -> set[str]:
    """The scripts of the letters; those that are written together, as in Japanese, are one."""
    letters = (character for character in unicodedata.normalize("NFKC", text) if character.isalpha())
    named = {unicodedata.name(letter, "UNKNOWN").partition(" ")[0] for letter in letters} - {"MODIFIER"}
    return {"EAST ASIAN" if script in _ONE_SCRIPT else script for script in named}


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
