"""Train the model: measure on the register how often different people agree, pin it with the term frequencies.

A model is a folder ``HOME/models/<version>/``: ``model.json`` (what it was trained on, and the Splink settings), one
Parquet file of term frequencies for each name column, and its chart. The version is a hash of what is inside, so the
same register, settings and code give the same version.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import __version__
from pipelines.match.engine import Engine
from pipelines.match.model import TERMS, splink_settings
from pipelines.settings import Settings, SettingsError
from pipelines.warehouse import Warehouse, scratch_warehouse, sql_text

log = logging.getLogger(__name__)

ENOUGH_RECORDS = 500
EXPECTED_DUPLICATE_SHARE = 0.2
U_PAIRS = 1e6


class NothingToLearnError(Exception):
    """The register holds no client record yet."""


@dataclass(frozen=True)
class Model:
    """A trained model: its version, Splink settings and pinned term frequencies (column → value, tf_<column>)."""

    version: str
    settings: dict[str, Any]
    terms: dict[str, pa.Table]


def train_model(settings: Settings, warehouse: Warehouse) -> Model:
    """Train on the register, keep the model in ``HOME/models`` and make it the current one.

    With fewer than 500 records nothing can be measured well, so the shipped u probabilities stay. Raises
    NothingToLearnError when there is no record at all.
    """
    if not warehouse.exists("staged.clients") or not warehouse.one("select count(*) from staged.clients"):
        raise NothingToLearnError("The register is empty. Run a night first: oneclient nightly")
    records = warehouse.connection.sql(sql_text("matched.records")).to_arrow_table()
    with scratch_warehouse(settings.warehouse) as scratch:
        load_records(scratch, "records", records)
        terms = {column: _term_frequencies(scratch, column) for column in TERMS}
        prior = min(0.01, 2 * EXPECTED_DUPLICATE_SHARE / max(records.num_rows, 100))
        engine = Engine(scratch, splink_settings(prior))
        engine.register_terms(terms)
        if records.num_rows >= ENOUGH_RECORDS:
            engine.linker.training.estimate_u_using_random_sampling(max_pairs=U_PAIRS, seed=settings.match.seed)
        learnt = engine.linker.misc.save_model_to_json()
        learnt.pop("linker_uid", None)
        chart = engine.linker.visualisations.match_weights_chart()
        model = Model(_version(learnt, terms), learnt, terms)
        about = {
            "version": model.version,
            "records": records.num_rows,
            "data_hash": scratch.one("select md5(string_agg(record_hash, '' order by client_ref)) from records"),
            "seed": settings.match.seed,
            "oneclient": __version__,
            "splink": learnt,
        }
        _keep(settings.models, model, about, chart)
    log.info("trained model %s on %d records", model.version, records.num_rows)
    return model


def load_model(settings: Settings) -> Model | None:
    """The model that the settings pin, else the current one; None when none was trained yet.

    Raises SettingsError when the pinned one is not there.
    """
    version = settings.match.model
    if version is None:
        current = settings.models / "current"
        if not current.exists():
            return None
        version = current.read_text(encoding="utf-8").strip()
    folder = settings.models / version
    if not (folder / "model.json").exists():
        raise SettingsError(f"There is no model {version} in HOME/models. Correct match.model, or run: oneclient train")
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    terms = {column: pq.read_table(folder / f"terms_{column}.parquet") for column in TERMS}
    return Model(about["version"], about["splink"], terms)


def load_records(scratch: Warehouse, table: str, records: pa.Table) -> None:
    """Put an Arrow table of records into a scratch warehouse."""
    with scratch.relation("incoming_records", records):
        scratch.execute(f"create or replace table {table} as select * from incoming_records order by client_id")


def _term_frequencies(scratch: Warehouse, column: str) -> pa.Table:
    return scratch.connection.sql(
        f"select {column}, count(*)::double / sum(count(*)) over () as tf_{column} from records"
        f" where {column} is not null group by {column} order by {column}"
    ).to_arrow_table()


def _version(learnt: dict[str, Any], terms: dict[str, pa.Table]) -> str:
    content = hashlib.sha256(json.dumps(learnt, sort_keys=True).encode())
    for column, table in terms.items():
        content.update(f"{column} {table.to_pydict()}".encode())
    return content.hexdigest()[:12]


def _keep(models: Path, model: Model, about: dict[str, Any], chart: Any) -> None:
    folder = models / model.version
    if not folder.exists():
        partial = models / f".{model.version}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / "model.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        for column, table in model.terms.items():
            pq.write_table(table, partial / f"terms_{column}.parquet")
        chart.save(str(partial / "match_weights.html"), inline=True)
        partial.rename(folder)
    current = models / ".current.partial"
    current.write_text(f"{model.version}\n", encoding="utf-8")
    current.replace(models / "current")
