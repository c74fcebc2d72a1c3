"""Splink on DuckDB, in memory: register the records, train or score, give the pairs in our own words."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipelines.match.model import Comparison
from pipelines.warehouse import Warehouse

logging.getLogger("splink").setLevel(logging.ERROR)


class Engine:
    """One Splink session over the table or view ``records`` of a scratch warehouse."""

    def __init__(self, scratch: Warehouse, comparisons: Sequence[Comparison], settings: dict[str, Any]) -> None:
        from splink import DuckDBAPI, Linker  # noqa: PLC0415 - takes a second, and only matching needs it

        self.scratch = scratch
        self.comparisons = comparisons
        self.api = DuckDBAPI(connection=scratch.connection)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.linker = Linker(self.api.register("records"), settings, log_level=None, validate_settings=False)

    def register_terms(self, terms: Mapping[str, pa.Table]) -> None:
        """Pin the term frequencies: for each column a table (value, tf_<column>)."""
        for column, table in terms.items():
            with self.scratch.relation("incoming_terms", table):
                self.scratch.execute(f"create or replace table terms_{column} as select * from incoming_terms")
            self.linker.table_management.register_term_frequency_lookup(self.api.register(f"terms_{column}"), column)

    def pairs_within(self, table: str, at_least: float) -> pa.Table:
        """Scored pairs among the rows of one table, as ``pairs_between`` gives them."""
        found = self.linker.inference.predict_within(
            self.api.register(table), threshold_match_probability=at_least, warning_mode="never"
        )
        return self._pairs(found)

    def pairs_between(self, left: str, right: str, at_least: float) -> pa.Table:
        """Scored pairs with one row from each of two tables.

        Columns: ``left_id`` < ``right_id``, ``match_probability``, ``match_weight`` (bits), and for each comparison
        ``level_<name>`` and ``weight_<name>`` (bits).
        """
        found = self.linker.inference.predict_between(
            self.api.register(left),
            self.api.register(right),
            threshold_match_probability=at_least,
            warning_mode="never",
        )
        return self._pairs(found)

    def expected_matches(self) -> float:
        """The sum of the match probabilities of the pairs that blocking makes, the hopeless left out."""
        found = self.linker.inference.predict(threshold_match_probability=0.01, warning_mode="never")
        return float(self.scratch.one(f"select coalesce(sum(match_probability), 0) from {found.physical_name}"))

    def _pairs(self, found: Any) -> pa.Table:
        levels = ", ".join(
            f"{_level_case(c)} as level_{c.name}, {_weight(c)} as weight_{c.name}" for c in self.comparisons
        )
        return self.scratch.connection.sql(
            "select least(client_id_l, client_id_r)::integer as left_id,"
            " greatest(client_id_l, client_id_r)::integer as right_id, match_probability, match_weight,"
            f" {levels} from {found.physical_name}"
        ).to_arrow_table()


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
