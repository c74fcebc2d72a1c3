"""The event feed: numbered, append-only, no event lost or told twice, and replaying it gives the crosswalk."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from the_merges import BEA, BEA_TOO, DOT, DOT_TOO, NOVEMBER, OCTOBER, Provider, SignOffs

from pipelines.custody.forget import forget
from pipelines.merge import publish
from pipelines.merge.commands import apply, undo
from pipelines.merge.events import FEED, events_of, replayed
from pipelines.merge.publish import publish_merges
from pipelines.merge.selection import Selection
from pipelines.nightly import run_night
from pipelines.settings import ReportSettings


def merge(provider: Provider, pair: str, survivor: str, *, who: str = "Jo", **selected: Any) -> None:
    provider.decides(pair, survivor=survivor, who=who)
    apply(provider.settings, Selection(**selected), who="Sam", reason="", progress=lambda *_: None)


def take_back(provider: Provider, *merge_ids: str) -> None:
    undo(provider.settings, merge_ids or None, who="Kim", reason="", progress=lambda *_: None)


def feed(provider: Provider) -> bytes:
    return (provider.settings.published / FEED).read_bytes()


def events(provider: Provider) -> list[dict[str, Any]]:
    return [json.loads(line) for line in feed(provider).splitlines()]


def published_crosswalk(provider: Provider) -> dict[str, str]:
    with (provider.settings.published / "current" / "crosswalk.csv").open(newline="", encoding="utf-8") as file:
        return {row["client_ref"]: row["survivor_ref"] for row in csv.DictReader(file)}


def test_a_merge_a_chain_and_an_undo_are_numbered_events_that_give_the_crosswalk(provider: Provider) -> None:
    merge(provider, f"{BEA} {BEA_TOO}", BEA)
    merge(provider, f"{BEA} {DOT}", DOT)
    first, second = events(provider)
    assert (first["sequence"], first["event"], first["survivor_ref"], first["merged_refs"]) == (
        1, "merged", BEA, [BEA_TOO],
    )  # fmt: skip
    assert first["at"].endswith("+00:00")
    assert second["counts_for"] == [
        {"client_ref": BEA, "survivor_ref": DOT}, {"client_ref": BEA_TOO, "survivor_ref": DOT},
    ]  # fmt: skip
    before = feed(provider)
    take_back(provider, first["merge_id"])
    assert feed(provider).startswith(before)
    assert events(provider)[2] | {"at": "", "signed_in": 0} == {
        "sequence": 3, "at": "", "event": "undone", "signed_in": 0, "merge_id": first["merge_id"], "survivor_ref": BEA,
        "merged_refs": [BEA_TOO], "counts_for": [{"client_ref": BEA_TOO, "survivor_ref": BEA_TOO}],
    }  # fmt: skip
    assert replayed(feed(provider).splitlines()) == published_crosswalk(provider) == {BEA: DOT}


def test_a_merge_of_a_range_is_partial_until_it_is_carried_further(provider: Provider) -> None:
    merge(provider, f"{BEA} {BEA_TOO}", BEA, from_on=OCTOBER, to_on=NOVEMBER)
    apply(provider.settings, Selection(), who="Sam", reason="", progress=lambda *_: None)
    partial, whole = events(provider)
    assert (partial["event"], partial["visits_from"], partial["visits_to"]) == (
        "partially_merged", str(OCTOBER), str(NOVEMBER),
    )  # fmt: skip
    assert (whole["event"], whole["merge_id"], whole["counts_for"]) == ("merged", partial["merge_id"], [])


def test_a_night_without_news_changes_no_byte_and_a_new_day_changes_no_event(provider: Provider) -> None:
    merge(provider, f"{BEA} {BEA_TOO}", BEA)
    before, inbox = feed(provider), provider.settings.inbox
    written = (provider.settings.published / FEED).stat().st_mtime_ns
    run_night(provider.settings, inbox, provider.day)
    current = (provider.settings.published / "current").resolve()
    files = {path.name: path.stat().st_mtime_ns for path in current.iterdir()}
    run_night(provider.settings, inbox, provider.day)
    assert (provider.settings.published / "current").resolve() == current
    assert {path.name: path.stat().st_mtime_ns for path in current.iterdir()} == files
    tomorrow = provider.day + timedelta(days=1)
    run_night(provider.settings, inbox, tomorrow)
    assert json.loads((provider.settings.published / "current" / "contents.json").read_text())["as_of"] == str(tomorrow)
    assert (feed(provider), (provider.settings.published / FEED).stat().st_mtime_ns) == (before, written)


@pytest.mark.parametrize("before", ["publish_version", "publish_events"])
def test_a_process_killed_before_it_published_loses_no_event_and_the_next_publishes_none_twice(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    merge(provider, f"{BEA} {BEA_TOO}", BEA)
    with monkeypatch.context() as killed:
        killed.setattr(publish, before, _killed)
        with pytest.raises(KeyboardInterrupt):
            merge(provider, f"{DOT} {DOT_TOO}", DOT)
    assert len(events(provider)) == 1
    for _ in range(2):
        publish_merges(provider.settings)
        assert [event["sequence"] for event in events(provider)] == [1, 2]
    assert replayed(feed(provider).splitlines()) == published_crosswalk(provider) == {BEA_TOO: BEA, DOT_TOO: DOT}


def test_a_feed_that_was_deleted_is_written_again_from_the_log(provider: Provider) -> None:
    merge(provider, f"{BEA} {BEA_TOO}", BEA)
    take_back(provider)
    before = feed(provider)
    (provider.settings.published / FEED).unlink()
    publish_merges(provider.settings)
    assert feed(provider) == before


def test_a_forgetting_is_an_event_and_leaves_the_others_as_they_were(provider: Provider) -> None:
    merge(provider, f"{BEA} {BEA_TOO}", BEA)
    before = feed(provider)
    forget(provider.settings, BEA, who="Kim", reason="request 12", although_in_care=True)
    publish_merges(provider.settings)
    assert feed(provider).startswith(before)
    event = events(provider)[-1]
    assert (event["sequence"], event["event"], event["client_refs"]) == (2, "record_forgotten", [BEA, BEA_TOO])
    assert b"Bell" not in feed(provider)


def test_masked_it_names_no_record(provider: Provider) -> None:
    provider.settings = provider.settings.model_copy(update={"report": ReportSettings(mask=True)})
    merge(provider, f"{BEA} {BEA_TOO}", BEA)
    (event,) = events(provider)
    assert event["merge_id"].startswith("M")
    assert not {BEA, BEA_TOO} & {event["survivor_ref"], *event["merged_refs"]}


REFS = ["Ann", "Bea", "Cat", "Dot", "Eve", "Fay"]
STEPS = st.lists(
    st.tuples(st.sampled_from(REFS), st.sampled_from(REFS), st.integers(0, 99), st.booleans()), min_size=1, max_size=12
)


@given(STEPS, st.integers(0, 12))
@settings(max_examples=150, deadline=None)
def test_whatever_is_merged_undone_and_merged_again_the_feed_replays_to_the_crosswalk(
    steps: list[tuple[str, str, int, bool]], cut: int
) -> None:
    log = SignOffs()
    lines: list[bytes] = []
    known: set[tuple[int, str]] = set()
    for number, (one, other, which, takes_back) in enumerate(steps):
        live, now = log.live(), log.crosswalk()
        if takes_back and live:
            log.undo(live[which % len(live)])
        elif now.get(one, one) != now.get(other, other):
            log.merge(f"{one} {other}", (one, other)[which % 2] if {one, other}.isdisjoint(now) else "")
        if number >= cut or number == len(steps) - 1:  # until then nothing is published
            new = list(events_of(log.entries, known=known))
            lines += [event.line(sequence, mask=False) for sequence, event in enumerate(new, len(lines) + 1)]
            known |= {event.key for event in new}
            assert replayed(lines) == log.crosswalk()
    again = [event.line(sequence, mask=False) for sequence, event in enumerate(events_of(log.entries), 1)]
    assert again == lines


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
