"""A made-up sample: people who receive home care, and the files that councils and rostering systems send about them.

Nobody in it exists. It is as hard as the field is: see `people` for who is easily confused with whom, `dirt` for what
goes wrong in writing, `doors` for why references fail to match, `books` for what is recorded of them, `feeds` and the
modules of each feed for the files, `writing` for the habits of their senders, and `truth` for what is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from pipelines.sample.books import Books
from pipelines.sample.doors import open_doors
from pipelines.sample.feeds import nights_ending, write_feeds
from pipelines.sample.own_layouts import write_mappings
from pipelines.sample.people import make_population
from pipelines.sample.places import COUNCILS, WITH_LAYOUTS_OF_THEIR_OWN
from pipelines.sample.truth import records_table, truth_table
from pipelines.sample.writing import Habits, write_csv

__all__ = ["SampleSummary", "make_sample"]


@dataclass(frozen=True)
class SampleSummary:
    """What a sample holds.

    - `people`: true people; `records`: client records that the two doors would make of them (rows of `records.csv`);
    - `duplicate_pairs`: pairs of such records that are one person;
    - `files`, `bad_rows`: files in the inbox, and rows in them that no reader should accept;
    - `by_kind`: rows of `truth.csv` by what is hard about them, most first.
    """

    people: int
    records: int
    files: int
    duplicate_pairs: int
    bad_rows: int
    by_kind: dict[str, int]


def make_sample(
    out: Path,
    *,
    clients: int,
    visits: int,
    seed: int,
    nights: int = 1,
    day: date = date(2026, 11, 20),
    own_layouts: bool = False,
) -> SampleSummary:
    """Writes `out/inbox/`, `out/truth.csv` and `out/records.csv`; the same arguments give the same bytes.

    The last three columns of `records.csv` (`person_id`, `household_id`, `kind`) are the truth about each record.
    `clients` is the number of true people, `visits` of distinct visits over all `nights`, of which the last is `day`.
    With several nights, each has a dated folder in the inbox. With `own_layouts`, five councils send orders instead of
    three; two of them in layouts of their own, and `out/sources/` has the source mappings that a home needs for them.
    ValueError when a number is out of range or the inbox
    already holds files.
    """
    if clients < 1:
        raise ValueError(f"A sample needs at least one client, not {clients}; give clients=1 or more.")
    if visits < 0:
        raise ValueError(f"The number of visits cannot be {visits}; give visits=0 or more.")
    if nights < 1:
        raise ValueError(f"A sample covers at least one night, not {nights}; give nights=1 or more.")
    inbox = out / "inbox"
    if inbox.exists() and any(inbox.iterdir()):
        raise ValueError(f"The folder {inbox} is not empty; empty it, or choose another folder for the sample.")

    rng = np.random.Generator(np.random.PCG64(seed))
    councils = COUNCILS + WITH_LAYOUTS_OF_THEIR_OWN if own_layouts else COUNCILS
    population = make_population(rng, clients, day, councils)
    doors = open_doors(rng, population, nights)
    folders = {night: inbox if nights == 1 else inbox / f"{night:%Y-%m-%d}" for night in nights_ending(day, nights)}
    books = Books(rng, population, doors, visits, folders)
    files, bad_rows = write_feeds(books, folders)
    if own_layouts:
        write_mappings(out / "sources")
    truth = truth_table(books)
    write_csv(rng, out / "truth.csv", truth, Habits())
    by_kind = {str(kind): int(count) for kind, count in truth["kind"].value_counts().items()}
    del truth  # a million clients make tables that should not be held side by side
    records = records_table(books)
    write_csv(rng, out / "records.csv", records, Habits())
    of_one_person = records["person_id"].value_counts().to_numpy()
    return SampleSummary(
        people=clients,
        records=len(records),
        files=files,
        duplicate_pairs=int((of_one_person * (of_one_person - 1) // 2).sum()),
        bad_rows=bad_rows,
        by_kind=by_kind,
    )
