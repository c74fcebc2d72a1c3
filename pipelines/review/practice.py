"""Practice: pairs of made-up people whose answer is known, by which it is measured how often a person is right.

They have a page of their own and are never put among the candidates. A pair seeded there would stand in the report, in
the workbook and in every count; a verdict on it could never be removed from the log, and each door and each merge would
have to know that it is none. Here nothing can go wrong: the pairs are made when they are asked for and kept nowhere,
their ids are no candidate's, and the answers are lines of ``HOME/practice.jsonl``, which nothing else reads.

Everybody gets the same pairs in the same order, so that people can be compared.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from pipelines.decisions.statement import VERDICTS, DecisionRefusedError, person

FILE = "practice.jsonl"
PAIRS = 10
PEOPLE = 2_000
ONE_PERSON = {
    "nickname": "one person, once under a short name",
    "maiden_name": "one person, once under a former surname",
    "moved": "one person who has moved",
    "swapped_names": "one person, forename and surname swapped",
    "birth_slip": "one person, a slip in the birth date",
    "name_slip": "one person, a slip in a name",
    "two_references": "one person with two references",
}
TWO_PEOPLE = {
    "couple": "two people: a couple",
    "twin": "two people: twins",
    "sibling": "two people: brother or sister",
    "parent_and_child": "two people: parent and child of one name",
    "namesake": "two people who happen to have one name",
}
FIELDS = {
    "Title": ("Title",), "Forename": ("Forename",), "Known as": ("KnownAs",), "Other names": ("OtherNames",),
    "Surname": ("Surname",), "Gender": ("Gender",), "Born": ("DateOfBirth",),
    "Address": ("Address1", "Address2", "Town", "Postcode"), "Phone": ("Phone",), "Mobile": ("Mobile",),
    "NHS number": ("NHSNumber",), "Reference": ("SocialServicesRef",),
}  # fmt: skip

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)|(\d\d/\d\d/\d{4})")
Record = dict[str, str]


@dataclass(frozen=True)
class PracticePair:
    """Two records of made-up people, field by field, and the answer."""

    pair_id: str
    kind: str
    lines: tuple[tuple[str, str, str], ...]

    @property
    def answer(self) -> str:
        """The verdict that is right."""
        return "same" if self.kind in ONE_PERSON else "different"

    @property
    def explained(self) -> str:
        """Who they are."""
        return (ONE_PERSON | TWO_PEOPLE)[self.kind]


@dataclass(frozen=True)
class Practised:
    """What a person said of one practice pair, and what would have been right."""

    at: str
    who: str
    pair_id: str
    kind: str
    verdict: str
    answer: str
    seconds_spent: float

    @property
    def is_right(self) -> bool:
        """Whether it was the answer."""
        return self.verdict == self.answer


@dataclass(frozen=True)
class Round:
    """What a person said of the pairs of one round."""

    number: int
    said: tuple[Practised, ...]

    @property
    def right(self) -> int:
        """How many were right."""
        return sum(one.is_right for one in self.said)

    @property
    def by_answer(self) -> dict[str, tuple[int, int]]:
        """Of those that are one person, and of those that are two: how many were right, and how many there were."""
        of = {answer: [one.is_right for one in self.said if one.answer == answer] for answer in ("same", "different")}
        return {answer: (sum(right), len(right)) for answer, right in of.items()}


@dataclass(frozen=True)
class Score:
    """How often one person was right. ``wrongly_same``: two people taken for one, the mistake that mixes care plans."""

    who: str
    pairs: int
    right: int
    wrongly_same: int
    wrongly_different: int
    unsure: int


def round_of(said: Iterable[Practised], who: str) -> tuple[int, list[Practised]]:
    """The round that a person is in, from 1, and what they have said in it so far."""
    mine = [one for one in said if person(one.who) == person(who)]
    number = len(mine) // PAIRS + 1
    return number, mine[(number - 1) * PAIRS :]


@lru_cache(maxsize=4)
def pairs_of_round(number: int) -> tuple[PracticePair, ...]:
    """The pairs of one round, the same for everybody: of each kind at most one, how many of each answer by lot."""
    found = _found(_made_up(number))
    lot = Random(number)  # noqa: S311 - an order of play, no secret
    kinds = sorted(found)
    lot.shuffle(kinds)
    return tuple(
        PracticePair(f"P{number}-{place:02}", kind, _lines(*lot.choice(found[kind])))
        for place, kind in enumerate(kinds[:PAIRS], start=1)
    )


def pair_called(pair_id: str) -> PracticePair:
    """The pair of an id that was given out. Raises StopIteration for any other of its round."""
    number = int(pair_id[1:].partition("-")[0])
    return next(pair for pair in pairs_of_round(number) if pair.pair_id == pair_id)


def record_practice(home: Path, who: str, pair: PracticePair, verdict: str, seconds_spent: float) -> Practised:
    """Append an answer to the practice log. Raises DecisionRefusedError for what is no verdict, OSError."""
    if verdict not in VERDICTS:
        raise DecisionRefusedError(f"The verdict has to be one of {', '.join(VERDICTS)}.")
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    said = Practised(now, who, pair.pair_id, pair.kind, verdict, pair.answer, round(seconds_spent, 1))
    file = os.open(home / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.write(file, (json.dumps(asdict(said)) + "\n").encode())
        os.fsync(file)
    finally:
        os.close(file)
    return said


def read_practice(home: Path) -> list[Practised]:
    """Every answer, oldest first: of each person the first one to each pair."""
    file = home / FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    first: dict[tuple[str, str], Practised] = {}
    for line in lines:
        said = Practised(**json.loads(line))
        first.setdefault((person(said.who), said.pair_id), said)
    return list(first.values())


def rounds(said: Iterable[Practised], who: str) -> list[Round]:
    """The rounds that a person has finished, oldest first."""
    mine = [one for one in said if person(one.who) == person(who)]
    ended = range(0, len(mine) - PAIRS + 1, PAIRS)
    return [Round(start // PAIRS + 1, tuple(mine[start : start + PAIRS])) for start in ended]


def scores(said: Iterable[Practised]) -> tuple[Score, ...]:
    """How often each person was right."""
    by_person: dict[str, list[Practised]] = {}
    for one in said:
        by_person.setdefault(person(one.who), []).append(one)
    return tuple(_score(theirs) for _, theirs in sorted(by_person.items()))


def _score(said: Sequence[Practised]) -> Score:
    def count(verdict: str, answer: str) -> int:
        return sum((one.verdict, one.answer) == (verdict, answer) for one in said)

    return Score(
        said[-1].who,
        len(said),
        count("same", "same") + count("different", "different"),
        count("same", "different"),
        count("different", "same"),
        sum(one.verdict == "unsure" for one in said),
    )


def _made_up(number: int) -> list[Record]:
    """Client records of made-up people, another lot for each round."""
    import csv  # noqa: PLC0415 - who never practises need not wait for the names

    from pipelines.sample import make_sample  # noqa: PLC0415

    with TemporaryDirectory(prefix="oneclient-practice-") as folder:
        make_sample(Path(folder), clients=PEOPLE, visits=0, seed=number)
        with (Path(folder) / "records.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def _found(records: Sequence[Record]) -> dict[str, list[tuple[Record, Record]]]:
    """The pairs that one has to look at, by kind: no number tells, and both birth dates are given."""
    found: dict[str, list[tuple[Record, Record]]] = {}
    for group in _alike(records):
        for one, other in combinations(group, 2):
            kind = _kind(one, other)
            if (
                kind
                and not _told_by_a_number(one, other)
                and all(_DATE.fullmatch(r["DateOfBirth"]) for r in (one, other))
            ):
                found.setdefault(kind, []).append((one, other))
    return found


def _alike(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Records of one household, and of one name."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(("home", record["household_id"] or record["person_id"]), []).append(record)
        groups.setdefault(("name", record["Forename"].casefold(), record["Surname"].casefold()), []).append(record)
    return iter(groups.values())


def _kind(one: Record, other: Record) -> str:
    """What is hard about a pair; empty if nothing is, or something of which the answer would be in doubt."""
    kinds = {one["kind"], other["kind"]}
    if one["person_id"] == other["person_id"]:
        return next((kind for kind in ONE_PERSON if kind in kinds and kinds <= {kind, "plain"}), "")
    return next((kind for kind in TWO_PEOPLE if kinds == {kind}), "")


def _told_by_a_number(one: Record, other: Record) -> bool:
    return bool(one["NHSNumber"] and other["NHSNumber"]) or one["SocialServicesRef"] == other["SocialServicesRef"] != ""


def _lines(one: Record, other: Record) -> tuple[tuple[str, str, str], ...]:
    """What the two say, field by field, where either says anything."""
    lines = ((field, *(_said(record, columns) for record in (one, other))) for field, columns in FIELDS.items())
    return tuple((field, left, right) for field, left, right in lines if left or right)


def _said(record: Record, columns: Iterable[str]) -> str:
    said = ", ".join(record[column] for column in columns if record[column])
    return _DATE.sub(lambda found: found[4] or f"{found[3]}/{found[2]}/{found[1]}", said)
