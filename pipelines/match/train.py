"""Train the model: without labels, from how the records themselves agree.

How often two different people fall on a level (u) is counted over pairs taken at random; how often one person's two
records do (m) comes from expectation maximisation over pairs of one name and pairs of one birth date. A level or a
comparison for which the records cannot say (too few, or an outcome that no care register can have) keeps its shipped
share. Then every blocked pair is scored once, and what its weight means is measured by holding identity numbers out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from pipelines import __version__
from pipelines.match import charts
from pipelines.match.blocking import (
    BLOCKING,
    FIRST_NAME,
    affordable_blocking,
    affordable_pairs,
    block_keys,
    blocked_pairs,
    blocking_columns,
    blocking_condition,
    blocking_conditions,
    pairs_in_blocks,
)
from pipelines.match.calibrate import Calibration, fit_curves, quality, rows_of
from pipelines.match.comparisons import REGISTER_COLUMNS
from pipelines.match.drift import filled_columns, profile
from pipelines.match.engine import LEAST_PROBABILITY, Engine, bits
from pipelines.match.groups import show_everybody
from pipelines.match.judge import judge, relate
from pipelines.match.model import comparisons_for, splink_settings, terms_of
from pipelines.match.models import Model, keep_model, open_engine, version_of
from pipelines.settings import MatchSettings, Settings
from pipelines.troubles import KnownError
from pipelines.warehouse import Warehouse, sql_text

log = logging.getLogger(__name__)

ENOUGH_RECORDS = 500
U_PAIRS = 1e6
EM_PAIRS = 5e5
EM_BLOCKS = ("SAME_NAME", "SAME_BIRTH")
STRICT_BLOCKS = (
    ("nhs_number",),
    ("national_id",),
    ("surname", FIRST_NAME, "born"),
    ("surname", FIRST_NAME, "postcode"),
    (FIRST_NAME, "email"),
    (FIRST_NAME, "reference_core"),
)
STRICT_RECALL = 0.7
MOST_MATCHES_A_PAIR = 0.05
PRIOR_MAY_RISE = 16
LEAST_SHARE = {"m": 1e-3, "u": 1e-6}
NUMBERED_RECORDS = 100_000


class NothingToLearnError(KnownError):
    """The register holds no client record yet."""

    code = "T1"


def train_model(settings: Settings, warehouse: Warehouse) -> Model:
    """Train on the register, keep the model in ``HOME/models`` and make it the current one.

    Leaves all pairs, scored by it, in the temporary table ``scored_pairs``.

    A model is a folder ``HOME/models/<version>/``: ``model.json`` (what it was trained on, how well it does, and the
    model itself), a Parquet file of term frequencies for each column, and its charts. The version is a hash of what is
    inside, so the same register, settings and code give the same version. Raises NothingToLearnError when there is no
    record.
    """
    if not warehouse.exists("staged.clients") or not warehouse.one("select count(*) from staged.clients"):
        raise NothingToLearnError("The register is empty. Run a night first: oneclient nightly")
    show_everybody(warehouse)
    with warehouse.scratch() as scratch:
        with scratch.relation("everybody", warehouse.batches(sql_text("matched.records"))):
            scratch.execute("create table records as from everybody order by client_id")
        with scratch.relation("decisions", _decided(warehouse)):
            scratch.execute("create table decided as select * from decisions")
        model = train_on(scratch, REGISTER_COLUMNS, settings.match)
        about = {
            "version": model.version,
            "records": scratch.one("select count(*) from records"),
            "columns": REGISTER_COLUMNS,
            "data_hash": scratch.one(
                "select md5(concat(bit_xor(record_hash), sum(record_hash::hugeint))) from records"
            ),
            "seed": settings.match.seed,
            "oneclient": __version__,
            "blocking": model.blocking,
            "splink": model.splink,
            "calibration": model.calibration.as_dict(),
            "quality": quality(model.calibration, settings.match),
            "profile": profile(
                scratch,
                scratch.row(filled_columns(REGISTER_COLUMNS, "records")),
                model.comparisons,
                "scored_pairs",
                "judged",
            ),
        }
        keep_model(settings.models, model, about, charts.draw(model, scratch))
        take_over_pairs(warehouse, scratch)
    log.info("trained model %s on %d records", model.version, about["records"])
    return model


def _decided(warehouse: Warehouse) -> pa.Table:
    return warehouse.connection.sql(
        "select left_id, right_id, standing = 'same' as is_same from reviewed.standings"
        " where standing in ('same', 'different')"
    ).to_arrow_table()


def train_on(scratch: Warehouse, columns: Collection[str], settings: MatchSettings) -> Model:
    """Train on the table ``records`` of a scratch warehouse, comparing the given columns of it.

    Pairs in the table ``decided`` (left_id, right_id, is_same) help to say what a weight means. Leaves all pairs in
    ``scored_pairs``, scored by the trained model as ``Engine.score`` does.
    """
    return _Training(scratch, columns, settings).run()


def take_over_pairs(warehouse: Warehouse, scratch: Warehouse) -> None:
    """Hand the scored pairs of a scratch warehouse over into the temporary table ``scored_pairs`` of another."""
    with warehouse.relation("incoming_pairs", scratch.batches("from scored_pairs")):
        warehouse.execute("create or replace temp table scored_pairs as from incoming_pairs")


class _Training:
    def __init__(self, scratch: Warehouse, columns: Collection[str], settings: MatchSettings) -> None:
        self.scratch = scratch
        self.columns = set(columns)
        self.settings = settings
        scratch.execute("create table if not exists decided (left_id integer, right_id integer, is_same boolean)")
        self.records = int(scratch.one("select count(*) from records"))
        self.comparisons = comparisons_for(columns)
        self.terms = {column: self._term_frequencies(column) for column in terms_of(self.comparisons)}
        self.blocking = affordable_blocking(scratch, columns, self.records)
        self.splink = splink_settings(self.comparisons, blocking_conditions(self.blocking), self._prior())

    def run(self) -> Model:
        if self.records >= ENOUGH_RECORDS:
            shipped = json.loads(json.dumps(self.splink["comparisons"]))
            blocks = [name for name in EM_BLOCKS if blocking_columns(BLOCKING[name]) <= self.columns]
            prior = self.splink["probability_two_random_records_match"]
            self.splink["comparisons"] = [
                _sensible(own, new, prior) for own, new in zip(shipped, self._learn(blocks), strict=True)
            ]
        self._score()
        calibration = self._calibrate()
        version = version_of(self.splink, self.terms, calibration)
        return Model(version, self.comparisons, self.splink, self.terms, self.blocking, calibration)

    def _engine(self) -> Engine:
        return open_engine(self.scratch, self.comparisons, self.splink, self.terms)

    def _term_frequencies(self, column: str) -> pa.Table:
        return self.scratch.connection.sql(
            f"select {column}, count(*)::double / sum(count(*)) over () as tf_{column} from records"
            f" where {column} is not null group by {column} order by {column}"
        ).to_arrow_table()

    def _prior(self) -> float:
        """The probability that two records taken at random are one person, from the pairs that agree strictly."""
        strict = [
            f"select l.client_id as a, r.client_id as b from records as l join records as r"
            f" on {blocking_condition(keys)} and l.client_id < r.client_id"
            for keys in STRICT_BLOCKS
            if blocking_columns(keys) <= self.columns
            and pairs_in_blocks(self.scratch, keys) <= affordable_pairs(self.records)
        ]
        found = self.scratch.one(f"select count(*) from ({' union '.join(strict)})") if strict else 0
        return self._share(max(found / STRICT_RECALL, 0.05 * self.records, 1))

    def _share(self, matches: float) -> float:
        """Of all pairs there can be, the share that so many matches are."""
        return _rounded(min(MOST_MATCHES_A_PAIR, matches / max(self.records * (self.records - 1) / 2, 20)))

    def _learn(self, blocks: Sequence[str]) -> list[dict[str, Any]]:
        """The comparisons of Splink's settings after counting u and estimating m.

        Records that share a block can be too few to teach anything: a share then underflows to nothing (ValueError),
        and the session that found out is of no use any more. So it is done again without that block.
        """
        from splink.internals.exceptions import SplinkException  # noqa: PLC0415

        training = self._engine().linker.training
        training.estimate_u_using_random_sampling(max_pairs=U_PAIRS, seed=self.settings.seed)
        for block in blocks:
            try:
                training.estimate_parameters_using_expectation_maximisation(
                    blocking_condition(BLOCKING[block]), max_pairs=EM_PAIRS
                )
            except (SplinkException, ValueError) as error:
                log.warning("records that share %s teach nothing (%s)", block, type(error).__name__)
                return self._learn([other for other in blocks if other != block])
        learnt: list[dict[str, Any]] = training._linker.misc.save_model_to_json()["comparisons"]
        return learnt

    def _score(self) -> None:
        """``scored_pairs``; the prior is raised to the share of all pairs that they add up to (hopeless ones apart)."""
        pairs = self._blocked(self.blocking, "records")
        self._engine().score(pairs, "scored_pairs", LEAST_PROBABILITY / PRIOR_MAY_RISE)
        if self.records >= ENOUGH_RECORDS:
            expected = self.scratch.one(
                "with likely as (select 1 / (1 + 2 ** -match_weight) as probability from scored_pairs)"
                " select coalesce(sum(probability), 0) from likely where probability > 0.01"
            )
            prior = self.splink["probability_two_random_records_match"]
            raised = min(max(self._share(expected), prior), PRIOR_MAY_RISE * prior)
            self.splink["probability_two_random_records_match"] = raised
        weight = self._engine().match_weight()
        self.scratch.execute(
            f"create or replace table scored_pairs as select * replace ({weight} as match_weight) from scored_pairs"
            f" where {weight} >= {bits(LEAST_PROBABILITY)!r}"
        )

    def _calibrate(self) -> Calibration:
        """What the weights of ``scored_pairs`` mean, by identity numbers held out of them and by what people decided.

        Decisions are not used to learn m: people see what the model proposes, so it would learn to agree with itself.
        What a given weight means is not touched by that.
        """
        counted = []
        if numbers := [comparison.name for comparison in self.comparisons if comparison.identifies]:
            self._score_without(numbers)
            relate(self.scratch, self.comparisons, "held_out_pairs", "records", hold_numbers_out=True)
            counted.append(self.scratch.work_frame("matched.number_agreement"))
        relate(self.scratch, self.comparisons, "scored_pairs", "records")
        counted.append(self.scratch.work_frame("matched.decided_agreement"))
        curves, measured = fit_curves(pd.concat(counted))
        judge(self.scratch, self.comparisons, Calibration(curves), self.settings, "scored_pairs", "records")
        return Calibration(curves, measured, rows_of(self.scratch.work_frame("matched.tier_precision")))

    def _score_without(self, numbers: Collection[str]) -> None:
        """``held_out_pairs``: pairs of numbered records, found and weighed by everything but their numbers.

        Of a large register those of some surnames' first letters are enough.
        """
        silent = {
            **self.splink,
            "comparisons": [
                _silenced(comparison) if comparison["output_column_name"] in numbers else comparison
                for comparison in self.splink["comparisons"]
            ],
        }
        numbered = f"coalesce({', '.join(numbers)}) is not null"
        found = self.scratch.one(f"select count(*) from records where {numbered}")
        sampled = f"md5_number_lower(left(coalesce(surname, ''), 2)) % {found} < {NUMBERED_RECORDS}"
        enough = f"{numbered} and {sampled}" if "surname" in self.columns and found > NUMBERED_RECORDS else numbered
        self.scratch.execute(f"create or replace table numbered as select * from records where {enough}")
        engine = open_engine(self.scratch, self.comparisons, silent, self.terms, "numbered")
        unnumbered = [name for name in self.blocking if not blocking_columns(BLOCKING[name]) & set(numbers)]
        engine.score(self._blocked(unnumbered, "numbered"), "held_out_pairs")

    def _blocked(self, names: Collection[str], records: str) -> str:
        keys = block_keys(names, records)
        return f"with blocks as materialized ({keys}) {blocked_pairs(names, 'blocks', 'blocks')}"


def _rounded(share: float) -> float:
    """To six digits: sums of parallel threads come in any order, and differ in the last of sixteen."""
    return float(f"{share:.6g}")


def _silenced(comparison: dict[str, Any]) -> dict[str, Any]:
    """The comparison with every level weighing nothing."""
    levels = [
        {**level, "m_probability": 0.5, "u_probability": 0.5} if "m_probability" in level else level
        for level in comparison["comparison_levels"]
    ]
    return {**comparison, "comparison_levels": levels}


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
                level[name] = max(_rounded(new[name]), LEAST_SHARE[share])
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
