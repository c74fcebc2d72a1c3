"""The queue: what the last night published, how each candidate stands now, and which of them somebody wants to see.

Read without the evidence, so that a thousand candidates are listed in a fraction of a second. The order is that of
the report, most harmful first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from pipelines.decisions.entry import Entry, Pair
from pipelines.decisions.standing import SETTLED, Standing
from pipelines.decisions.statement import person
from pipelines.decisions.store import DecisionStore
from pipelines.merge.contradiction import Confirmations
from pipelines.merge.finding import WatchLine
from pipelines.review.contents import Run
from pipelines.review.decide import last_published, standings_of
from pipelines.review.joined import Joined, Past
from pipelines.review.published import Queued, read_named, read_queue, read_run
from pipelines.settings import TIERS, Settings

ROWS_ON_A_PAGE = 25
STATES = {
    "waiting": "waiting for people",
    "open": "open: nobody has decided",
    "conflict": "conflict",
    "lapsed": "changed since it was decided",
    "unsure": "somebody was unsure",
    "same": "same",
    "merged": "merged",
    "different": "different",
    "all": "all",
}


@dataclass(frozen=True)
class Row:
    """A candidate as the queue lists it. ``torn``: it stands in a triangle of which not all can be right; ``standing``
    is None while nobody's verdict is in force; ``merge`` is the one by which the two count as one record now, and
    ``taken_back`` the last one that followed from this pair and was undone."""

    queued: Queued
    issuers: frozenset[str]
    torn: bool = False
    standing: Standing | None = None
    merge: Past | None = None
    taken_back: Past | None = None

    @property
    def state(self) -> str:
        """One of ``STATES``. What people dispute, or doubt, waits for them although it is merged."""
        stands = self.standing.standing if self.standing else "open"
        return "merged" if self.merge and stands in {"open", "same"} else stands

    @property
    def said(self) -> tuple[Entry, ...]:
        """The verdicts in force or lapsed, a person each, oldest first."""
        return self.standing.entries if self.standing else ()

    @property
    def candidate_id(self) -> str:
        """Its id."""
        return self.queued.candidate_id

    @property
    def pair(self) -> Pair:
        """The two client refs in alphabetical order."""
        left, right = self.queued.left_ref, self.queued.right_ref
        return min(left, right), max(left, right)

    @property
    def settled(self) -> bool:
        """Whether nothing is left to ask."""
        return self.state in {*SETTLED, "merged"}

    def said_by(self, who: str) -> Entry | None:
        """What this person said of it last and did not take back."""
        return next((entry for entry in reversed(self.said) if person(entry.who) == person(who)), None)

    def holds_for(self, who: str) -> Entry | None:
        """What this person said of it on the evidence as it is now."""
        entry = self.said_by(who)
        return entry if self.standing and entry in self.standing.current else None


@dataclass(frozen=True)
class Wanted:
    """What of the queue somebody wants to see; empty means any. ``found``: the candidates that a search found."""

    state: str = "waiting"
    tier: str = ""
    relation: str = ""
    blockers: str = ""
    system: str = ""
    found: frozenset[str] | None = None

    def fits(self, row: Row) -> bool:
        """Whether a row is wanted."""
        waits = not row.settled if self.state == "waiting" else self.state in {"all", row.state}
        return waits and self.fits_but_for_state(row)

    def fits_but_for_state(self, row: Row) -> bool:
        """Whether a row is wanted, however it stands."""
        queued = row.queued
        return (
            (self.found is None or queued.candidate_id in self.found)
            and self.tier in {"", queued.tier}
            and (not self.relation or bool(queued.relation) == (self.relation == "yes"))
            and self._fits_blockers(queued)
            and (not self.system or self.system in row.issuers)
        )

    def _fits_blockers(self, queued: Queued) -> bool:
        if self.blockers in {"yes", "no"}:
            return bool(queued.blockers) == (self.blockers == "yes")
        return not self.blockers or self.blockers in queued.blockers

    def as_query(self) -> dict[str, str]:
        """What differs from the ordinary queue, for an address; what was searched is not in it."""
        said = {f.name: (getattr(self, f.name), f.default) for f in fields(self) if f.name != "found"}
        return {name: value for name, (value, ordinary) in said.items() if value != ordinary}


@dataclass(frozen=True)
class Night:
    """The last published night as it stands now. ``named`` are the cases that reviewers opened by two client refs."""

    day: date
    run: Run
    rows: tuple[Row, ...]
    clusters: frozenset[str]
    joined: Joined = field(default_factory=lambda: Joined(()))
    named: tuple[Row, ...] = ()
    confirmed: frozenset[str] = frozenset()

    def row(self, candidate_id: str) -> Row | None:
        """The row of a candidate, or of a case that a reviewer named; None if there is none of that id."""
        return next((row for row in (*self.rows, *self.named) if row.candidate_id == candidate_id), None)

    def wanted(self, wanted: Wanted) -> list[Row]:
        """The rows that somebody wants to see, most harmful first."""
        return [row for row in self.rows if wanted.fits(row)]

    def beside(self, candidate_id: str, wanted: Wanted) -> tuple[str, str]:
        """The ids of the wanted candidates before and after one, which need not be wanted itself; empty at an end."""
        here = self.row(candidate_id)
        position = here.queued.position if here else -1
        others = [row for row in self.wanted(wanted) if row.candidate_id != candidate_id]
        before = [row.candidate_id for row in others if row.queued.position < position]
        after = [row.candidate_id for row in others if row.queued.position > position]
        return before[-1] if before else "", after[0] if after else ""

    def states(self) -> Counter[str]:
        """How many candidates stand how."""
        return Counter(row.state for row in self.rows)

    def contradicted(self) -> list[tuple[WatchLine, list[str]]]:
        """What the night found against merges, with the ids of those that stand and were not confirmed since."""
        found = (
            (line, [one for one in line.merge_ids if one in self.joined.live and one not in self.confirmed])
            for line in self.run.watch
            if line.contradicts
        )
        return [(line, merge_ids) for line, merge_ids in found if merge_ids]

    def systems(self) -> list[str]:
        """The councils and rostering systems whose records are in the queue."""
        return sorted(set().union(*(row.issuers for row in self.rows)), key=str.casefold)

    def blockers(self) -> list[str]:
        """The kinds of blocker in the way of the recommended survivor."""
        return sorted({kind for row in self.rows for kind in row.queued.blockers})


def look(settings: Settings, store: DecisionStore) -> Night:
    """The queue as it is now. Raises NoReportError when no night has published a report yet."""
    day = last_published(settings)
    folder = (settings.reports / day.isoformat()).resolve()
    if folder not in _NIGHTS:
        while len(_NIGHTS) > 3:
            _NIGHTS.pop(next(iter(_NIGHTS)))
        torn = _torn(folder)
        rows = tuple(Row(one, _issuers(one), one.candidate_id in torn) for one in read_queue(settings, day))
        _PUBLISHED_AT[folder] = (folder / "run.json").stat().st_mtime
        _NIGHTS[folder] = Night(day, read_run(settings, day), rows, _clusters(folder))
    night, entries = _NIGHTS[folder], store.entries()
    standings, joined = standings_of(settings, store, entries, day), Joined(entries)

    def stand_now(rows: Iterable[Row]) -> tuple[Row, ...]:
        return tuple(
            replace(
                row, standing=standings.get(row.pair), merge=joined.merge_of(row.pair),
                taken_back=joined.taken_back(row.pair),
            )
            for row in rows
        )  # fmt: skip

    named = (Row(one, _issuers(one)) for one in read_named(settings, day))
    since = Confirmations(joined.live, entries)
    confirmed = frozenset(
        merge_id
        for merge_id, signed in joined.live.items()
        if since.settle(merge_id, signed.merge.origins, _PUBLISHED_AT[folder])
    )
    return replace(night, rows=stand_now(night.rows), joined=joined, named=stand_now(named), confirmed=confirmed)


def read_wanted(query: Mapping[str, str], night: Night, found: frozenset[str] | None = None) -> Wanted:
    """What an address asks for; a value that is none of those offered is left out."""
    offered = offers(night)
    said = {name: query[name] for name in offered if query.get(name) in offered[name]}
    return Wanted(**said, found=found)


def offers(night: Night) -> dict[str, dict[str, str]]:
    """What may be chosen for each filter, with its words."""
    kinds = {kind: kind.replace("_", " ").lower() for kind in night.blockers()}
    return {
        "state": STATES,
        "tier": {"": "any", **{tier: tier for tier in TIERS}},
        "relation": {"": "any", "yes": "likely", "no": "none seen"},
        "blockers": {"": "any", "no": "nothing in the way", "yes": "something in the way", **kinds},
        "system": {"": "any", **{system: system for system in night.systems()}},
    }


def search(settings: Settings, night: Night, text: str, *, names: bool) -> frozenset[str]:
    """The candidates that hold every word of ``text`` in an id or, with ``names``, in a name of either record."""
    words = text.casefold().split()[:8]
    named = _names(settings, night.day) if names else {}

    def holds(row: Row) -> bool:
        queued = row.queued
        ids = (queued.candidate_id, queued.cluster_id, queued.left_ref, queued.right_ref)
        known = " ".join((*ids, named.get(queued.candidate_id, ""))).casefold()
        return all(word in known for word in words)

    return frozenset(row.candidate_id for row in night.rows if words and holds(row))


def _names(settings: Settings, day: date) -> dict[str, str]:
    """Forenames, surnames and other names of both records of each candidate."""
    parts = ("profile.list.element.field", "profile.list.element.value", "aliases.list.element.name")
    columns = ["candidate_id", *(f"{side}.{part}" for side in ("left", "right") for part in parts)]
    with pq.ParquetFile(settings.reports / day.isoformat() / "candidates.parquet") as file:
        rows = file.read(columns=columns).to_pylist()
    return {row["candidate_id"]: " ".join(_names_of((row["left"], row["right"]))) for row in rows}


def _names_of(sides: Iterable[Mapping[str, Sequence[Mapping[str, str]]]]) -> Iterable[str]:
    for side in sides:
        yield from (said["value"] for said in side["profile"] if "name" in said["field"].casefold())
        yield from (alias["name"] for alias in side["aliases"])


def _issuers(queued: Queued) -> frozenset[str]:
    return frozenset(ref.partition("/")[0] for ref in (queued.left_ref, queued.right_ref))


def _torn(folder: Path) -> frozenset[str]:
    with pq.ParquetFile(folder / "candidates.parquet") as file:
        rows = file.read(columns=["candidate_id", "triangles.list.element.third_ref"]).to_pylist()
    return frozenset(row["candidate_id"] for row in rows if row.get("triangles"))


def _clusters(folder: Path) -> frozenset[str]:
    with pq.ParquetFile(folder / "clusters.parquet") as file:
        return frozenset(file.read(columns=["cluster_id"])["cluster_id"].to_pylist())


_NIGHTS: dict[Path, Night] = {}
_PUBLISHED_AT: dict[Path, float] = {}
