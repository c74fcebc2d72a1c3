"""The night: files in, register up to date, candidates scored, report out. The CLI and the DAG call these steps.

In Airflow each step is a process of its own, so each imports what it needs itself: all of it takes five seconds of CPU.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.ingest.discover import discover, is_hand_back
from pipelines.monitor.clock import timed
from pipelines.settings import Settings
from pipelines.turns import my_turn

if TYPE_CHECKING:
    from pipelines.custody.retention import Retired
    from pipelines.ingest.landing import Landing
    from pipelines.match.score import Matching
    from pipelines.merge.carry_out import Finished
    from pipelines.monitor.measure import Measured
    from pipelines.review.inbox import TakenIn
    from pipelines.stage.register import Staging

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
FILES_AT_ONCE = 20
"""Files that one task lands through one open warehouse."""


@dataclass(frozen=True)
class Night:
    """What one night did. Counts only: no name, no cell, no file name."""

    day: date
    landings: list[Landing]
    staging: Staging
    merges: Finished
    decisions: TakenIn
    matching: Matching
    report: Path
    retired: Retired
    measured: Measured

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "day": self.day.isoformat(), "report": str(self.report)}


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
    from pipelines.ingest.land import open_landings

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
    """Bring the register up to date with what landed, after every person was forgotten who is to be forgotten."""
    from pipelines.custody.forget import finish_forgettings
    from pipelines.stage.register import stage_files

    finish_forgettings(settings)
    return stage_files(settings, day)


@timed
def finish_merges(settings: Settings) -> Finished:
    """Finish merge runs that were signed off and interrupted. One that cannot be finished is reported and does not stop
    the night."""
    from pipelines.merge.carry_out import Finished, resume
    from pipelines.merge.publish import publish_merges
    from pipelines.merge.run import MergeStoppedError, VerificationFailedError

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
    from pipelines.review.inbox import TakenIn, take_in

    taken = TakenIn()
    with my_turn(settings.archive):
        for delivery in discover(inbox, day):
            if is_hand_back(delivery.path):
                take_in(settings, delivery.path, day, taken)
    return taken


def hand_out(settings: Settings, day: date) -> str | None:
    """Write what there is to match into a folder, for Airflow to have it scored by Spark; returns the folder.

    None: there is nothing for Spark. ``match`` scores by DuckDB whatever was not scored before.
    """
    from pipelines.match.score import hand_out_to_spark

    folder = hand_out_to_spark(settings, day)
    return str(folder) if folder else None


@timed
def match(settings: Settings, day: date) -> Matching:
    """Score what changed and list the candidates."""
    from pipelines.match.score import match_clients

    return match_clients(settings, day)


def train(settings: Settings) -> dict[str, Any]:
    """Train a model on the register and make it the current one; gives its version and measured quality.

    Raises NothingToLearnError when the register is empty.
    """
    from pipelines.match.calibrate import quality
    from pipelines.match.train import train_model
    from pipelines.warehouse import open_warehouse

    with open_warehouse(settings) as warehouse:
        model = train_model(settings, warehouse)
    return {"model_version": model.version, "quality": quality(model.calibration, settings.match)}


@timed
def report(settings: Settings, day: date) -> Path:
    """Publish the night's candidate report, and what follows from the merges as of that night; returns the report's
    folder."""
    from pipelines.merge.publish import publish_merges
    from pipelines.review.publish import publish_report

    folder = publish_report(settings, day)
    publish_merges(settings, day)
    return folder


@timed
def retire(settings: Settings, day: date) -> Retired:
    """Delete what is older than the settings keep it."""
    from pipelines.custody import retention

    return retention.retire(settings, day)


def measure(settings: Settings, day: date) -> Measured:
    """Count what the night did: for Prometheus, for notices and for the page of trends."""
    from pipelines.monitor.measure import measure_night

    return measure_night(settings, day)


def run_night(settings: Settings, inbox: Path, day: date, progress: Progress = lambda step, done, of: None) -> Night:
    """All steps in order, in one process.

    Raises TableGateError when a table fails its suite; nothing of the night is published then.
    """
    deliveries = find_deliveries(inbox, day)
    landings: list[Landing] = []
    for group in in_groups(deliveries):
        progress("landing files", len(landings), len(deliveries))
        landings += land(settings, inbox, day, *group)
    progress("bringing the register up to date", 0, 1)
    staging = stage(settings, day)
    progress("finishing merges", 0, 1)
    merges = finish_merges(settings)
    progress("reading decisions", 0, 1)
    decisions = take_decisions(settings, inbox, day)
    progress("matching", 0, 1)
    matching = match(settings, day)
    progress("writing the report", 0, 1)
    report_folder = report(settings, day)
    progress("deleting what is old", 0, 1)
    retired = retire(settings, day)
    progress("counting what the night did", 0, 1)
    measured = measure(settings, day)
    return Night(day, landings, staging, merges, decisions, matching, report_folder, retired, measured)
