"""Great Expectations gates: the committed suite of a feed or table, run over its rows.

``expectations/<stage>/<table>.json`` holds the suite. An expectation that could not be evaluated counts as failed.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.troubles import KnownError
from pipelines.warehouse import STAGES, Warehouse

if TYPE_CHECKING:
    import pandas as pd

os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
os.environ.setdefault("TQDM_DISABLE", "1")
logging.getLogger("great_expectations").setLevel(logging.ERROR)

EXPECTATIONS = Path(__file__).parent.parent / "expectations"


class TableGateError(KnownError):
    """A table failed its suite. The night stops before anything is published."""

    code = "G1"


@dataclass(frozen=True)
class Checked:
    """One expectation's outcome. ``unexpected`` counts rows; ``observed`` is a figure, never a cell."""

    expectation: str
    column: str | None
    why: str
    success: bool
    observed: str
    error: str | None


@dataclass(frozen=True)
class Gate:
    """One suite run over the rows of one file or table."""

    suite: str
    subject: str
    rows: int
    success: bool
    checks: tuple[Checked, ...]

    def failures(self) -> str:
        """The failed expectations in words, without any cell."""
        failed = "; ".join(f"{c.why} ({c.error or c.observed})" for c in self.checks if not c.success)
        return failed or ("" if self.success else "an expectation was not evaluated")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def suite_columns(table: str) -> tuple[str, ...]:
    """The columns that the suite of ``stage.table`` looks at, so that no other need be fetched."""
    columns: dict[str, None] = {}
    for expectation in _suite(table)["expectations"]:
        kwargs = expectation["kwargs"]
        for column in (
            *kwargs.get("column_list", ()),
            *(v for k, v in kwargs.items() if k.startswith("column") and isinstance(v, str)),
        ):
            columns[column] = None
    return tuple(columns)


def unique_columns(table: str) -> tuple[str, ...]:
    """The columns by which the suite of ``stage.table`` wants every row to be another; none if it does not ask."""
    kinds = {"expect_compound_columns_to_be_unique": "column_list", "expect_column_values_to_be_unique": "column"}
    for expectation in _suite(table)["expectations"]:
        if asked := expectation["kwargs"].get(kinds.get(expectation["type"], "")):
            return (asked,) if isinstance(asked, str) else tuple(asked)
    return ()


def check(table: str, rows: pd.DataFrame, subject: str) -> Gate:
    """Run the suite of ``stage.table`` over ``rows``; ``subject`` says which file or table they are."""
    suite = _suite(table)
    validated = _validate(suite, rows)
    checks = tuple(_checked(result) for result in validated.results)
    all_ran = len(checks) == len(suite["expectations"])
    return Gate(table, subject, len(rows), all_ran and all(c.success for c in checks), checks)


def check_rows(warehouse: Warehouse, table: str, rows: str, subject: str) -> Gate:
    """Run the suite of ``stage.table`` over the rows of a query, as ``check`` does over a frame of them.

    The simple expectations are counted by DuckDB: Great Expectations takes seconds to import and a tenth of one for
    each suite, more than a small file costs otherwise. A suite with any other expectation goes to ``check``.
    """
    expectations = _suite(table)["expectations"]
    if not all(one["type"] in _COUNTED for one in expectations):
        columns = ", ".join(suite_columns(table)) or "*"
        return check(table, warehouse.frame(f"select {columns} from ({rows})"), subject)
    counts = ", ".join(
        f"{count} as {name}_{n}"
        for n, one in enumerate(expectations)
        for name, count in zip(("seen", "unfit"), _COUNTED[one["type"]](one["kwargs"]), strict=True)
    )
    found = warehouse.row(f"select count(*) as all_rows, {counts} from ({rows})")
    checks = tuple(_counted(one, found[f"seen_{n}"], found[f"unfit_{n}"]) for n, one in enumerate(expectations))
    return Gate(table, subject, found["all_rows"], all(one.success for one in checks), checks)


def _not_null(kwargs: dict[str, Any]) -> tuple[str, str]:
    return "count(*)", f"count(*) filter (where {kwargs['column']} is null)"


def _in_set(kwargs: dict[str, Any]) -> tuple[str, str]:
    column = kwargs["column"]
    values = ", ".join(str(value).lower() if isinstance(value, bool) else repr(value) for value in kwargs["value_set"])
    return f"count({column})", f"count(*) filter (where {column} not in ({values}))"


_COUNTED: dict[str, Callable[[dict[str, Any]], tuple[str, str]]] = {
    "expect_table_row_count_to_be_between": lambda kwargs: ("count(*)", "0"),
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_in_set": _in_set,
}
"""How many rows an expectation looks at, and how many of them do not fit, as SQL."""


def _counted(expectation: dict[str, Any], seen: int, unfit: int) -> Checked:
    kind, kwargs = expectation["type"], expectation["kwargs"]
    why = expectation.get("meta", {}).get("why") or kind
    if kind == "expect_table_row_count_to_be_between":
        success = kwargs.get("min_value", 0) <= seen <= kwargs.get("max_value", seen)
        return Checked(kind, None, why, success, f"observed {seen}", None)
    success = not seen or (seen - unfit) / seen >= kwargs.get("mostly", 1.0)
    return Checked(kind, kwargs["column"], why, success, f"{unfit:,} of {seen:,} rows do not fit", None)


def pass_gate(warehouse: Warehouse, night: date, table: str, parts: Iterable[pd.DataFrame]) -> Gate:
    """Run a table's suite over the rows that the night brings to it, part by part, and note how it went.

    Rows that must not be alike have to stand in one part. Raises TableGateError when a part fails.
    """
    gate = Gate(table, table, 0, True, ())
    for rows in parts:
        part = check(table, rows, table)
        if not part.success:
            raise TableGateError(f"{table} failed its checks: {part.failures()}. Its tables were left as they were.")
        gate = replace(part, rows=gate.rows + part.rows)
    line = {
        "night": night,
        "suite": gate.suite,
        "rows": gate.rows,
        "checks": len(gate.checks),
        "success": gate.success,
        "failures": gate.failures(),
    }
    warehouse.execute(
        "delete from staged.gates where night = $night and suite = $suite", {k: line[k] for k in ("night", "suite")}
    )
    warehouse.execute("insert into staged.gates values ($night, $suite, $rows, $checks, $success, $failures)", line)
    return gate


def _checked(result: Any) -> Checked:
    config = result.expectation_config
    error = _exception(result.exception_info)
    found = result.result or {}
    if "unexpected_percent" in found:
        observed = f"{found['unexpected_count']:,} of {found['element_count']:,} rows do not fit"
    else:
        value = found.get("observed_value")
        observed = f"observed {value}" if isinstance(value, int | float) else "observed otherwise"
    kwargs = config.kwargs
    column = kwargs.get("column") or ", ".join(kwargs.get("column_list", ())) or kwargs.get("column_A")
    why = (config.meta or {}).get("why") or config.type
    return Checked(config.type, column, why, bool(result.success) and error is None, observed, error)


def _exception(info: Any) -> str | None:
    """That an expectation could not be evaluated. The exception's own text may quote cells, so it is not told."""
    if not info or info.get("raised_exception") is False:
        return None
    messages = [i for i in (info.values() if "raised_exception" not in info else [info]) if i.get("raised_exception")]
    return "could not be evaluated: a column is missing or of another type" if messages else None


@cache
def _suite(table: str) -> dict[str, Any]:
    stage, name = table.split(".")
    file = EXPECTATIONS / STAGES[stage] / f"{name}.json"
    suite: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return suite


@cache
def _context() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx  # noqa: PLC0415 - takes seconds, and only a gate needs it

        for name in ("great_expectations", "great_expectations.data_context.types.base"):
            logging.getLogger(name).setLevel(logging.ERROR)
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        return context


def _validate(suite: dict[str, Any], rows: pd.DataFrame) -> Any:
    """Run a suite by the engine itself: ``Batch.validate`` first hashes every cell twice, for an id that none reads."""
    context = _context()
    from great_expectations.core import ExpectationSuite  # noqa: PLC0415
    from great_expectations.core.batch import Batch  # noqa: PLC0415
    from great_expectations.execution_engine import PandasExecutionEngine  # noqa: PLC0415
    from great_expectations.validator.validator import Validator  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        validator = Validator(PandasExecutionEngine(), batches=[Batch(data=rows)], data_context=context)
        return validator.validate(ExpectationSuite(**suite), result_format="BASIC")
