"""Trained models: what one is, and the folder ``HOME/models/<version>/`` where it is kept."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.match.calibrate import Calibration
from pipelines.match.comparisons import Comparison
from pipelines.match.engine import Engine, Terms
from pipelines.match.model import comparisons_for, terms_of
from pipelines.settings import Settings, SettingsError
from pipelines.warehouse import BATCH, SQL, STAGES, Warehouse

MODEL = "model.json"


@dataclass(frozen=True)
class Model:
    """A trained model: its version, the comparisons it makes, its Splink settings, its pinned term frequencies (column
    → value, tf_<column>), how many pairs each blocking rule generated when it was trained, and what its weights were
    measured to mean."""

    version: str
    comparisons: tuple[Comparison, ...]
    splink: Mapping[str, Any]
    terms: Mapping[str, Terms]
    blocking: Mapping[str, int]
    calibration: Calibration

    def engine(self, scratch: Warehouse) -> Engine:
        """A Splink session with this model over the ``records`` of a scratch warehouse."""
        return open_engine(scratch, self.comparisons, self.splink, self.terms)


@cache
def rules_hash() -> str:
    """Twelve hex digits of all code that says how records are derived, judged and clustered."""
    files = [*Path(__file__).parent.glob("*.py"), *(SQL / STAGES["matched"]).glob("*.sql"), SQL / "macros.sql"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:12]


def version_of(splink: Mapping[str, Any], terms: Mapping[str, pa.Table], calibration: Calibration) -> str:
    """Twelve hex digits that change when anything does that scores, or tiers, depend on."""
    content = hashlib.sha256(json.dumps([splink, calibration.as_dict()], sort_keys=True).encode())
    for column, table in terms.items():
        for batch in table.combine_chunks().to_batches(BATCH):
            content.update(f"{column} {batch.to_pydict()}".encode())
    return content.hexdigest()[:12]


def open_engine(
    scratch: Warehouse,
    comparisons: Sequence[Comparison],
    splink: Mapping[str, Any],
    terms: Mapping[str, Terms],
    records: str = "records",
) -> Engine:
    """A Splink session over a table of records, its term frequencies pinned."""
    engine = Engine(scratch, comparisons, dict(splink), records)
    engine.register_terms(terms)
    return engine


def load_model(settings: Settings) -> Model | None:
    """The model that the settings pin, else the current one; None when none was trained yet.

    Raises SettingsError when the pinned one is not there, or was made by another version of oneclient.
    """
    about = read_about(settings)
    if about is None:
        return None
    folder = settings.models / about["version"]
    comparisons = comparisons_for(about["columns"])
    terms = {column: folder / f"terms_{column}.parquet" for column in terms_of(comparisons)}
    if [c["output_column_name"] for c in about["splink"]["comparisons"]] != [c.name for c in comparisons]:
        raise SettingsError(
            f"Model {about['version']} was made by another version of oneclient. Run: oneclient train", code="S4"
        )
    calibration = Calibration.from_dict(about["calibration"])
    return Model(about["version"], comparisons, about["splink"], terms, about["blocking"], calibration)


def read_about(settings: Settings) -> dict[str, Any] | None:
    """``model.json`` of the model in use: what it was trained on, how well it does, and all of it."""
    version = settings.match.model
    if version is None:
        current = settings.models / "current"
        if not current.exists():
            return None
        version = current.read_text(encoding="utf-8").strip()
    written = settings.models / version / MODEL
    if not written.exists():
        raise SettingsError(
            f"There is no model {version} in HOME/models. Correct match.model, or run: oneclient train", code="S4"
        )
    about: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
    return about


def keep_model(models: Path, model: Model, about: Mapping[str, Any], charts: Mapping[str, str]) -> None:
    """Write the folder of a model with its charts (file name → page), unless it is there; make it the current one."""
    folder = models / model.version
    if not folder.exists():
        partial = models / f".{model.version}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / MODEL).write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        for column, table in model.terms.items():
            pq.write_table(table, partial / f"terms_{column}.parquet", row_group_size=BATCH)
        for name, page in charts.items():
            (partial / name).write_text(page, encoding="utf-8")
        partial.rename(folder)
    current = models / ".current.partial"
    current.write_text(f"{model.version}\n", encoding="utf-8")
    current.replace(models / "current")
