"""The night: files in, register up to date, candidates scored, report out. The CLI and the DAG call these steps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.custody.forget import finish_forgettings
from pipelines.custody.retention import Retired
from pipelines.custody.retention import retire as let_go
from pipelines.ingest.discover import discover
from pipelines.ingest.land import open_landings
from pipelines.ingest.landing import Landing
from pipelines.match.calibrate import quality
from pipelines.match.score import Matching, hand_out_to_spark, match_clients
from pipelines.match.train import train_model
from pipelines.merge.carry_out import resume
from pipelines.merge.publish import publish_merges
from pipelines.merge.run import MergeStoppedError, Outcome, VerificationFailedError
from pipelines.monitor.clock import timed
from pipelines.monitor.measure import Measured, measure_night
from pipelines.review.inbox import TakenIn, is_hand_back, take_in
from pipelines.review.publish import publish_report
from pipelines.settings import Settings
from pipelines.stage.register import Staging, stage_files
from pipelines.turns import my_turn
from pipelines.warehouse import open_warehouse

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
FILES_AT_ONCE = 20
"""Files that one task lands through one open warehouse."""


@dataclass
class Finished(Outcome):
    """The merge runs that the night brought to their end; ``problem`` says what stops one that it could not."""

    problem: str = ""


@dataclass
class Night:
    """What one night did. Counts only: no name, no cell, no file name."""

    day: date
    landings: list[Landing] = field(default_factory=list)
    staging: Staging = field(default_factory=Staging)
    merges: Finished = field(default_factory=Finished)
    decisions: TakenIn = field(default_factory=TakenIn)
    matching: Matching = field(default_factory=Matching)
    report: Path | None = None
    retired: Retired = field(default_factory=Retired)
    measured: Measured | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "day": self.day.isoformat(), "report": str(self.report) if self.report else None}


def find_deliveries(inbox: Path, day: date) -> list[str]:
    """Ids of the files to land, in order. Handed-back decisions are not landed."""
    return [delivery.delivery_id for delivery in discover(inbox, day) if not is_hand_back(delivery.path)]


def in_groups(delivery_ids: Sequence[str]) -> list[list[str]]:
    """Deliveries to land by one task each: a task of Airflow costs more than landing a small file does."""
    starts = range(0, len(delivery_ids), FILES_AT_ONCE)
    return [list(delivery_ids[start : start + FILES_AT_ONCE]) for start in starts]


@timed
def land(settings: Settings, inbox: Path, day: date, *delivery_ids: str) -> list[Landing]:
    """Land deliveries, in the order given; those that an earlier try landed already are left out.

    A file that cannot be landed because of an error that nobody foresaw stops no other: the first such error is raised
    once the others are landed.
    """
    landings: list[Landing] = []
    errors: list[Exception] = []
    with my_turn(settings.archive), open_landings(settings, day) as opened:
        paths = {delivery.delivery_id: delivery.path for delivery in discover(inbox, day)}
        for delivery_id in delivery_ids:
            if path := paths.get(delivery_id):
                try:
                    landings.append(opened.land(path))
                except Exception as error:
                    errors.append(error)
    if errors:
        raise errors[0]
    return landings


@timed
def stage(settings: Settings, day: date) -> Staging:
    """Bring the register up to date with what landed, once everybody is forgotten who was to be."""
    finish_forgettings(settings)
    return stage_files(settings, day)


@timed
def finish_merges(settings: Settings) -> Finished:
    """Bring merge runs that were signed off and cut short to their end. What stops one is told, and stops no night."""
    finished = Finished()
    try:
        resume(settings, run="nightly", outcome=finished)
    except (MergeStoppedError, VerificationFailedError) as stopped:
        log.warning("a merge run is not finished: %s", stopped)
        finished.problem = str(stopped)
    if finished.signed_in or finished.problem:
        finished.published = str(publish_merges(settings))
    return finished


@timed
def take_decisions(settings: Settings, inbox: Path, day: date) -> TakenIn:
    """Record the decisions that were handed back by the inbox, on the candidates of the last report."""
    taken = TakenIn()
    with my_turn(settings.archive):
        for delivery in discover(inbox, day):
            if is_hand_back(delivery.path):
                take_in(settings, delivery.path, day, taken)
    return taken


def hand_out(settings: Settings, day: date) -> str | None:
    """Hand out to Spark what there is to match, for Airflow to have it scored; gives the folder. None: DuckDB does it,
    as ``match`` does by itself whatever nobody scored."""
    folder = hand_out_to_spark(settings, day)
    return str(folder) if folder else None


@timed
def match(settings: Settings, day: date) -> Matching:
    """Score what changed and draw up the candidates."""
    return match_clients(settings, day)


def train(settings: Settings) -> dict[str, Any]:
    """Train a model on the register and make it the current one; gives its version and measured quality.

    Raises NothingToLearnError when the register is empty.
    """
    with open_warehouse(settings) as warehouse:
        model = train_model(settings, warehouse)
    return {"model_version": model.version, "quality": quality(model.calibration, settings.match)}


@timed
def report(settings: Settings, day: date) -> Path:
    """Publish the night's candidate report; gives its folder."""
    return publish_report(settings, day)


@timed
def retire(settings: Settings, day: date) -> Retired:
    """Let go what is older than the settings keep it."""
    return let_go(settings, day)


def measure(settings: Settings, day: date) -> Measured:
    """Count what the night came to: for Prometheus, for whoever is told, and for the page of trends."""
    return measure_night(settings, day)


def run_night(settings: Settings, inbox: Path, day: date, progress: Progress = lambda step, done, of: None) -> Night:
    """All steps in order, in one process.

    Raises TableGateError when a table fails its suite; nothing of the night is published then.
    """
    night = Night(day)
    deliveries = find_deliveries(inbox, day)
    for group in in_groups(deliveries):
        progress("landing files", len(night.landings), len(deliveries))
        night.landings += land(settings, inbox, day, *group)
    progress("bringing the register up to date", 0, 1)
    night.staging = stage(settings, day)
    progress("finishing merges", 0, 1)
    night.merges = finish_merges(settings)
    progress("taking in decisions", 0, 1)
    night.decisions = take_decisions(settings, inbox, day)
    progress("matching", 0, 1)
    night.matching = match(settings, day)
    progress("writing the report", 0, 1)
    night.report = report(settings, day)
    progress("letting go what is old", 0, 1)
    night.retired = retire(settings, day)
    progress("counting what the night came to", 0, 1)
    night.measured = measure(settings, day)
    return night
