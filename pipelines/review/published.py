"""Read what a night published, without the warehouse: all of it, the queue, or one case quickly."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq

from pipelines import __version__
from pipelines.merge.finding import WatchLine
from pipelines.private import make_folder, whole_file
from pipelines.publishing.rows import from_table, read_rows, write_rows
from pipelines.review import contents
from pipelines.settings import Settings
from pipelines.troubles import KnownError

Case = TypeVar("Case", contents.Candidate, contents.Cluster)

CANDIDATES = "candidates.parquet"
NAMED = "named"

_QUEUE = (
    "candidate_id", "cluster_id", "tier", "match_probability", "weight", "relation", "standing", "standing_reason",
    "harm", "left.client_ref", "right.client_ref", "recommended.survivor_ref", "outcomes.list.element.blockers",
)  # fmt: skip


class NoReportError(KnownError):
    """There is no report of that night, or no such case in it."""

    code = "R2"


@dataclass(frozen=True)
class Queued:
    """A candidate as a list of them shows it. ``blockers`` are the kinds in the way of the recommended survivor."""

    position: int
    candidate_id: str
    cluster_id: str
    tier: str
    match_probability: float
    weight: float
    relation: str
    standing: str
    standing_reason: str
    harm: contents.Harm
    left_ref: str
    right_ref: str
    survivor_ref: str
    blockers: tuple[str, ...]


def last_night(settings: Settings) -> date | None:
    """The latest night that published a report."""
    nights = _nights(settings)
    return date.fromisoformat(nights[-1]) if nights else None


def read_run(settings: Settings, day: date) -> contents.Run:
    """The summary of a night. Raises NoReportError when there is none, or another version published it."""
    file = _folder(settings, day) / "run.json"
    try:
        return _run(json.loads(file.read_text(encoding="utf-8")))
    except (KeyError, TypeError) as error:
        raise _of_another_version(file) from error


def read_report(settings: Settings, day: date) -> contents.Report:
    """What the night of ``day`` published. Raises NoReportError when there is none."""
    folder, run = _folder(settings, day), read_run(settings, day)
    references = json.loads((folder / "references.json").read_text(encoding="utf-8"))
    return contents.Report(
        run,
        _all(contents.Candidate, folder / CANDIDATES),
        tuple(contents.Miss(**miss) for miss in references["misses"]),
        tuple(contents.Confusion(**confusion) for confusion in references["confusions"]),
        _all(contents.Cluster, folder / "clusters.parquet"),
    )


def read_queue(settings: Settings, day: date) -> list[Queued]:
    """All candidates of a night, most harmful first, without their evidence. Raises NoReportError."""
    return _read_queued([_folder(settings, day) / CANDIDATES])


def read_named(settings: Settings, day: date) -> list[Queued]:
    """The cases that reviewers named since that night, as ``read_queue`` has its candidates. Raises NoReportError."""
    return _read_queued(_named(_folder(settings, day)))


def keep_named(settings: Settings, day: date, cases: Iterable[contents.Candidate]) -> None:
    """Keep cases that a reviewer named beside the report of a night, until the next report takes its place."""
    folder = _folder(settings, day) / NAMED
    make_folder(folder)
    for case in cases:
        with whole_file(folder / f"{case.candidate_id}.parquet") as file:
            write_rows(contents.Candidate, [case], file)


def evidence_hashes(settings: Settings, day: date) -> dict[tuple[str, str], str]:
    """The evidence hash of each candidate of a night, by its two client refs in alphabetical order."""
    columns = ["evidence_hash", "left.client_ref", "right.client_ref"]
    rows = [row for path in _cases(_folder(settings, day)) for row in _columns(path, columns)]
    sides = ((row["left"]["client_ref"], row["right"]["client_ref"], row["evidence_hash"]) for row in rows)
    return {(min(left, right), max(left, right)): evidence for left, right, evidence in sides}


def facts_behind(settings: Settings, day: date, hashes: Collection[str]) -> dict[str, str]:
    """The facts of the candidates of a night, by those evidence hashes."""
    columns = ["evidence_hash", "facts"]
    rows = (row for path in _cases(_folder(settings, day)) for row in _columns(path, columns))
    return {row["evidence_hash"]: row["facts"] for row in rows if row["evidence_hash"] in hashes}


def read_candidate(settings: Settings, day: date, candidate_id: str) -> contents.Candidate:
    """One candidate of a night. Raises NoReportError when that night has none of that id."""
    return read_candidates(settings, day, [candidate_id])[0]


def read_candidates(settings: Settings, day: date, candidate_ids: Collection[str]) -> list[contents.Candidate]:
    """Some candidates of a night, most harmful first. Raises NoReportError when that night lacks one of them."""
    return _some(contents.Candidate, _cases(_folder(settings, day)), "candidate_id", candidate_ids)


def read_cluster(settings: Settings, day: date, cluster_id: str) -> contents.Cluster:
    """One cluster of three or more records. Raises NoReportError when that night has none of that id."""
    return _some(contents.Cluster, [_folder(settings, day) / "clusters.parquet"], "cluster_id", [cluster_id])[0]


def _folder(settings: Settings, day: date) -> Path:
    folder = settings.reports / day.isoformat()
    if not (folder / "run.json").exists():
        nights, kept = _nights(settings), settings.retention.report_days
        if kept and nights and day.isoformat() < nights[0]:
            raise NoReportError(
                f"There is no report of {day.isoformat()} any more: reports are kept for {kept} days "
                f"(retention.report_days). The oldest is that of {nights[0]}."
            )
        known = f"Nights with a report: {', '.join(nights)}." if nights else "No night has published one yet."
        raise NoReportError(f"There is no report of {day.isoformat()}. {known}")
    return folder


def _nights(settings: Settings) -> list[str]:
    return sorted(p.name for p in settings.reports.glob("????-??-??")) if settings.reports.exists() else []


def _all(kind: type[Case], path: Path) -> tuple[Case, ...]:
    try:
        return read_rows(kind, path)
    except (FileNotFoundError, KeyError) as error:
        raise _of_another_version(path) from error


def _some(kind: type[Case], paths: Sequence[Path], key: str, wanted: Collection[str]) -> list[Case]:
    """Read the key of every row, then the row groups that hold what is wanted; each from the first file that has it."""
    found: list[Case] = []
    missing = set(wanted)
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                for number in range(file.num_row_groups):
                    keys = file.read_row_group(number, columns=[key])[key].to_pylist()
                    if positions := [position for position, value in enumerate(keys) if value in missing]:
                        found += from_table(kind, file.read_row_group(number).take(positions))
                        missing -= set(keys)
        except (FileNotFoundError, KeyError) as error:
            raise _of_another_version(path) from error
    if missing:
        raise NoReportError(f"The report of {paths[0].parent.name} has no {key.replace('_id', '')} of that id.")
    return found


def _cases(folder: Path) -> list[Path]:
    """The files that hold cases of two records: those of the night, and those that reviewers named since."""
    return [folder / CANDIDATES, *_named(folder)]


def _named(folder: Path) -> list[Path]:
    return sorted((folder / NAMED).glob("C*.parquet"))


def _columns(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        rows: list[dict[str, Any]] = file.read(columns=list(columns)).to_pylist()
    return rows


def _read_queued(paths: Iterable[Path]) -> list[Queued]:
    rows = [row for path in paths for row in _columns(path, _QUEUE)]
    return [_queued(position, row) for position, row in enumerate(rows)]


def _of_another_version(path: Path) -> NoReportError:
    return NoReportError(
        f"The report of {path.parent.name} was published by another version of oneclient and cannot be read by "
        f"{__version__}. Its page can still be opened.",
        code="R3",
    )


def _run(run: dict[str, Any]) -> contents.Run:
    return contents.Run(
        **{
            **run,
            "day": date.fromisoformat(run["day"]),
            "files": tuple(contents.FileLine(**{**line, "told": tuple(line.get("told", ()))}) for line in run["files"]),
            "rejects": tuple(contents.Reject(**{**line, "rows": tuple(line["rows"])}) for line in run["rejects"]),
            "gates": tuple(contents.GateLine(**line) for line in run["gates"]),
            "train_again": tuple(run["train_again"]),
            "watch": tuple(
                WatchLine(**{**line, "merge_ids": tuple(line["merge_ids"])}) for line in run.get("watch", ())
            ),
        }
    )


def _queued(position: int, row: dict[str, Any]) -> Queued:
    return Queued(
        position=position,
        harm=contents.Harm(**row.pop("harm")),
        left_ref=row.pop("left")["client_ref"],
        right_ref=row.pop("right")["client_ref"],
        survivor_ref=row.pop("recommended")["survivor_ref"],
        blockers=tuple(blocker["kind"] for blocker in row.pop("outcomes")[0]["blockers"]),
        **row,
    )
