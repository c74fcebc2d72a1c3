"""The files: the four feeds of DESIGN.md over all nights, each source with its own habits."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from pipelines.sample.books import Books
from pipelines.sample.doors import SYSTEMS
from pipelines.sample.orders_feed import write_orders
from pipelines.sample.roster_feed import write_clients, write_enrolments
from pipelines.sample.visits_feed import write_visits


def write_feeds(books: Books, folders: dict[date, Path]) -> tuple[int, int]:
    """Writes every night's files, in order, and returns how many files and how many bad rows in them.

    `folders` maps each night's date to its folder, in order. The books stand as of the last night afterwards.
    """
    bad_rows: list[int | None] = []
    for night, (day, folder) in enumerate(folders.items()):
        folder.mkdir(parents=True, exist_ok=True)
        if night:
            books.change(night)
        councils = range(len(books.population.councils))
        bad_rows += [write_orders(books, night, council, folder, day) for council in councils]
        for system in range(len(SYSTEMS)):
            for write in (write_clients, write_enrolments, write_visits):
                bad_rows.append(write(books, night, system, folder, day))
    written = [count for count in bad_rows if count is not None]
    return len(written), sum(written)


def nights_ending(day: date, nights: int) -> list[date]:
    """The dates of `nights` nights of which the last is `day`."""
    return [day - timedelta(days=before) for before in reversed(range(nights))]
