"""Two providers side by side: a list of them, and feeds of the same people and references that say whose they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.providers import LIST_VARIABLE, Provider, read_providers
from tests.trust.the_marks import marked_feeds

FEEDS = ("kent_purchase_orders", "careplan_roster_clients", "careplan_roster_visits")
WORDS = {"acme": "kwpyv", "beta": "fjdwq"}


def listed(folder: Path, written: str | None = None) -> Path:
    """A list in ``folder``; left out: of acme and beta, whose homes lie beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "providers.toml"
    file.write_text(written or "".join(f'[{name}]\nhome = "{name}"\n' for name in WORDS))
    return file


def providers_of(folder: Path, patch: pytest.MonkeyPatch, written: str | None = None) -> dict[str, Provider]:
    """The providers of such a list, which the environment names from now on."""
    patch.setenv(LIST_VARIABLE, str(listed(folder, written)))
    return {one.name: one for one in read_providers()}


def deliver(providers: dict[str, Provider], folder: Path, clients: int = 60) -> None:
    """The same people with the same references, numbers and births for everybody; each word of them says whose."""
    for name, one in providers.items():
        feeds = marked_feeds(folder / name, clients, text=lambda value, word=WORDS[name]: f"{value}{word}")  # type: ignore[misc]
        assert one.inbox
        one.inbox.mkdir(parents=True, exist_ok=True)
        for file in sorted(feeds.iterdir()):
            if file.name.startswith(FEEDS):
                shutil.copy(file, one.inbox)
