"""A home after three nights of made-up feeds: decisions after the first, their merges after the second."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from office import ORDER_HEADINGS, order, table
from three_nights import NIGHTS

from pipelines.merge.carry_out import apply_merges
from pipelines.merge.selection import Selection
from pipelines.nightly import run_night
from pipelines.review.commands import decide_tier
from pipelines.sample import make_sample
from pipelines.settings import Settings, load_settings


@pytest.fixture(scope="package")
def three_nights(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Not to be changed."""
    folder = tmp_path_factory.mktemp("three_nights")
    settings = load_settings(folder / "home")
    make_sample(folder / "feeds", clients=100, visits=200, nights=3, seed=5, day=NIGHTS[-1])
    inbox = folder / "feeds" / "inbox"
    few = [order("1", DateOfBirth="sometime"), order("", Surname="Barker"), *(order(str(n)) for n in range(2, 9))]
    (inbox / NIGHTS[1].isoformat() / "kent_purchase_orders_few.csv").write_text(table(ORDER_HEADINGS, few))
    (inbox / NIGHTS[1].isoformat() / "kent_purchase_orders_cut_off.csv").write_text("Forename,Surname\nAnn,Archer\n")
    run_night(settings, inbox, NIGHTS[0])
    decide_tier(settings, "near-certain", verdict="same", who="ann", reason="looked", cells={})
    run_night(settings, inbox, NIGHTS[1])
    apply_merges(settings, Selection(without_decisions_of="sam"), who="sam")
    run_night(settings, inbox, NIGHTS[2])
    return settings


@pytest.fixture
def changed(three_nights: Settings, tmp_path: Path) -> Settings:
    """A copy of it, to be changed."""
    shutil.copytree(three_nights.home, tmp_path / "home", symlinks=True)
    return load_settings(tmp_path / "home")
