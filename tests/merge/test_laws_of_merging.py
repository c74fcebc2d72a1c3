"""Laws 2 to 7 of merging, over histories drawn at random: people decide, ranges are merged, merges are undone, and
files keep coming in. Beside each provider lives a twin with the same files where nobody ever merges.

And whoever kills a merge, an undo or a night at any moment finds, once the same command has run again, what an
undisturbed one leaves.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from office import NIGHT, Row, client, enrolment, order, visit
from processes import Processes
from the_merges import CURRENT, Provider

from pipelines.cli import main
from pipelines.decisions.crosswalk import crosswalk, ever_joined, live_merges
from pipelines.decisions.store import open_decisions
from pipelines.nightly import run_night
from pipelines.warehouse import open_warehouse

FULL = os.environ.get("PROVE") == "full"
FEW = settings(max_examples=300 if FULL else 2)

# Seven records of whom anybody may prove to be anybody: four on the books of rostering systems, three of councils.
SYSTEMS = ("acme", "birdie", "careplan", "rosterly")
COUNCILS = ("essex", "kent", "leeds")
RECORDS = (*(f"{system}/1" for system in SYSTEMS), *(f"{council.upper()}/reference/77" for council in COUNCILS))
NAMES = {"acme": "Ann", "birdie": "Annie", "careplan": "Anna", "rosterly": "Nan"}
MONTHS = tuple(date(2026, month, 1) for month in (8, 9, 10, 11, 12))


def a_client(system: str, **cells: object) -> Row:
    known_as = {"KnownAs": "Nancy"} if system in {"acme", "birdie"} else {}
    return client("1", Forename=NAMES[system], Phone="01206 555111", **known_as, **cells)


def an_order(council: str, number: int, **cells: object) -> Row:
    return order(f"PO{number}", SocialServicesRef="77", Rate="20", WeeklyUnits=str(number), **cells)


def visits_of(system: str, on: Iterable[date], status: str = "Completed") -> list[Row]:
    return [visit(f"{day:%m%d}", "1", VisitDate=f"{day:%d/%m/%Y}", Status=status) for day in on]


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seven after their first night; no test changes them."""
    provider = Provider(tmp_path_factory.mktemp("seven") / "home")
    for number, system in enumerate(SYSTEMS):
        provider.clients(a_client(system), system=system)
        days = [day + timedelta(days=3 + number) for day in MONTHS]
        provider.visits(*visits_of(system, days), system=system)
    for number, council in enumerate(COUNCILS, start=1):
        provider.orders(an_order(council, number, EndDate="" if number > 1 else "05/11/2026"), council=council)
    provider.enrolments(enrolment("1", "HC-24"))
    provider.enrolments(enrolment("1", "HC-24"), enrolment("1", "HC-22"), system="acme")
    provider.night()
    return provider.settings.home


class Story:
    """A provider, its twin that never merges, and for whom each visit of the provider has to count."""

    def __init__(self, first_night: Path, folder: Path, partition: str = "month") -> None:
        self.provider = self._home(first_night, folder / "home", partition)
        self.twin = self._home(first_night, folder / "twin", partition)
        self.counts = {name: origin for name, (origin, *_) in _visits(self.twin).items()}
        self.day = NIGHT

    def _home(self, first_night: Path, home: Path, partition: str) -> Provider:
        shutil.copytree(first_night, home, symlinks=True)
        (home / "settings.toml").write_text(f'[merge]\npartition = "{partition}"\n')
        return Provider(home)

    def decide(self, one: str, other: str, verdict: str, names_survivor: bool) -> None:
        """An analyst decides on two records that do not count for one yet."""
        now = self.crosswalk()
        if one == other or now.get(one, one) == now.get(other, other):
            return
        said: dict[str, Any] = {}
        if verdict == "same":
            said = {"move_active_orders": True, "aliases": "keep", "enrolments": {"HC-24": min(one, other)}}
            said |= {"survivor": one} if names_survivor else {}
        self.provider.decides(f"{one} {other}", verdict, **said)

    def merge(self, first: int, months: int) -> int:
        """What may be merged is, within a range of months; or without one. Gives how many merges were signed off."""
        since = MONTHS[first] if first < len(MONTHS) else None
        until = MONTHS[first + months] if since and first + months < len(MONTHS) else None
        outcome = self.provider.apply(from_on=since, to_on=until)
        event(f"merged {outcome.merges}")
        in_range = _between(since, until, self.day)
        self._count_anew(lambda origin, day: day is None or in_range(day))
        return outcome.merges

    def merge_all(self) -> None:
        """Whatever may be merged is: of a partial merge first the rest, and only then what its records wait with."""
        for _ in RECORDS:
            if not self.merge(len(MONTHS), 1):
                return
        pytest.fail("There are more merges than records.")

    def undo(self, which: int) -> None:
        """One of the merges that stand is taken back."""
        live = list(live_merges(self._entries()))
        if not live:
            return
        taken_back = live[which % len(live)]
        groups = ever_joined(self._entries())
        reached = {groups.of(ref) for ref in live_merges(self._entries())[taken_back].merge.origins}
        self.provider.undo(taken_back)
        event("undone, others stand" if len(live) > 1 else "undone")
        self._count_anew(lambda origin, day: groups.of(origin) in reached)

    def arrive(self, kind: str, of: int) -> None:
        """A file comes in, at the provider and at its twin."""
        self.day += timedelta(days=1)
        before = _visits(self.twin)
        for office in (self.provider, self.twin):
            _deliver(office, kind, of, self.day)
            office.night(self.day)
        now = self.crosswalk()
        after = _visits(self.twin)
        self.counts |= {name: now.get(row[0], row[0]) for name, row in after.items() if before.get(name) != row}

    def crosswalk(self) -> dict[str, str]:
        return crosswalk(signed.merge for signed in live_merges(self._entries()).values())

    def holds(self) -> None:
        """Everything that must hold between any two steps."""
        now = self.crosswalk()
        assert self.provider.crosswalk() == now
        # Conservation: whatever a row says, and the record that it came in for, is as at the twin's.
        assert _as_sent(self.provider) == _as_sent(self.twin)
        # Every row counts for whom it should, and nothing that counts today for a merged-away record.
        assert _counted(self.provider) == {(origin, now.get(origin, origin)) for origin, _ in _counted(self.twin)}
        assert {name: row[1] for name, row in _visits(self.provider).items()} == self.counts
        to_come = (row[1] for row in _visits(self.provider).values() if row[2] > self.day)
        assert not now.keys() & {*(client_ref for _, client_ref in _counted(self.provider)), *to_come}

    def _count_anew(self, moved: Callable[[str, date | None], bool]) -> None:
        now = self.crosswalk()
        for name, (origin, _, day, *_) in _visits(self.twin).items():
            if moved(origin, None if day > self.day else day):
                self.counts[name] = now.get(origin, origin)

    def _entries(self) -> list[Any]:
        with open_decisions(self.provider.settings) as store:
            return store.entries()


def _deliver(office: Provider, kind: str, of: int, day: date) -> None:
    system, council, on = SYSTEMS[of % len(SYSTEMS)], COUNCILS[of % len(COUNCILS)], f"{day:%Y%m%d}"
    if kind == "new visits":
        office.visits(*visits_of(system, [day - timedelta(days=1), date(2026, 9, 1 + of), day + timedelta(days=30)]),
                      system=system, on=on)  # fmt: skip
    elif kind == "visits again, one cancelled":
        again = [m + timedelta(days=3 + of % len(SYSTEMS)) for m in MONTHS]
        office.visits(*visits_of(system, again[1:]), *visits_of(system, again[:1], "Cancelled"), system=system, on=on)
    elif kind == "orders":
        office.orders(an_order(council, 1 + of % 3), an_order(council, day.day, ContractNumber="HC-22"),
                      council=council, on=on)  # fmt: skip
    elif kind == "enrolments":
        office.enrolments(enrolment("1", "HC-24"), enrolment("1", f"HC-{day.day}"), system=system, on=on)
    elif kind == "a house move":
        office.clients(a_client(system, Address1=f"{day.day} Mill Lane", SocialServicesRef="77"), system=system, on=on)
    else:
        office.clients(a_client(system), client(f"N{day.day}", SocialServicesRef="77"), system=system, on=on)


def _visits(office: Provider) -> dict[str, tuple[Any, ...]]:
    """Each visit: the record that it came in for, the one that it counts for, its day, and whatever else it says."""
    rows = office.rows(
        "select v.issuer || v.visit_id, o.client_ref, c.client_ref, v.visit_on, v.status, v.sent_on"
        " from staged.visits as v join staged.client_ids as o on o.client_id = v.origin_client_id"
        " join staged.client_ids as c on c.client_id = v.client_id"
    )
    return {name: tuple(row) for name, *row in rows}


def _counted(office: Provider) -> set[tuple[str, str]]:
    """For each kind of row but visits, and for the records themselves: who it came in for, and whom it counts for."""
    every = " union ".join(f'select origin_client_id as one, client_id as other from staged."{t}"' for t in CURRENT)
    found: list[tuple[str, str]] = office.rows(
        "select o.client_ref, c.client_ref"
        f" from ({every} union select client_id, survivor_id from staged.clients) as t"
        " join staged.client_ids as o on o.client_id = t.one join staged.client_ids as c on c.client_id = t.other"
    )
    return set(found)


def _as_sent(office: Provider) -> dict[str, tuple[int, Any]]:
    """Rows of each table, and a hash of all that they hold but whom they count for."""
    with open_warehouse(office.settings) as warehouse:
        return {
            table: warehouse.rows(
                f'select count(*), sum(hash(t)) from (select * exclude ({key}) from staged."{table}") t'
            )[0]
            for table, key in {**dict.fromkeys((*CURRENT, "visits"), "client_id"), "clients": "survivor_id"}.items()
        }


def _between(since: date | None, until: date | None, today: date) -> Callable[[date], bool]:
    return lambda day: (since or date.min) <= day < (until or date.max)


someone = st.sampled_from(RECORDS)
a_decision = st.tuples(
    st.just("decide"), someone, someone, st.sampled_from(("same", "same", "same", "different")), st.booleans()
)
a_merge = st.tuples(st.just("merge"), st.integers(0, 5), st.integers(1, 4))
an_undo = st.tuples(st.just("undo"), st.integers(0, 3))
KINDS = ("new visits", "visits again, one cancelled", "orders", "enrolments", "a house move", "a new client")
an_arrival = st.tuples(st.just("arrive"), st.sampled_from(KINDS), st.integers(0, 11))
a_story = st.lists(
    st.one_of(a_decision, a_decision, a_decision, a_merge, a_merge, an_undo, an_arrival), min_size=6, max_size=12
)
Step = tuple[Any, ...]
WAITS_FOR_A_PARTIAL_ONE: list[Step] = [
    ("decide", "LEEDS/reference/77", "acme/1", "same", False),
    ("merge", 0, 1),
    ("decide", "acme/1", "rosterly/1", "same", False),
]


def tell(story: Story, steps: Iterable[Step]) -> None:
    for what, *words in steps:
        getattr(story, what)(*words)
        if what != "decide":
            story.holds()


@pytest.mark.prove
@FEW
@given(steps=a_story, partition=st.sampled_from(("week", "month", "quarter", "year")))
@example(steps=WAITS_FOR_A_PARTIAL_ONE, partition="quarter")
def test_whatever_happens_every_row_counts_for_whom_it_should_and_undoing_all_is_as_if_nobody_had_merged(
    first_night: Path, tmp_path_factory: pytest.TempPathFactory, steps: list[Step], partition: str
) -> None:
    story = Story(first_night, tmp_path_factory.mktemp("story"), partition)
    tell(story, steps)
    story.merge_all()
    story.holds()
    once = story.provider.fingerprint()
    story.merge(len(MONTHS), 1)
    assert story.provider.fingerprint() == once
    story.provider.undo()
    assert story.provider.crosswalk() == {}
    assert story.provider.fingerprint("linked") == story.twin.fingerprint("linked")


@pytest.mark.prove
@FEW
@given(
    decisions=st.lists(a_decision, min_size=2, max_size=5),
    ranges=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), min_size=1, max_size=3),
)
def test_month_by_month_in_any_order_is_all_at_once(
    first_night: Path,
    tmp_path_factory: pytest.TempPathFactory,
    decisions: list[Step],
    ranges: list[tuple[int, int]],
) -> None:
    bit_by_bit = Story(first_night, tmp_path_factory.mktemp("bits"))
    tell(bit_by_bit, decisions)
    at_once = shutil.copytree(bit_by_bit.provider.settings.home, tmp_path_factory.mktemp("once") / "home")
    for first, months in ranges:
        bit_by_bit.merge(first, months)
        bit_by_bit.holds()
    bit_by_bit.merge(len(MONTHS), 1)
    Provider(at_once).apply()
    tables = ("merged.crosswalk", "merged.choices")
    assert bit_by_bit.provider.fingerprint("linked") == Provider(at_once).fingerprint("linked")
    for table in tables:
        assert bit_by_bit.provider.rows(f"from {table} order by all") == Provider(at_once).rows(
            f"from {table} order by all"
        )


# -- Killed at any moment -------------------------------------------------------------------------------------------

COMMANDS = {
    "apply": ("merge", "apply", "--by", "Sam"),
    "undo": ("merge", "undo", "--all", "--by", "Kim"),
    "nightly": ("nightly", "--day", "2026-11-21"),
}


@dataclass
class Undisturbed:
    """A home before a command, the state after it, and how long it takes in a process of its own."""

    before: Path
    after: str
    seconds: float


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    processes = Processes()
    yield processes
    processes.end()


@pytest.fixture(scope="module")
def undisturbed(
    first_night: Path, processes: Processes, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Undisturbed]:
    """Each command as it goes when nothing goes wrong: five are merged into two, and taken apart again; and a night
    that brings rows to all of them while they are merged."""
    folder = tmp_path_factory.mktemp("undisturbed")
    story = Story(first_night, folder / "story", "week")
    run_night(story.provider.settings, story.provider.settings.inbox, NIGHT)
    for one, other in (("acme/1", "birdie/1"), ("birdie/1", "KENT/reference/77"), ("careplan/1", "rosterly/1")):
        story.decide(one, other, "same", names_survivor=one != "birdie/1")
    merged = shutil.copytree(story.provider.settings.home, folder / "merged", symlinks=True)
    Provider(merged).apply()
    delivered = shutil.copytree(merged, folder / "delivered", symlinks=True)
    for number, kind in enumerate(KINDS):
        _deliver(Provider(delivered), kind, number, NIGHT + timedelta(days=1))
    found = {}
    for command, before in {"apply": story.provider.settings.home, "undo": merged, "nightly": delivered}.items():
        after = shutil.copytree(before, folder / f"after-{command}", symlinks=True)
        ended = processes.run(*COMMANDS[command], "--home", after)
        assert ended.code == 0, ended.complained
        found[command] = Undisturbed(before, Provider(after).fingerprint(), ended.seconds)
        assert found[command].after != Provider(before).fingerprint()
    return found


@pytest.mark.prove
@pytest.mark.parametrize(
    ("command", "seed"),
    [(command, seed) for seed in range(20 if FULL else 1) for command in COMMANDS],
)
def test_killed_at_any_moment_and_run_again_it_is_as_if_nothing_had_happened(
    undisturbed: dict[str, Undisturbed],
    processes: Processes,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    command: str,
    seed: int,
) -> None:
    told = undisturbed[command]
    home = shutil.copytree(told.before, tmp_path / "home", symlinks=True)
    moment = random.Random(f"{command} {seed}").uniform(0, told.seconds)  # noqa: S311 - a moment, not a secret
    ended = processes.run(*COMMANDS[command], "--home", home, kill_after=moment)
    told.seconds = told.seconds if ended.code is None else ended.seconds
    left_behind = Provider(home).fingerprint()
    record_property(
        "left", {Provider(told.before).fingerprint(): "as before", told.after: "done"}.get(left_behind, "half")
    )
    again = CliRunner().invoke(main, [*COMMANDS[command], "--home", str(home)])
    assert (again.exit_code, again.stderr) == (0, "")
    assert Provider(home).fingerprint() == told.after
