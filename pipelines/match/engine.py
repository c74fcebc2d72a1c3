"""Splink on DuckDB, in memory: register the records, train or score, give the pairs in our own words."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from math import log2
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from pipelines.match.comparisons import Comparison
from pipelines.warehouse import Warehouse

logging.getLogger("splink").setLevel(logging.ERROR)

LEAST_PROBABILITY = 0.001
ROUNDED_OFF = 0.9  # Splink adds in another order than we do, and must not lose a pair by it.
PAIRS_AT_ONCE = 1_000_000
"""Since a compared pair is hundreds of bytes wide while Splink works on it."""

Terms: TypeAlias = pa.Table | Path


class Engine:
    """One Splink session over a table or view of records of a scratch warehouse."""

    def __init__(
        self, scratch: Warehouse, comparisons: Sequence[Comparison], settings: dict[str, Any], records: str = "records"
    ) -> None:
        from splink import DuckDBAPI, Linker  # noqa: PLC0415 - takes a second, and only matching needs it

        self.scratch = scratch
        self.records = records
        self.comparisons = comparisons
        self.prior: float = settings["probability_two_random_records_match"]
        self.api = DuckDBAPI(connection=scratch.connection)
        # Splink looks a table's columns up by its bare name, and finds those of matched.records too.
        scratch.execute(f"create or replace view compared_{records} as from {records}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.linker = Linker(
                self.api.register(f"compared_{records}"), settings, log_level=None, validate_settings=False
            )

    def register_terms(self, terms: Mapping[str, Terms]) -> None:
        """Pin the term frequencies of the records' values: for each column a table, or Parquet file, of all of them."""
        for column, table in terms.items():
            needed = f"semi join {self.records} using ({column})"
            make = f"create or replace table terms_{column} as select * from"
            if isinstance(table, Path):
                self.scratch.execute(f"{make} read_parquet($file) {needed}", {"file": str(table)})
            else:
                with self.scratch.relation("incoming_terms", table):
                    self.scratch.execute(f"{make} incoming_terms {needed}")
            self.linker.table_management.register_term_frequency_lookup(self.api.register(f"terms_{column}"), column)

    def score(self, pairs: str, found: str, least: float = LEAST_PROBABILITY) -> None:
        """Score pairs of the records (SQL for ``left_id``, ``right_id``), into the table ``found``.

        Columns: ``left_id`` < ``right_id``, ``match_weight`` (bits), and for each comparison ``level_<name>`` and
        ``weight_<name>`` (bits). Pairs that are less likely than ``least`` are not kept.
        """
        self.scratch.execute(f"create or replace table all_pairs as {pairs}")
        parts = self.scratch.parts("all_pairs", PAIRS_AT_ONCE)
        relation = self._relation_of("all_pairs", parts)
        for part in range(parts):
            self.scratch.execute(
                f"create or replace {relation} pairs_to_score as select '0' as match_key, left_id as join_key_l,"
                f" right_id as join_key_r from all_pairs where left_id % {parts} = {part}"
            )
            self._register_pairs("pairs_to_score")
            scored = self.linker.inference.predict(
                threshold_match_probability=ROUNDED_OFF * least, warning_mode="never"
            )
            worth_keeping = self._worth_keeping(scored.physical_name, least)
            if part:
                self.scratch.execute(f"create or replace temp table found_more as {worth_keeping}")
                self.scratch.append(found, "found_more")
            else:
                self.scratch.execute(f"create or replace table {found} as {worth_keeping}")
            scored.drop_table_from_database_and_remove_from_cache()
        self.scratch.execute(f"drop {relation} pairs_to_score")
        self.scratch.execute("drop table all_pairs")

    def _relation_of(self, pairs: str, parts: int) -> str:
        """As what a part of the pairs is kept, since DuckDB takes the remainder that makes a view of them for rare.

        By a view it hashes the pairs, which is best while they are about as many as the records: those of a table it
        counts, and miscounts a little, and then may hash the records, which takes half as much time again. Of many
        more pairs than records, or of very many records, a table takes less memory.
        """
        many = self.scratch.one(f"select count(*) > 2 * {parts} * (select count(*) from {self.records}) from {pairs}")
        return "table" if many or self._prunes() else "view"

    def _register_pairs(self, pairs: str) -> None:
        """Tell Splink what to predict."""
        registered = self.linker.table_management.register_blocked_pairs_for_predict(self.api.register(pairs))
        if not self._prunes():
            registered.metadata.clear()

    def _prunes(self) -> bool:
        """Whether Splink copies the records that a part of the pairs needs first, once for each side, as it would.

        Where they may need nearly all, that takes longer than it saves.
        """
        return int(self.scratch.one(f"select count(*) from {self.records}")) > 2 * PAIRS_AT_ONCE

    def _worth_keeping(self, scored: str, least: float) -> str:
        levels = ", ".join(
            f"{_level_case(c)} as level_{c.name}, {_weight(c)} as weight_{c.name}" for c in self.comparisons
        )
        return (
            "with weighed as (select least(client_id_l, client_id_r)::integer as left_id,"
            f" greatest(client_id_l, client_id_r)::integer as right_id, {levels} from {scored})"
            f" select left_id, right_id, {self.match_weight()} as match_weight, * exclude (left_id, right_id)"
            f" from weighed where {self.match_weight()} >= {bits(least)!r}"
        )

    def match_weight(self) -> str:
        """SQL for a pair's weight (bits): the prior's and those of its comparisons, always added in one order."""
        return " + ".join([repr(bits(self.prior)), *(f"weight_{comparison.name}" for comparison in self.comparisons)])


def bits(probability: float) -> float:
    """The log to base 2 of the odds."""
    return log2(probability / (1 - probability))


def _level_case(comparison: Comparison) -> str:
    gammas = range(-1, len(comparison.levels))
    return (
        f"case gamma_{comparison.name} "
        + " ".join(f"when {gamma} then '{comparison.level_at(gamma).name}'" for gamma in gammas)
        + " end"
    )


def _weight(comparison: Comparison) -> str:
    adjusted = any(level.term for level in comparison.levels)
    return f"mw_{comparison.name}" + (f" + mw_tf_adj_{comparison.name}" if adjusted else "")
