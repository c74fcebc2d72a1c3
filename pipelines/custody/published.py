"""Take a person out of what was published: the reports of past nights, what follows from merges, and plans."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.merge.publish import publish_merges
from pipelines.publishing.versions import VERSIONS
from pipelines.review.publish import publish_without
from pipelines.review.published import NAMED, NoReportError
from pipelines.settings import Settings
from pipelines.turns import my_turn


def withdraw_from_reports(settings: Settings, client_refs: Collection[str]) -> int:
    """Publish every report that names these records again without them, and delete each version that does. Cases that
    reviewers named themselves are deleted with it: they are gathered again when they are named again.

    A report that this version of oneclient cannot read is deleted whole. Gives how many reports named them.
    """
    named = [link for link in _links(settings.reports) if _names(link.resolve(), client_refs)]
    for link in named:
        try:
            publish_without(settings, date.fromisoformat(link.name), client_refs)
        except NoReportError:
            link.unlink(missing_ok=True)
    with my_turn(settings.reports):
        linked = {link.resolve() for link in _links(settings.reports)}
        for folder in _versions(settings.reports):
            shutil.rmtree(folder / NAMED, ignore_errors=True)
            if folder.name.endswith(".partial") or (folder not in linked and _names(folder, client_refs)):
                shutil.rmtree(folder)
    return len(named)


def withdraw_from_plans(settings: Settings, client_refs: Collection[str]) -> int:
    """Delete every published plan that names these records; gives how many."""
    plans = settings.published / "plans"
    if not plans.exists():
        return 0
    with my_turn(plans):
        named = [folder for folder in _versions(plans) if _stands_in(folder / "plan.json", client_refs)]
        for link in [path for path in plans.iterdir() if path.is_symlink() and path.resolve() in named]:
            link.unlink()
        for folder in named:
            shutil.rmtree(folder)
    return len(named)


def publish_merges_anew(settings: Settings) -> None:
    """Publish what follows from the merges, and delete what was published before."""
    if not (settings.published / "current").exists():
        return
    publish_merges(settings)
    with my_turn(settings.published):
        current = (settings.published / "current").resolve()
        for folder in _versions(settings.published):
            if folder != current:
                shutil.rmtree(folder)


def _links(published: Path) -> list[Path]:
    return sorted(published.glob("????-??-??"))


def _versions(published: Path) -> list[Path]:
    folder = published.resolve() / VERSIONS
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.exists() else []


def _names(folder: Path, client_refs: Collection[str]) -> bool:
    """Whether a version of a report names one of these records; one that cannot be read may."""
    try:
        refs = set(_refs(folder))
    except (OSError, KeyError, pa.ArrowInvalid):
        return True
    return bool(refs & set(client_refs)) or _stands_in(folder / "references.json", client_refs)


def _refs(folder: Path) -> Iterator[str]:
    for row in pq.read_table(
        folder / "candidates.parquet", columns=["left.client_ref", "right.client_ref"]
    ).to_pylist():
        yield from (row["left"]["client_ref"], row["right"]["client_ref"])
    for row in pq.read_table(folder / "clusters.parquet", columns=["records.list.element.client_ref"]).to_pylist():
        yield from (record["client_ref"] for record in row["records"])


def _stands_in(file: Path, client_refs: Collection[str]) -> bool:
    """Whether a JSON file names one of these records as a whole text."""
    said = file.read_text(encoding="utf-8") if file.exists() else ""
    return any(f'"{ref}"' in said for ref in client_refs)
