"""A threshold that an operator changes holds for old pairs too."""

from __future__ import annotations

from pathlib import Path

from office import NIGHT, Office

from pipelines.match.score import match_clients
from pipelines.sample import make_sample
from pipelines.settings import load_settings


def test_a_lower_threshold_scores_every_pair_again(office: Office, tmp_path: Path) -> None:
    make_sample(tmp_path / "feeds", clients=600, visits=10, seed=4)
    for path in (tmp_path / "feeds/inbox").iterdir():
        office.deliver(path.name, path.read_bytes())
    office.night()
    match_clients(office.settings, NIGHT)
    before = office.one("select count(*) from matched.pairs")
    (office.settings.home / "settings.toml").write_text("[match]\npossible = 0.01\n")
    lowered = match_clients(load_settings(office.settings.home), NIGHT)
    assert lowered.scored_again == lowered.records
    assert office.one("select count(*) from matched.pairs") > before
    assert match_clients(load_settings(office.settings.home), NIGHT).scored_again == 0
