"""A home after a night of made-up feeds, in which ann held every near-certain candidate to be one person."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from pipelines.nightly import run_night
from pipelines.review.commands import decide_tier
from pipelines.sample import make_sample
from pipelines.settings import Settings, load_settings

NIGHT = date(2026, 11, 20)


def decided_home(folder: Path, clients: int = 150, visits: int = 900) -> Settings:
    """A home in ``folder`` that waits for somebody other than ann to sign the merges off."""
    settings = load_settings(folder / "home")
    make_sample(folder / "feeds", clients=clients, visits=visits, seed=5, day=NIGHT)
    run_night(settings, folder / "feeds" / "inbox", NIGHT)
    decide_tier(settings, "near-certain", verdict="same", who="ann", reason="looked", cells={})
    return settings


def copy_of(settings: Settings, folder: Path) -> Settings:
    """Another home in the same state."""
    shutil.copytree(settings.home, folder / "home", symlinks=True)
    return load_settings(folder / "home")
