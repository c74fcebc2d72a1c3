"""Splink on DuckDB, in memory: register the records, build the linker, keep it quiet."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipelines.warehouse import Warehouse

logging.getLogger("splink").setLevel(logging.ERROR)


class Engine:
    """One Splink session over tables of a scratch warehouse. ``records`` has the columns of ``matched.records``."""

    def __init__(self, scratch: Warehouse, settings: dict[str, Any]) -> None:
        from splink import DuckDBAPI, Linker  # noqa: PLC0415 - takes a second, and only matching needs it

        self.scratch = scratch
        self.api = DuckDBAPI(connection=scratch.connection)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.linker = Linker(self.api.register("records"), settings, log_level=None, validate_settings=False)

    def register_terms(self, terms: Mapping[str, pa.Table]) -> None:
        """Pin the term frequencies: for each column a table (value, tf_<column>)."""
        for column, table in terms.items():
            self.scratch.connection.register(f"terms_of_{column}", table)
            self.scratch.execute(f"create or replace table terms_{column} as select * from terms_of_{column}")
            self.scratch.connection.unregister(f"terms_of_{column}")
            self.linker.table_management.register_term_frequency_lookup(self.api.register(f"terms_{column}"), column)

    def pairs_within(self, table: str, at_least: float) -> pa.Table:
        """Scored pairs among the rows of one table."""
        found = self.linker.inference.predict_within(
            self.api.register(table), threshold_match_probability=at_least, warning_mode="never"
        )
        return self._table(found)

    def pairs_between(self, left: str, right: str, at_least: float) -> pa.Table:
        """Scored pairs with one row from each of two tables."""
        found = self.linker.inference.predict_between(
            self.api.register(left), self.api.register(right), threshold_match_probability=at_least, warning_mode="never"
        )
        return self._table(found)

    def _table(self, found: Any) -> pa.Table:
        return self.scratch.connection.sql(f"select * from {found.physical_name}").to_arrow_table()
