"""The clothes test: whatever clothes a clean file comes in, the register is that of the clean rendering.

A difference is allowed only where it is accounted for: the register must then be, exactly, that of the clean files
without the rows that were rejected, the cells that were listed as unread and the files that were quarantined. Anything
else is a silent difference, and fails. What the policy promises to read (`is_promised`) may not even be rejected.

Staging is a function of what landing wrote. So where landing wrote exactly what it writes of the clean files, only one
night in ten is staged as well; where it wrote anything else, every one is.

One night is four renderings, one of each feed: 200 renderings by default, 5,000 in `make prove`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from office import NIGHT, Office
from the_clean_feeds import FILES, NUMBER_OF_ROW, Cell, Row, clean_feeds, number_of, types_of
from the_clothes import CHANGES, HEADINGS, ONLY_WORKBOOK, Style, dressed, is_promised, settled

from pipelines.ingest.discover import discover
from pipelines.ingest.land import Landing, open_landings
from pipelines.stage.register import stage_files
from pipelines.warehouse import Warehouse, open_warehouse

FULL = os.environ.get("PROVE") == "full"
NIGHTS = 1_250 if FULL else 50
CLEAN = Style()
TABLES = ("clients", "visits", "purchase_orders", "enrolments", "references", "contacts")
NOT_COMPARED = {"file_id", "row_number", "compared_hash", "survivor_id", "placeholders", "born_as_sent"}
IDS_INSIDE = ("client_id", "origin_client_id")

Rows = Mapping[str, Sequence[Row]]
State = dict[str, list[str]]


@st.composite
def styles(draw: st.DrawFn, feed: str) -> Style:
    """A style: the clean one with up to a dozen changes."""
    names = draw(st.lists(st.sampled_from(list(CHANGES)), unique=True, max_size=12))
    changes = {name: draw(st.sampled_from(CHANGES[name])) for name in names}
    return settled(replace(CLEAN, **changes), feed)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Night:
    """What became of one night's files: the landing of each feed, and what was rejected or left unread in it.

    `rejected` are the numbers of rows; `unread` is (number of the row, field) with the text that stands for the cell;
    `written` is all that was loaded.
    """

    office: Office
    landings: Mapping[str, Landing]
    rejected: Mapping[str, frozenset[str]]
    unread: Mapping[str, Mapping[tuple[str, str], str | None]]
    written: State

    @property
    def has_losses(self) -> bool:
        """Whether anything was rejected, left unread or quarantined that the clean files hold."""
        held = any(landing.status != "loaded" for landing in self.landings.values())
        return held or any(self.rejected.values()) or any(self.unread.values())


def _only(feed: str, **changes: Any) -> dict[str, Style]:
    """A night that once was read wrongly: one feed in a style, the others clean."""
    return {**dict.fromkeys(FILES, CLEAN), feed: replace(CLEAN, **changes)}


@given(night=st.fixed_dictionaries({feed: styles(feed) for feed in FILES}), lot=st.integers(0, 9))
@example(night=_only("roster_clients", columns="reversed", below=("Total clients: 12",), footer_cells="a sum"), lot=0)
@example(night=_only("roster_enrolments", kind="xlsx", dates="serial", since_1904=True), lot=0)
@example(night=_only("purchase_orders", encoding="cp1252", names="soft hyphen"), lot=0)
@settings(max_examples=NIGHTS, derandomize=not FULL, phases=[Phase.explicit, Phase.generate])  # see `simplest`
@pytest.mark.prove
def test_clothes_change_nothing_in_silence(
    tmp_path_factory: pytest.TempPathFactory, night: dict[str, Style], lot: int
) -> None:
    problem = problem_with(night, tmp_path_factory.mktemp("clothes"), stage_always=lot == 9)
    if problem and (key := str(night)) not in _SIMPLEST:  # Hypothesis runs a failing night several times
        _SIMPLEST[key] = simplest(night, problem, tmp_path_factory)
    assert not problem, _SIMPLEST[str(night)]


def _alone() -> Iterator[Any]:
    """Every change by itself, with what it needs to have an effect."""
    for name, values in CHANGES.items():
        more = {"kind": "xlsx"} if name in ONLY_WORKBOOK else {"below": ("End of report",)} if "footer" in name else {}
        for value in values:
            yield pytest.param({**more, name: value}, id=f"{name}={value!r}")


@pytest.mark.skipif(not FULL, reason="each is among the mixed ones, so it is only for telling which one fails")
@pytest.mark.prove
@pytest.mark.parametrize("changes", _alone())
def test_one_change_alone_changes_nothing(tmp_path: Path, changes: dict[str, Any]) -> None:
    problem = problem_with({feed: settled(replace(CLEAN, **changes), feed) for feed in FILES}, tmp_path)
    assert not problem, problem


def test_the_clean_rendering_is_read_whole(tmp_path: Path) -> None:
    night = landed(dict.fromkeys(FILES, CLEAN), clean_feeds(), tmp_path)
    assert [landing.status for landing in night.landings.values()] == ["loaded"] * 4
    assert not night.has_losses
    assert difference(clean_state(), staged(night.office)) == ""
    clients = night.office.rows("select forename, surname, born_on::varchar from staged.clients where forename = 'Zoë'")
    assert clients == [("Zoë", "O'Sullivan", "1938-04-03")]


def test_a_row_that_differs_in_silence_would_be_seen(tmp_path: Path) -> None:
    """The test of the test: a changed birth date is a difference, though nothing was rejected."""
    rows = clean_feeds()
    rows["roster_clients"][3] = {**rows["roster_clients"][3], "date_of_birth": date(1941, 12, 24)}
    night = landed(dict.fromkeys(FILES, CLEAN), rows, tmp_path)
    assert "1941-12-24" in difference(clean_state(), staged(night.office))


def problem_with(night: Mapping[str, Style], folder: Path, *, stage_always: bool = True) -> str:
    """What is wrong with how a night of dressed files was read; empty if nothing is."""
    try:
        return _problem_with(night, folder, stage_always)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_SIMPLEST: dict[str, str] = {}


def simplest(night: dict[str, Style], problem: str, folders: pytest.TempPathFactory) -> str:
    """The problem that is left once every change is undone that it does not need.

    Hypothesis would try some hundred nights for that; this takes as many as there are changes.
    """
    for feed in FILES:
        for undone in (tuple(CHANGES), *((name,) for name in CHANGES)):
            fewer = replace(night[feed], **{name: getattr(CLEAN, name) for name in undone})
            smaller = {**night, feed: settled(fewer, feed)}
            if smaller != night and (still := problem_with(smaller, folders.mktemp("smaller"))):
                night, problem = smaller, still
    return problem


def _problem_with(night: Mapping[str, Style], folder: Path, stage_always: bool) -> str:
    clean = clean_feeds()
    result = landed(night, clean, folder)
    for feed, landing in result.landings.items():
        if landing.rows_read != landing.rows_loaded + landing.rows_rejected:
            return _told(night, feed, f"{landing.rows_read} rows read are not {landing.rows_loaded} loaded and "
                                      f"{landing.rows_rejected} rejected")  # fmt: skip
        if landing.status == "loaded" and landing.rows_read < len(clean[feed]) + night[feed].repeated_rows:
            return _told(night, feed, f"only {landing.rows_read} rows were read")
        if is_promised(night[feed]) and (loss := _loss(result, feed)):
            return _told(night, feed, f"what the policy promises to read was not read: {loss}")
    if not stage_always and not result.has_losses and result.written == clean_landing():
        return ""
    left = what_is_left(clean, result)
    expected = staged_of(left) if result.has_losses else clean_state()
    if found := difference(expected, staged(result.office)):
        return _told(night, None, f"A SILENT DIFFERENCE (first as it must be, then as it was read)\n{found}")
    return ""


def landed(night: Mapping[str, Style], feeds: Rows, folder: Path) -> Night:
    """Write the feeds in their styles and land them in a home of their own."""
    office = Office(folder / "home")
    office.settings.sources.mkdir(parents=True, exist_ok=True)
    for feed in (feed for feed in FILES if night[feed].kind == "xlsx"):
        headings = HEADINGS[feed]
        lines = [f"  {heading}: {field}" for field, heading in headings.items()]
        text = (Path(__file__).parents[2] / "pipelines" / "sources" / f"{feed}.yaml").read_text("utf-8")
        above = [line for line in text.split("columns:")[0].splitlines() if not line.startswith(("files:", "never_"))]
        mapping = [*above, f'files: ["*_{feed}_*.xlsx"]', "columns:", *lines]
        (office.settings.sources / f"workbook_{feed}.yaml").write_text("\n".join(mapping) + "\n", "utf-8")
    for feed, rows in feeds.items():
        if rows:
            ending, content = dressed(rows, feed, night[feed])
            office.deliver(f"{FILES[feed]}{ending}", content)
    with open_landings(office.settings, NIGHT) as open_home:
        deliveries = discover(office.settings.inbox, NIGHT)
        landings = {landing.feed: landing for landing in (open_home.land(each.path) for each in deliveries)}
        return Night(
            office,
            landings,
            {feed: _rejected(open_home.warehouse, feed, feeds[feed], landings[feed]) for feed in landings},
            {feed: _unread(open_home.warehouse, feed, feeds[feed]) for feed in landings},
            _written(open_home.warehouse),
        )


def _written(warehouse: Warehouse) -> State:
    """What landing wrote, but for the places of rows in their files."""
    return {
        feed: sorted(map(repr, warehouse.rows(f"select * exclude (file_id, row_number) from raw.{feed}")))
        for feed in FILES
    }


def _rejected(warehouse: Warehouse, feed: str, rows: Sequence[Row], landing: Landing) -> frozenset[str]:
    """The numbers of the rows that were rejected and not loaded from a repeated row either."""
    if landing.status != "loaded":
        return frozenset()
    sent = warehouse.rows(
        "select r.row_as_sent from raw.rejected_rows as r join raw.files as f using (file_id) where f.feed = $feed",
        {"feed": feed},
    )
    loaded = warehouse.rows(f"select {NUMBER_OF_ROW[feed]} from raw.{feed}")
    numbers = {number_of(row, feed) for row in rows}
    return frozenset(_met(numbers, sent) - _met(numbers, loaded))


def _met(numbers: set[str], texts: Sequence[tuple[str, ...]]) -> set[str]:
    return {number for number in numbers if any(number in str(text) for (text,) in texts)}


def _unread(warehouse: Warehouse, feed: str, rows: Sequence[Row]) -> dict[tuple[str, str], str | None]:
    cells = warehouse.rows(
        f"select r.{NUMBER_OF_ROW[feed]}, u.column_name, to_json(r)::varchar from raw.unread_values as u"
        f" join raw.{feed} as r on r.file_id = u.file_id and r.row_number = u.row_number"
    )
    texts = {field for field, kind in types_of(feed).items() if kind == "text"}
    numbers = [number_of(row, feed) for row in rows]
    return {
        (number, field): json.loads(row)[field] if field in texts else None
        for key, field, row in cells
        for number in numbers
        if number in key
    }


def _loss(night: Night, feed: str) -> str:
    """What of this feed was not read, in a line; empty if all was."""
    landing = night.landings[feed]
    if landing.status != "loaded":
        return f"{landing.status} ({landing.code}): {landing.reason}"
    if night.rejected[feed]:
        reasons = night.office.rows(
            "select distinct coalesce(r.column_name || ': ', '') || r.reason from raw.rejected_rows as r"
            " join raw.files as f using (file_id) where f.feed = $feed order by 1",
            feed=feed,
        )
        return f"{len(night.rejected[feed])} rows rejected ({'; '.join(reason for (reason,) in reasons)})"
    if night.unread[feed]:
        kept = night.office.rows(
            "select u.column_name || ': ' || u.value_as_sent || ', ' || u.reason from raw.unread_values as u"
            " join raw.files as f using (file_id) where f.feed = $feed order by u.row_number limit 3",
            feed=feed,
        )
        return f"{len(night.unread[feed])} cells unread ({'; '.join(one for (one,) in kept)})"
    return ""


def what_is_left(feeds: Rows, night: Night) -> dict[str, list[Row]]:
    """The clean rows but for those that were rejected or quarantined, unread cells as they were kept."""

    def kept(feed: str, row: Row) -> Row:
        number = number_of(row, feed)
        return {field: night.unread[feed].get((number, field), cell) for field, cell in row.items()}

    return {
        feed: [kept(feed, row) for row in rows if number_of(row, feed) not in night.rejected[feed]]
        for feed, rows in feeds.items()
        if feed in night.landings and night.landings[feed].status == "loaded"
    }


_STATES: dict[str, State] = {}


def staged_of(feeds: Rows) -> State:
    """The register that these rows come to in the clean rendering."""
    key = repr({feed: [list(row.values()) for row in rows] for feed, rows in sorted(feeds.items())})
    if key not in _STATES:
        with tempfile.TemporaryDirectory(prefix="oneclient-clean-") as folder:
            _STATES[key] = staged(landed(dict.fromkeys(FILES, CLEAN), feeds, Path(folder)).office)
    return _STATES[key]


@cache
def clean_state() -> State:
    """The register of the clean rendering of all four feeds."""
    return staged_of(clean_feeds())


@cache
def clean_landing() -> State:
    """What landing writes of the clean rendering of all four feeds."""
    with tempfile.TemporaryDirectory(prefix="oneclient-clean-") as folder:
        return landed(dict.fromkeys(FILES, CLEAN), clean_feeds(), Path(folder)).written


def staged(office: Office) -> State:
    """Bring the register up to date and give its rows as text, client records by their readable ids."""
    stage_files(office.settings, NIGHT)
    with open_warehouse(office.settings) as warehouse:
        refs = dict(warehouse.rows("select client_id, client_ref from staged.client_ids"))
        state: State = {}
        for table in TABLES:
            columns = [name for name, *_ in warehouse.rows(f"describe staged.{table}") if name not in NOT_COMPARED]
            rows = warehouse.rows(f"select {', '.join(columns)} from staged.{table}")
            state[table] = sorted(_as_text(dict(zip(columns, row, strict=True)), refs) for row in rows)
        return state


def _as_text(row: Mapping[str, Any], refs: Mapping[object, str]) -> str:
    named = {name: refs.get(cell, cell) if name in IDS_INSIDE else cell for name, cell in row.items()}
    return ", ".join(f"{name}={cell}" for name, cell in named.items() if cell is not None)


def difference(expected: State, found: State) -> str:
    """The first rows of each table that are in one state and not in the other, without the cells that they share."""
    lines = []
    for table in expected:
        lost = [row for row in expected[table] if row not in found[table]]
        new = [row for row in found[table] if row not in expected[table]]
        if lost or new:
            lines.append(f"staged.{table}: {len(lost)} rows differ or are missing, {len(new)} differ or are new")
            shared = set(lost[0].split(", ")) & set(new[0].split(", ")) if lost and new else set()
            for sign, rows in (("-", lost[:1]), ("+", new[:1])):
                lines += [f"  {sign} " + ", ".join(c for c in row.split(", ") if c not in shared) for row in rows]
    return "\n".join(lines)


def _told(night: Mapping[str, Style], feed: str | None, what: str) -> str:
    """A message that names the styles, what went wrong and how the files begin."""
    dirty = {name: style for name, style in night.items() if style != CLEAN and feed in {None, name}}
    rows: Mapping[str, list[dict[str, Cell]]] = clean_feeds()
    lines = [f"{feed or 'the night'}: {what}", *(f"{name} in {style}" for name, style in dirty.items())]
    for name, style in dirty.items():
        if style.kind == "csv":
            lines.append(f"  {dressed(rows[name], name, style)[1][:400]!r}")
    return "\n".join(lines)
