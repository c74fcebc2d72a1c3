"""The text file that Prometheus reads of a home, through node_exporter's textfile collector. Counts only: no label
names a person, a file or who sent it, and each label has the few values that oneclient itself gives it.

Each night writes it anew, all of it at once (https://github.com/prometheus/node_exporter#textfile-collector).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from pipelines import __version__
from pipelines.decisions.standing import SETTLED
from pipelines.feeds import FEEDS
from pipelines.monitor.figures import Figure, total
from pipelines.private import FILE, make_folder, whole_file
from pipelines.review.words import MADE_HOW
from pipelines.settings import TIERS, Settings, SettingsError, whose

READABLE = 0o644
FEED_NAMES = (*FEEDS, "unknown")  # the last: files that no mapping knows
STATUSES = ("loaded", "quarantined")


@dataclass(frozen=True)
class Metric:
    """What Prometheus is told of one metric: its help, and its labels beside ``provider``."""

    says: str
    labels: tuple[str, ...] = ()


METRICS: Mapping[str, Metric] = {
    "oneclient_build_info": Metric("1, for the version of oneclient that ran the night.", ("version",)),
    "oneclient_night_day_timestamp_seconds": Metric("The day of the last night that came to its end, at midnight UTC."),
    "oneclient_night_last_success_timestamp_seconds": Metric("When a night came to its end last."),
    "oneclient_night_files": Metric("Files of that night.", ("feed", "status")),
    "oneclient_night_rows_read": Metric("Rows read from that night's files.", ("feed",)),
    "oneclient_night_rows_loaded": Metric("Of these, rows loaded.", ("feed",)),
    "oneclient_night_rows_rejected": Metric("Of these, rows rejected.", ("feed",)),
    "oneclient_night_cells_unread": Metric("Cells that could not be read in rows that were loaded.", ("feed",)),
    "oneclient_night_new_records": Metric("Client records made that night, by why.", ("how",)),
    "oneclient_night_duplicates_found": Metric("Of these, those whose surely matching record was there already."),
    "oneclient_step_seconds": Metric("Seconds spent in a step since the night before, tries included.", ("step",)),
    "oneclient_candidates_waiting": Metric("Candidates that wait for people.", ("tier",)),
    "oneclient_candidates_settled": Metric("Candidates that people have settled.", ("standing",)),
    "oneclient_confusions": Metric("Numbers that stand on two people."),
    "oneclient_decisions": Metric("Verdicts, and undoes of them, in the decision log.", ("verdict",)),
    "oneclient_merges_standing": Metric("Merges that stand."),
    "oneclient_merge_contradictions": Metric("What contradicts standing merges and is not settled."),
    "oneclient_merges_signed_off": Metric("Merges ever signed off, those taken back included."),
    "oneclient_merges_undone": Metric("Merges ever taken back."),
    "oneclient_model_drift_reasons": Metric("Reasons to train the model again."),
    "oneclient_records": Metric("Live client records."),
    "oneclient_people_estimate": Metric("People that these records are taken for: clusters, and records in none."),
    "oneclient_quarantine_files": Metric("Refused files that lie in quarantine."),
    "oneclient_warehouse_bytes": Metric("Size of the warehouse."),
    "oneclient_disk_free_bytes": Metric("Free disk where the home is."),
}
_VERDICTS = ("same", "different", "unsure", "undo")


@dataclass(frozen=True)
class Told:
    """What the metrics of a home are made of: the counts of a night, what the decision log says of merges, and how much
    contradicts those that stand, as the night's report has it."""

    day: date
    counted: Sequence[Figure]
    signed_off: int
    undone: int
    seconds: Mapping[str, float]
    contradictions: int = 0


def metrics_file(settings: Settings) -> Path:
    """Where the file is: ``metrics.file``, else in the home."""
    return settings.metrics.file or settings.metrics_folder / "oneclient.prom"


def write_metrics(settings: Settings, told: Told, now: datetime) -> Path:
    """Write the file; one outside the home may be read by all, since it holds nothing but counts.

    Raises SettingsError when ``metrics.file`` lies in a folder that is not there or that may not be written.
    """
    file = metrics_file(settings)
    if not settings.metrics.file:
        make_folder(settings.metrics_folder)
    content = render(settings, told, now)
    try:
        with whole_file(file, READABLE if settings.metrics.file else FILE) as partial:
            partial.write(content)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise SettingsError(
            f"settings.toml: metrics.file cannot be written ({error.strerror}). Make its folder, give the user that "
            "runs oneclient the right to write there, and run the night again."
        ) from error
    return file


def render(settings: Settings, told: Told, now: datetime) -> bytes:
    """The file's content: every metric, those that are nought too, so that an alert can tell nought from missing."""
    registry = CollectorRegistry()
    provider = whose(settings.home).name or "default"
    gauges = {
        name: Gauge(name, metric.says, ("provider", *metric.labels), registry=registry)
        for name, metric in METRICS.items()
    }

    def tell(name: str, value: float, *labels: str) -> None:
        gauges[f"oneclient_{name}"].labels(provider, *labels).set(value)

    counted = told.counted
    tell("build_info", 1, __version__)
    tell("night_day_timestamp_seconds", datetime.combine(told.day, datetime.min.time(), UTC).timestamp())
    tell("night_last_success_timestamp_seconds", round(now.timestamp()))
    for feed in FEED_NAMES:
        for status in STATUSES:
            tell("night_files", total(counted, "files", feed=feed, detail=status), feed, status)
        for rows in ("read", "loaded", "rejected"):
            tell(f"night_rows_{rows}", total(counted, f"rows {rows}", feed=feed), feed)
        tell("night_cells_unread", total(counted, "unread", feed=feed), feed)
    for how in MADE_HOW:
        tell("night_new_records", total(counted, "made", detail=how), how)
    tell("night_duplicates_found", total(counted, "found"))
    for step, seconds in told.seconds.items():
        tell("step_seconds", round(seconds, 3), step)
    for tier in TIERS:
        tell("candidates_waiting", total(counted, "waiting", detail=tier), tier)
    for standing in sorted(SETTLED):
        tell("candidates_settled", total(counted, "settled", detail=standing), standing)
    tell("confusions", total(counted, "confusions"))
    for verdict in _VERDICTS:
        tell("decisions", total(counted, "decisions", detail=verdict), verdict)
    tell("merges_standing", total(counted, "merges"))
    tell("merge_contradictions", told.contradictions)
    tell("merges_signed_off", told.signed_off)
    tell("merges_undone", told.undone)
    tell("model_drift_reasons", total(counted, "reasons to train"))
    tell("records", total(counted, "records"))
    tell("people_estimate", total(counted, "people"))
    tell("quarantine_files", len(list(settings.quarantine.glob("*.reason.json"))))
    tell("warehouse_bytes", settings.database.stat().st_size)
    tell("disk_free_bytes", shutil.disk_usage(settings.home).free)
    return generate_latest(registry)
