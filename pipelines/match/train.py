"""Train the model: without labels, from how the records themselves agree.

How often two different people fall on a level (u) is counted over pairs taken at random; how often one person's two
records do (m) comes from expectation maximisation over pairs of one name and pairs of one birth date. A level or a
comparison for which the records cannot say (too few, or an outcome that no care register can have) keeps its shipped
share. Blocking rules are kept as long as the pairs that they generate are worth it, as counted on the records.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import __version__
from pipelines.match.engine import Engine
from pipelines.match.model import (
    BLOCKING,
    REGISTER_COLUMNS,
    Comparison,
    blocking_columns,
    blocking_condition,
    comparisons_for,
    splink_settings,
    terms_of,
)
from pipelines.settings import Settings, SettingsError
from pipelines.warehouse import Warehouse, scratch_warehouse, sql_text

log = logging.getLogger(__name__)

ENOUGH_RECORDS = 500
PAIRS = 2_000_000
PAIRS_EACH_RECORD = 5
U_PAIRS = 1e6
EM_PAIRS = 1e6
EM_BLOCKS = ("SAME_NAME", "SAME_BIRTH")
STRICT_BLOCKS = (
    ("nhs_number",),
    ("national_id",),
    ("surname", "forename_root", "born"),
    ("surname", "forename_root", "postcode"),
    ("forename_root", "email"),
    ("forename_root", "reference_core"),
)
STRICT_RECALL = 0.7
LEAST_SHARE = {"m": 1e-3, "u": 1e-6}


class NothingToLearnError(Exception):
    """The register holds no client record yet."""


@dataclass(frozen=True)
class Model:
    """A trained model: its version, the comparisons it makes, its Splink settings, its pinned term frequencies
    (column → value, tf_<column>) and how many pairs each blocking rule generated when it was trained."""

    version: str
    comparisons: tuple[Comparison, ...]
    settings: dict[str, Any]
    terms: dict[str, pa.Table]
    blocking: dict[str, int]

    def engine(self, scratch: Warehouse) -> Engine:
        """A Splink session with this model over the ``records`` of a scratch warehouse."""
        return _engine(scratch, self.comparisons, self.settings, self.terms)


def _engine(
    scratch: Warehouse, comparisons: Sequence[Comparison], settings: dict[str, Any], terms: dict[str, pa.Table]
) -> Engine:
    engine = Engine(scratch, comparisons, settings)
    engine.register_terms(terms)
    return engine


def train_on(scratch: Warehouse, columns: Collection[str], seed: int) -> Model:
    """Train on the table ``records`` of a scratch warehouse, comparing the given columns of it."""
    records = int(scratch.one("select count(*) from records"))
    comparisons = comparisons_for(columns)
    terms = {column: _term_frequencies(scratch, column) for column in terms_of(comparisons)}
    blocking = _affordable_blocking(scratch, columns, records)
    conditions = [blocking_condition(BLOCKING[name]) for name in blocking]
    settings = splink_settings(comparisons, conditions, _prior(scratch, columns, records))
    if records >= ENOUGH_RECORDS:
        shipped = json.loads(json.dumps(settings["comparisons"]))
        blocks = [name for name in EM_BLOCKS if blocking_columns(BLOCKING[name]) <= set(columns)]
        learnt = _learn(lambda: _engine(scratch, comparisons, settings, terms), blocks, seed)
        prior = settings["probability_two_random_records_match"]
        settings["comparisons"] = [_sensible(s, t, prior) for s, t in zip(shipped, learnt, strict=True)]
        settings["probability_two_random_records_match"] = max(
            prior, _expected_share(scratch, comparisons, settings, terms)
        )
    return Model(_version(settings, terms), comparisons, settings, terms, blocking)


def train_model(settings: Settings, warehouse: Warehouse) -> Model:
    """Train on the register, keep the model in ``HOME/models`` and make it the current one.

    A model is a folder ``HOME/models/<version>/``: ``model.json`` (what it was trained on, and the Splink settings),
    a Parquet file of term frequencies for each column, and its chart. The version is a hash of what is inside, so the
    same register, settings and code give the same version. Raises NothingToLearnError when there is no record.
    """
    if not warehouse.exists("staged.clients") or not warehouse.one("select count(*) from staged.clients"):
        raise NothingToLearnError("The register is empty. Run a night first: oneclient nightly")
    records = warehouse.connection.sql(sql_text("matched.records")).to_arrow_table()
    with scratch_warehouse(settings.warehouse) as scratch:
        load_records(scratch, "records", records)
        model = train_on(scratch, REGISTER_COLUMNS, settings.match.seed)
        about = {
            "version": model.version,
            "records": records.num_rows,
            "columns": REGISTER_COLUMNS,
            "data_hash": scratch.one("select md5(string_agg(record_hash, '' order by client_ref)) from records"),
            "seed": settings.match.seed,
            "oneclient": __version__,
            "blocking": model.blocking,
            "splink": model.settings,
        }
        chart = Engine(scratch, model.comparisons, model.settings).linker.visualisations.match_weights_chart()
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
    comparisons = comparisons_for(about["columns"])
    terms = {column: pq.read_table(folder / f"terms_{column}.parquet") for column in terms_of(comparisons)}
    return Model(about["version"], comparisons, about["splink"], terms, about["blocking"])


def load_records(scratch: Warehouse, table: str, records: pa.Table) -> None:
    """Put an Arrow table of records into a scratch warehouse."""
    with scratch.relation("incoming_records", records):
        scratch.execute(f"create or replace table {table} as select * from incoming_records order by client_id")


def _term_frequencies(scratch: Warehouse, column: str) -> pa.Table:
    return scratch.connection.sql(
        f"select {column}, count(*)::double / sum(count(*)) over () as tf_{column} from records"
        f" where {column} is not null group by {column} order by {column}"
    ).to_arrow_table()


def _affordable_blocking(scratch: Warehouse, columns: Collection[str], records: int) -> dict[str, int]:
    """Blocking rule → pairs that it generates: the most selective rules first, as many as the register can afford."""
    asked = {name: keys for name, keys in BLOCKING.items() if blocking_columns(keys) <= set(columns)}
    pairs = sorted((_pairs_in_blocks(scratch, keys), name) for name, keys in asked.items())
    totals = accumulate(count for count, _ in pairs)
    budget = PAIRS + PAIRS_EACH_RECORD * records
    return {name: count for (count, name), total in zip(pairs, totals, strict=True) if count and total <= budget}


def _pairs_in_blocks(scratch: Warehouse, keys: tuple[str, ...]) -> int:
    """Pairs that share a blocking key, counted from the sizes of the blocks, without making a pair."""
    sides = [[(key.split("=") * 2)[side] for key in keys] for side in (0, 1)]
    grouped = [
        f"(select {', '.join(f'{k} as k{i}' for i, k in enumerate(side))}, count(*) as n from records group by all)"
        for side in sides
    ]
    same = " and ".join(f"a.k{i} = b.k{i}" for i in range(len(keys)))
    total = scratch.one(f"select coalesce(sum(a.n * b.n), 0) from {grouped[0]} as a join {grouped[1]} as b on {same}")
    if sides[0] != sides[1]:
        return int(total)
    filled = " and ".join(f"{key} is not null" for key in sides[0])
    return int(total - scratch.one(f"select count(*) from records where {filled}")) // 2


def _prior(scratch: Warehouse, columns: Collection[str], records: int) -> float:
    """The probability that two records taken at random are one person, from the pairs that agree strictly."""
    strict = [
        f"select l.client_id as a, r.client_id as b from records as l join records as r"
        f" on {blocking_condition(keys)} and l.client_id < r.client_id"
        for keys in STRICT_BLOCKS
        if set(keys) <= set(columns) and _pairs_in_blocks(scratch, keys) <= PAIRS + PAIRS_EACH_RECORD * records
    ]
    found = scratch.one(f"select count(*) from ({' union '.join(strict)})") if strict else 0
    return float(min(0.05, max(found / STRICT_RECALL, 0.05 * records, 1) / max(records * (records - 1) / 2, 20)))


def _learn(new_engine: Callable[[], Engine], blocks: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """The comparisons of Splink's settings after counting u and estimating m.

    Records that share a block can be too few to teach anything: a share then underflows to nothing (ValueError), and
    the session that found out is of no use any more. So it is done again without that block.
    """
    from splink.internals.exceptions import SplinkException  # noqa: PLC0415

    engine = new_engine()
    engine.linker.training.estimate_u_using_random_sampling(max_pairs=U_PAIRS, seed=seed)
    for block in blocks:
        try:
            engine.linker.training.estimate_parameters_using_expectation_maximisation(
                blocking_condition(BLOCKING[block]), max_pairs=EM_PAIRS
            )
        except (SplinkException, ValueError) as error:
            log.warning("records that share %s teach nothing (%s)", block, type(error).__name__)
            return _learn(new_engine, [other for other in blocks if other != block], seed)
    comparisons: list[dict[str, Any]] = engine.linker.misc.save_model_to_json()["comparisons"]
    return comparisons


def _expected_share(
    scratch: Warehouse, comparisons: tuple[Comparison, ...], settings: dict[str, Any], terms: dict[str, pa.Table]
) -> float:
    """The share of all pairs that the model itself expects to be one person, from the pairs that blocking makes."""
    engine = _engine(scratch, comparisons, settings, terms)
    records = int(scratch.one("select count(*) from records"))
    expected = engine.expected_matches()
    return float(min(0.05, expected / max(records * (records - 1) / 2, 1)))


def _sensible(shipped: dict[str, Any], learnt: dict[str, Any], prior: float) -> dict[str, Any]:
    """The learnt shares of one comparison, or the shipped ones where the learnt cannot be right.

    They cannot when true pairs would mostly disagree, or agree more rarely than other pairs do. Pairs taken at random
    hold true pairs too (``prior`` of them), which matters in records full of duplicates: their part of u is taken off.
    """
    levels = []
    for own, new in zip(shipped["comparison_levels"], learnt["comparison_levels"], strict=True):
        level = dict(own)
        for share in ("m", "u"):
            name = f"{share}_probability"
            if name in own and not own["fix_u_probability"] and new.get(name) is not None:
                level[name] = max(new[name], LEAST_SHARE[share])
        if "u_probability" in level and not own["fix_u_probability"]:
            corrected = (level["u_probability"] - prior * level["m_probability"]) / (1 - prior)
            level["u_probability"] = max(corrected, LEAST_SHARE["u"])
        levels.append(level)
    different = levels[-1]
    if different["m_probability"] > 0.6 or different["m_probability"] >= different["u_probability"]:
        levels = [
            {**level, "m_probability": own["m_probability"]} if "m_probability" in own else level
            for level, own in zip(levels, shipped["comparison_levels"], strict=True)
        ]
    return {**shipped, "comparison_levels": levels}


def _version(settings: dict[str, Any], terms: dict[str, pa.Table]) -> str:
    content = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
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
