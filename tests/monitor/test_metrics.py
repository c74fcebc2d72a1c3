"""Prometheus is told what the night came to, of nobody by name, in a file that is whole and for the right eyes."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from three_nights import NIGHTS

from pipelines.monitor.metrics import METRICS
from pipelines.nightly import measure, stage
from pipelines.review.publish import read_report
from pipelines.settings import Settings, SettingsError, load_settings

DOC = Path(__file__).parents[2] / "docs" / "monitoring.md"
MOST_SERIES = 100  # of one provider


def read(file: Path) -> dict[str, Metric]:
    return {metric.name: metric for metric in text_string_to_metric_families(file.read_text())}


def value(told: dict[str, Metric], name: str, **labels: str) -> float:
    (sample,) = [s for s in told[f"oneclient_{name}"].samples if labels.items() <= s.labels.items()]
    return float(sample.value)


@pytest.fixture
def told(three_nights: Settings) -> dict[str, Metric]:
    return read(three_nights.metrics_folder / "oneclient.prom")


def test_the_last_night_is_told(three_nights: Settings, told: dict[str, Metric]) -> None:
    run = read_report(three_nights, NIGHTS[-1]).run
    orders = [file for file in run.files if file.feed == "purchase_orders"]
    assert value(told, "night_rows_loaded", feed="purchase_orders") == sum(file.rows_loaded for file in orders) > 0
    assert value(told, "night_files", feed="purchase_orders", status="loaded") == len(orders)
    assert {tier: value(told, "candidates_waiting", tier=tier) for tier in run.tiers} == run.tiers
    assert value(told, "records") == run.clients > value(told, "people_estimate") > 0
    assert value(told, "merges_standing") == value(told, "merges_signed_off") > value(told, "merges_undone") == 0
    assert value(told, "quarantine_files") == 1
    assert value(told, "warehouse_bytes") > 100_000 < value(told, "disk_free_bytes")
    assert value(told, "night_day_timestamp_seconds") == datetime(2026, 11, 20, tzinfo=UTC).timestamp()


def test_every_step_but_those_that_only_list_is_timed(told: dict[str, Metric]) -> None:
    steps = {sample.labels["step"] for sample in told["oneclient_step_seconds"].samples}
    assert steps == {"land", "stage", "finish_merges", "take_decisions", "match", "report", "retire"}


def test_a_step_that_fails_has_taken_its_time_too(changed: Settings) -> None:
    changed.database.write_bytes(b"no database")
    with pytest.raises(Exception, match="cannot be read"):
        stage(changed, NIGHTS[-1])
    assert "stage" in (changed.metrics_folder / "seconds.json").read_text()


def test_labels_name_nobody_and_are_few(three_nights: Settings, told: dict[str, Metric]) -> None:
    samples = [sample for metric in told.values() for sample in metric.samples]
    assert len(METRICS) < len(samples) <= MOST_SERIES
    words = {word for sample in samples for label in sample.labels.values() for word in re.findall(r"\w+", label)}
    with (three_nights.home.parent / "feeds" / "records.csv").open(encoding="utf-8", newline="") as file:
        people = {row[column] for row in csv.DictReader(file) for column in ("Forename", "Surname")}
    issuers = {file.issuer for file in read_report(three_nights, NIGHTS[-1]).run.files}
    assert len(people) > 100 and issuers and not words & (people | issuers)


def test_every_metric_is_told_each_night_with_provider_and_help(told: dict[str, Metric]) -> None:
    assert {name: (m.documentation, {label for s in m.samples for label in s.labels}) for name, m in told.items()} == {
        name: (metric.says, {"provider", *metric.labels}) for name, metric in METRICS.items()
    }


def test_a_file_in_the_home_is_its_owners_alone(three_nights: Settings) -> None:
    folder = three_nights.metrics_folder
    assert [oct((folder / name).stat().st_mode & 0o777) for name in ("", "oneclient.prom")] == ["0o700", "0o600"]
    kept = {path.name for path in folder.iterdir() if not path.name.endswith(".turn")}
    assert kept == {"oneclient.prom", "seconds.json"}, "no part of one is left beside it"


def test_a_file_for_the_collector_can_be_read_by_all(changed: Settings, tmp_path: Path) -> None:
    file = tmp_path / "collector" / "acme.prom"
    (changed.home / "settings.toml").write_text(f'[metrics]\nfile = "{file}"\n')
    with pytest.raises(SettingsError, match=r"metrics.file cannot be written.*Make its folder"):
        measure(load_settings(changed.home), NIGHTS[-1])
    file.parent.mkdir()
    measure(load_settings(changed.home), NIGHTS[-1])
    assert oct(file.stat().st_mode & 0o777) == "0o644" and set(read(file)) == set(METRICS)


@pytest.mark.parametrize("file", ["acme.prom", "/var/lib/acme.txt"])
def test_a_place_where_no_collector_would_look_is_refused(tmp_path: Path, file: str) -> None:
    (tmp_path / "settings.toml").write_text(f'[metrics]\nfile = "{file}"\n')
    with pytest.raises(SettingsError, match=r"metrics.file: .*begin with / and end in .prom"):
        load_settings(tmp_path)


def test_the_provider_is_told_by_its_name_in_the_list(
    changed: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "providers.toml").write_text('[acme]\nhome = "home"\n')
    monkeypatch.setenv("ONECLIENT_PROVIDERS", str(tmp_path / "providers.toml"))
    measure(load_settings(changed.home), NIGHTS[-1])
    told = read(changed.metrics_folder / "oneclient.prom")
    assert {sample.labels["provider"] for metric in told.values() for sample in metric.samples} == {"acme"}


def test_the_table_of_metrics_is_true() -> None:
    section = DOC.read_text().partition("## Metrics")[2].partition("### ")[0]
    rows = re.findall(r"^\| `(oneclient_\w+)` \| (.*?) \| (.+?) \|$", section, re.MULTILINE)
    assert rows == [
        (name, ", ".join(f"`{label}`" for label in metric.labels), metric.says) for name, metric in METRICS.items()
    ]


def test_the_alert_rules_of_the_page_speak_of_metrics_that_there_are() -> None:
    rules = yaml.safe_load(re.search(r"```yaml\n(groups:.*?)```", DOC.read_text(), re.DOTALL)[1])  # type: ignore[index]
    (group,) = rules["groups"]
    labels = {label for metric in METRICS.values() for label in metric.labels} | {"provider"}
    for rule in group["rules"]:
        named = set(re.findall(r"oneclient_\w+", rule["expr"]))
        assert named and named <= set(METRICS), rule["alert"]
        assert set(re.findall(r"(\w+)=\"", rule["expr"])) <= labels, rule["alert"]
