"""Columns that a file does not have: what earlier files said stays known (P9)."""

from __future__ import annotations

from pipelines.feeds import FEEDS, Feed
from pipelines.ingest.history import KEYS
from pipelines.warehouse import Warehouse


def keep_known_values(warehouse: Warehouse) -> None:
    """Temporary relations ``known_<feed>``: the raw rows of each feed, to be read by the batch.

    Where a file of the batch has no column for a field that another file of the same feed and issuer filled, its rows
    have the value that the newest older row of the same key says, or null if that one says so.
    """
    for feed in FEEDS.values():
        lacking = _lacking(warehouse, feed)
        warehouse.execute(f"drop view if exists known_{feed.name}")
        warehouse.execute(f"drop table if exists known_{feed.name}")
        if lacking:
            warehouse.execute(f"create temp table known_{feed.name} as {_filled_in(feed, lacking)}")
        else:
            warehouse.execute(f"create temp view known_{feed.name} as from raw.{feed.name}")


def _lacking(warehouse: Warehouse, feed: Feed) -> list[str]:
    """The fields that a file of the batch lacks and an older file of its feed and issuer filled; keys are left out."""
    found = {
        name
        for (name,) in warehouse.rows(
            "select distinct unnest(list_intersect(lacks.fields_absent, older.fields_filled)) from batch as lacks"
            " join spoken_files as older on older.feed = lacks.feed and older.issuer = lacks.issuer"
            " where lacks.feed = $feed and older.place < lacks.place",
            {"feed": feed.name},
        )
    }
    return [name for name in feed.field_names if name in found and name not in _key(feed)]


def _key(feed: Feed) -> tuple[str, ...]:
    """What rows of one record share. The start of an enrolment may change, so it is no part of it here."""
    return tuple(name for name in KEYS[feed.name] if name != "start_date")


def _filled_in(feed: Feed, lacking: list[str]) -> str:
    order = (
        f"partition by r.issuer, {', '.join(f'r.{name}' for name in _key(feed))} order by f.place, r.row_number"
        " rows between unbounded preceding and current row"
    )
    filled = ", ".join(
        f"last_value(case when not coalesce(list_contains(f.fields_absent, '{name}'), false) then"
        f" {{'said': r.{name}}} end ignore nulls) over ({order}).said as {name}"
        for name in lacking
    )
    return f"select r.* replace ({filled}) from raw.{feed.name} as r join spoken_files as f on f.file_id = r.file_id"
