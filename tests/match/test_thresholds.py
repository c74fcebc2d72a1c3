"""What an operator asks of the tiers holds for the pairs of earlier nights too, and without scoring anything again."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import NIGHT, Office

from pipelines.match.score import Matching, match_clients
from pipelines.sample import make_sample
from pipelines.settings import load_settings


@pytest.fixture
def matched(office: Office, tmp_path: Path) -> tuple[Office, Matching]:
    make_sample(tmp_path / "feeds", clients=600, visits=10, seed=4)
    for path in (tmp_path / "feeds/inbox").iterdir():
        office.deliver(path.name, path.read_bytes())
    office.night()
    return office, match_clients(office.settings, NIGHT)


def test_less_likely_pairs_become_candidates(matched: tuple[Office, Matching]) -> None:
    office, before = matched
    after = _with(office, "possible = 0.01")
    assert sum(after.tiers.values()) > sum(before.tiers.values())
    assert after.scored_again == 0


def test_a_tier_that_promises_more_holds_fewer(matched: tuple[Office, Matching]) -> None:
    office, before = matched
    after = _with(office, "near_certain = 0.9999999")
    assert after.tiers.get("near-certain", 0) < before.tiers["near-certain"]
    assert sum(after.tiers.values()) == sum(before.tiers.values())


def _with(office: Office, line: str) -> Matching:
    (office.settings.home / "settings.toml").write_text(f"[match]\n{line}\n")
    return match_clients(load_settings(office.settings.home), NIGHT)
