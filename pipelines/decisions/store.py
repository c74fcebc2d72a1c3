"""The decision store: an append-only log of what people decided, safe with many writers, and tamper-evident.

Each entry carries the hash of the one before it. Undo is a newer entry; nothing is ever changed or removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select

from pipelines.decisions.database import ENTRIES, EVIDENCE, open_database, reading, writing
from pipelines.decisions.entry import FIRST_HASH, Entry, entry_hash, first_broken
from pipelines.decisions.signoff import SignedPlan
from pipelines.decisions.standing import undone, unmerged
from pipelines.decisions.statement import (
    DOORS,
    LONGEST_REASON,
    DecisionRefusedError,
    Statement,
    checked,
    checked_who,
    person,
    tidied,
)
from pipelines.settings import Settings

_AT_ONCE = 500
_FILE_DOORS = frozenset(("workbook", "inbox"))


@dataclass(frozen=True)
class Recorded:
    """What became of one statement: its entry, which is ``new`` unless the same was recorded before."""

    entry: Entry
    new: bool


@contextmanager
def open_decisions(settings: Settings) -> Iterator[DecisionStore]:
    """The decision store of a home, made if it is not there yet.

    Raises SettingsError for a decisions.url that cannot be used, StoreUnavailableError when nobody answers.
    """
    with open_database(settings) as engine:
        yield DecisionStore(engine)


class DecisionStore:
    """An open decision store. Make one with ``open_decisions``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def entries(self, after: int = 0) -> list[Entry]:
        """The entries with a number above ``after``, oldest first, all as of one moment."""
        with reading(self.engine) as connection:
            return _entries(connection, after=after)

    def last(self) -> int:
        """The number of the newest entry, 0 if there is none."""
        with reading(self.engine) as connection:
            return connection.execute(select(func.max(ENTRIES.c.sequence_number))).scalar() or 0

    def record(self, statements: Sequence[Statement]) -> list[Recorded]:
        """Record what people say: all of it or nothing, in the order given.

        Twice is once: what the same person said already of the same facts, and has not said otherwise since, adds
        nothing (unless its merge was undone since); a file that is handed back again adds nothing even then.
        Raises DecisionRefusedError.
        """
        said = [checked(statement) for statement in statements]
        with writing(self.engine) as connection:
            log = _Log(connection, {statement.candidate_id for statement in said})
            return [log.say(statement) for statement in said]

    def undo(self, candidate_id: str, who: str, door: str, reason: str = "") -> Entry:
        """Take back what ``who`` decided last of a candidate; what they decided before that counts again.

        Raises DecisionRefusedError when they have no verdict on it in force.
        """
        who, reason = checked_who(who), tidied(reason, "reason", LONGEST_REASON)
        if door not in DOORS:
            raise DecisionRefusedError(f"The door has to be one of {', '.join(DOORS)}.")
        with writing(self.engine) as connection:
            return _Log(connection, {candidate_id}).undo(candidate_id, who, door, reason)

    def sign_off(self, plan: SignedPlan, who: str, door: str, reason: str) -> Entry:
        """Record that ``who`` signs off a plan.

        Raises DecisionRefusedError when another plan was signed off since it was drawn up.
        """
        who, reason = checked_who(who), tidied(reason, "reason", LONGEST_REASON)
        if door not in DOORS:
            raise DecisionRefusedError(f"The door has to be one of {', '.join(DOORS)}.")
        with writing(self.engine) as connection:
            last = connection.execute(
                select(func.max(ENTRIES.c.sequence_number)).where(ENTRIES.c.kind == "signoff")
            ).scalar()
            if (last or 0) != plan.after:
                raise DecisionRefusedError(
                    "Another merge or undo was signed off since this plan was drawn up. Plan again, and look at it.",
                    code="D11",
                )
            signed = Entry(0, who, door, "signoff", reason=reason or None, plan=plan.as_json())
            return _Log(connection, set()).append(signed)

    def facts(self, hashes: Iterable[str]) -> dict[str, str]:
        """The facts behind evidence hashes; those that were erased are left out."""
        with reading(self.engine) as connection:
            found: dict[str, str] = {}
            for some in _some(sorted(set(hashes))):
                rows = connection.execute(select(EVIDENCE).where(EVIDENCE.c.evidence_hash.in_(some)))
                found |= {row.evidence_hash: row.facts for row in rows}
            return found

    def erase_facts(self, hashes: Iterable[str]) -> int:
        """Forget facts for good, as a person may ask; the log keeps its hashes and stays whole. Gives their number."""
        with writing(self.engine) as connection:
            return sum(
                connection.execute(delete(EVIDENCE).where(EVIDENCE.c.evidence_hash.in_(some))).rowcount
                for some in _some(sorted(set(hashes)))
            )

    def verify_chain(self) -> int | None:
        """The number of the first entry that is not as it was recorded; None if all are."""
        return first_broken(self.entries())


class _Log:
    """The end of the log, and all entries about some candidates, while nobody else may write."""

    def __init__(self, connection: Connection, candidates: set[str]) -> None:
        self.connection = connection
        newest = connection.execute(select(ENTRIES).order_by(ENTRIES.c.sequence_number.desc()).limit(1)).first()
        self.last = Entry(**newest._mapping) if newest else None
        self.about: dict[str, list[Entry]] = {candidate: [] for candidate in candidates}
        for entry in _entries(connection, candidates):
            self.about[entry.candidate_id or ""].append(entry)
        self.apart_since = unmerged(_undoing(connection)) if candidates else {}

    def say(self, statement: Statement) -> Recorded:
        line = line_of(statement)
        if before := self._said_before(line):
            return Recorded(before, new=False)
        held = select(EVIDENCE.c.evidence_hash).where(EVIDENCE.c.evidence_hash == statement.evidence_hash)
        if self.connection.execute(held).first() is None:
            row = {"evidence_hash": statement.evidence_hash, "facts": statement.facts}
            self.connection.execute(insert(EVIDENCE).values(row))
        return Recorded(self.append(line), new=True)

    def undo(self, candidate_id: str, who: str, door: str, reason: str) -> Entry:
        taken_back = self._newest(candidate_id, who)
        if taken_back is None:
            raise DecisionRefusedError(
                "This person has no verdict on this candidate that could be taken back. "
                "Only one's own newest verdict can be undone; an undo cannot: decide again.",
                code="D9",
            )
        undo = Entry(
            sequence_number=0,
            who=who,
            door=door,
            kind="undo",
            candidate_id=candidate_id,
            left_ref=taken_back.left_ref,
            right_ref=taken_back.right_ref,
            reason=reason or None,
            undoes=taken_back.sequence_number,
        )
        return self.append(undo)

    def _said_before(self, line: Entry) -> Entry | None:
        about = self.about[line.candidate_id or ""]
        if line.door in _FILE_DOORS:
            same = (e for e in reversed(about) if e.door in _FILE_DOORS and says(e) == says(line))
            if found := next(same, None):
                return found
        newest = self._newest(line.candidate_id or "", line.who)
        if newest is None or says(newest) != says(line):
            return None
        return None if newest.sequence_number < self.apart_since.get(newest.pair, 0) else newest

    def _newest(self, candidate_id: str, who: str) -> Entry | None:
        about = self.about[candidate_id]
        gone = undone(about)
        theirs = [e for e in about if e.kind == "verdict" and person(e.who) == person(who)]
        return next((e for e in reversed(theirs) if e.sequence_number not in gone), None)

    def append(self, line: Entry) -> Entry:
        entry = replace(
            line,
            sequence_number=self.last.sequence_number + 1 if self.last else 1,
            recorded_at=datetime.now(UTC).isoformat(timespec="microseconds"),
            previous_hash=self.last.hash if self.last else FIRST_HASH,
        )
        entry = replace(entry, hash=entry_hash(entry))
        self.connection.execute(insert(ENTRIES).values(asdict(entry)))
        self.last = entry
        self.about.setdefault(entry.candidate_id or "", []).append(entry)
        return entry


def line_of(statement: Statement, sequence_number: int = 0) -> Entry:
    """The entry that a statement would make, without time and hashes."""
    probability, weight, seconds = statement.match_probability, statement.match_weight, statement.seconds_spent
    return Entry(
        sequence_number=sequence_number,
        who=statement.who,
        door=statement.door,
        kind="verdict",
        candidate_id=statement.candidate_id,
        left_ref=statement.left_ref,
        right_ref=statement.right_ref,
        verdict=statement.verdict,
        reason=statement.reason,
        choices=statement.choices.as_json(),
        evidence_hash=statement.evidence_hash,
        match_probability=None if probability is None else float(probability),
        match_weight=None if weight is None else float(weight),
        tier=statement.tier,
        model_version=statement.model_version,
        score_was_hidden=statement.score_was_hidden,
        seconds_spent=None if seconds is None else float(seconds),
    )


def says(entry: Entry) -> tuple[Any, ...]:
    """What a verdict says, by whom, of which facts: two entries that say the same are one."""
    return entry.pair, person(entry.who), entry.verdict, entry.reason, entry.choices, entry.evidence_hash


def _entries(connection: Connection, candidates: Iterable[str] | None = None, after: int = 0) -> list[Entry]:
    """Entries of these candidates (None: of all), oldest first."""
    wanted = select(ENTRIES).where(ENTRIES.c.sequence_number > after).order_by(ENTRIES.c.sequence_number)
    if candidates is None:
        return [Entry(**row._mapping) for row in connection.execute(wanted)]
    return [
        Entry(**row._mapping)
        for some in _some(sorted(candidates))
        for row in connection.execute(wanted.where(ENTRIES.c.candidate_id.in_(some)))
    ]


def _undoing(connection: Connection) -> list[Entry]:
    """The sign-offs that undo merges; nowhere but as a key can the word stand in quotes in canonical JSON."""
    wanted = select(ENTRIES).where(ENTRIES.c.kind == "signoff", ENTRIES.c.plan.contains('"undoes"'))
    return [Entry(**row._mapping) for row in connection.execute(wanted)]


def _some(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at a time as one statement may name."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
