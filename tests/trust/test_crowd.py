"""Many at once: nights, merges and people who decide. Nothing is lost, nobody waits for ever, and what comes of it is
what one after the other would have come to.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from processes import Processes
from the_storm import COMMANDS, assert_nothing_is_left_over, assert_nothing_is_lost, decided, deliver_later, state_of

from pipelines.review.commands import list_candidates
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import open_warehouse

DECIDERS = ("Jo", "Kim", "Lee", "Max")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with merges to sign off and files in its inbox."""
    folder = tmp_path_factory.mktemp("crowd")
    settings = decided(folder)
    deliver_later(settings, folder)
    return settings


@pytest.fixture(scope="module")
def deciders(before: Settings) -> list[tuple[str, ...]]:
    """What each of them says of the candidates that are open."""
    return [
        ("decide", candidate.candidate_id, "--verdict", "different", "--by", who, "--reason", f"{who} rang")
        for candidate in list_candidates(before, None)
        if not candidate.settled
        for who in DECIDERS
    ]


def come_to(settings: Settings) -> dict[str, Any]:
    """All that a crowd may change, but for who came first in the log."""
    state = state_of(settings)
    with open_warehouse(settings) as warehouse:
        standings = warehouse.rows("select left_id, right_id, standing, choices from reviewed.standings order by all")
        shown = warehouse.rows("select left_id, right_id, match_probability from matched.candidates order by all")
        away = warehouse.rows("from merged.crosswalk order by all")
    log = sorted(repr((e[:6], e[7:])) for e in state.log if e[0] == "verdict")
    return {
        "linked": state.linked, "log": log, "files": state.files, "kept": state.kept, "standings": standings,
        "candidates": shown, "crosswalk": away,
    }  # fmt: skip


@pytest.mark.prove
@pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="run by PROVE=full")
def test_two_nights_a_merge_and_four_who_decide_at_once_come_to_what_they_do_one_after_the_other(
    before: Settings, deciders: list[tuple[str, ...]], processes: Processes, tmp_path: Path
) -> None:
    assert len(deciders) >= len(DECIDERS)
    night, merge = COMMANDS["nightly"], COMMANDS["apply"]
    at_once = copy_of(before, tmp_path / "at once")
    running = [processes.start(*words, "--home", at_once.home) for words in (night, merge, *deciders, night)]
    assert {(ended.code, ended.complained) for ended in (one.wait() for one in running)} == {(0, "")}
    assert_nothing_is_lost(at_once, before.home)
    assert processes.run(*night, "--home", at_once.home).code == 0
    assert_nothing_is_left_over(at_once)
    orders = ((merge, *deciders, night, night), (night, merge, *deciders, night))
    one_by_one = (
        in_this_order(before, order, tmp_path / f"order {number}", processes) for number, order in enumerate(orders)
    )
    assert come_to(at_once) in one_by_one  # the second order is only gone through if it is not the first


def in_this_order(
    before: Settings, order: Iterable[tuple[Any, ...]], folder: Path, processes: Processes
) -> dict[str, Any]:
    """What these commands come to one after the other."""
    home = copy_of(before, folder)
    for words in order:
        ended = processes.run(*words, "--home", home.home)
        assert (ended.code, ended.complained) == (0, "")
    return come_to(home)


def copy_of(settings: Settings, folder: Path) -> Settings:
    """The same home in another folder."""
    return load_settings(shutil.copytree(settings.home, folder, symlinks=True))
