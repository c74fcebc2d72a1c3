"""A home in which everything has happened once: a night, decisions, a merge, a refused file. Nobody in it lives."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner, Result
from decided_home import NIGHT, decided_home

from pipelines.cli import main
from pipelines.ingest.land import land_file
from pipelines.merge.carry_out import apply_merges
from pipelines.merge.publish import publish_merges
from pipelines.merge.selection import Selection
from pipelines.review.inbox import TakenIn, take_in
from pipelines.settings import KEY_VARIABLE, Settings, load_settings

KEY = "AGE-SECRET-KEY-1P8WFF0VJTSPZ0QWSU4U6NYFAM9WMS54UGHK8LL7DTU05SJ247VCSP22K3H"  # of these tests alone
OTHER_KEY = "AGE-SECRET-KEY-1LAKTPSMEGAZRARNF5KR5RX9CQ22R9E8YXTH3DD49MWHK73XGGNMQMFPHHE"
# httpfs is a download, so the tests do without its random numbers.
WITHOUT_HTTPFS = "[encryption]\nweak_randomness = true\n[warehouse]\nlock_wait_seconds = 0.2\n"


@contextmanager
def key_set(key: str = "") -> Iterator[None]:
    """The key in the environment; empty: none."""
    before = os.environ.pop(KEY_VARIABLE, "")
    os.environ[KEY_VARIABLE] = key
    try:
        yield
    finally:
        os.environ[KEY_VARIABLE] = before


def oneclient(*words: object, key: str = "") -> Result:
    """A command, with a key in the environment or with none."""
    with key_set(key):
        return CliRunner().invoke(main, [str(word) for word in words])


def settings_of(home: Path, key: str = "") -> Settings:
    with key_set(key):
        return load_settings(home)


def kept_home(folder: Path, key: str = "") -> Path:
    """The home, in ``folder``, made with a key or without."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "settings.toml").write_text(WITHOUT_HTTPFS)
    (home / "settings.toml").chmod(0o600)
    with key_set(key):
        settings = decided_home(folder, clients=60, visits=200)
        apply_merges(settings, Selection(without_decisions_of="sam"), who="sam")
        publish_merges(settings)
        refused = settings.inbox / "kent_purchase_orders_20261120.csv"
        refused.write_text("not,a\nfile,of Margaret Thistlethwaite\n")
        assert land_file(settings, refused, NIGHT).status == "quarantined"
        answers = settings.inbox / "decisions of jo.csv"
        answers.write_text("candidate_id,verdict,by,reason\nC0000000000,same,Jo,like Margaret Thistlethwaite\n")
        take_in(settings, answers, NIGHT, TakenIn())
    return home


def cells_of(folder: Path, *headings: str) -> set[bytes]:
    """What stands under these headings in the CSV files of a folder, in capitals as well as as it is."""
    found: set[str] = set()
    for file in folder.rglob("*.csv"):
        text = file.read_bytes().decode("utf-8-sig", "replace")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        for row in csv.DictReader(text.splitlines(), delimiter=delimiter):
            found |= {row.get(heading) or "" for heading in headings}
    return {form.encode() for cell in found if len(cell) > 6 for form in (cell, cell.upper())}


def bytes_under(*paths: Path) -> bytes:
    """Every byte of these files, and of the files in these folders."""
    files = [file for path in paths for file in ((path,) if path.is_file() else path.rglob("*")) if file.is_file()]
    return b"\n".join(file.read_bytes() for file in sorted(files))
