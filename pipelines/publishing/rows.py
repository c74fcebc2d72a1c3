"""Dataclasses as rows of a Parquet file and back: the types of their fields are the file's schema.

A report holds millions of small dataclasses, so they are written and read column by column: one field of all rows is
one list, which Arrow takes over at once. Row by row takes three times as long.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from functools import cache
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

T = TypeVar("T")

ROWS_AT_ONCE = 256
_ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), date: pa.date32()}


def schema_of(kind: type) -> pa.Schema:
    """The Parquet schema of a dataclass whose fields are text, numbers, dates, dataclasses, or tuples of these."""
    return pa.schema(list(_arrow_type(kind)))


def from_table(kind: type[T], table: pa.Table) -> tuple[T, ...]:
    """The dataclasses of a table's rows. Raises KeyError if it lacks a field that has no default."""
    with uncollected():
        chunks = table.combine_chunks().to_struct_array().chunks
        return tuple(chain.from_iterable(_values(kind, chunk) for chunk in chunks))


def write_rows(kind: type, rows: Sequence[Any], path: Path | BinaryIO) -> None:
    """Write dataclasses of one kind to a Parquet file, few rows a group, so that one of them is read quickly."""
    with uncollected():
        table = pa.Table.from_struct_array(_column(kind, rows))
    pq.write_table(table, path, row_group_size=ROWS_AT_ONCE, compression="zstd")


def read_rows(kind: type[T], path: Path) -> tuple[T, ...]:
    """Every dataclass of a Parquet file. Raises KeyError if it was written with fewer fields, FileNotFoundError."""
    if not path.exists():
        raise FileNotFoundError(path.name)
    return from_table(kind, pq.read_table(path))


@contextmanager
def uncollected() -> Iterator[None]:
    """Millions of small objects that all stay: looking for garbage among them would take most of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _column(hint: Any, values: Sequence[Any]) -> pa.Array:
    """Values of one type as a column: a dataclass field by field, tuples end to end."""
    hint, arrow_type = _without_none(hint), _arrow_type(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        columns = [_column(part, [getattr(one, name, None) for one in values]) for name, part in _parts(hint).items()]
        absent = pa.array([one is None for one in values], pa.bool_())
        return pa.StructArray.from_arrays(columns, fields=list(arrow_type), mask=absent)
    if get_origin(hint) is tuple:
        ends = pa.array(accumulate((len(one or ()) for one in values), initial=0), pa.int32())
        parts = list(chain.from_iterable(one or () for one in values))
        return pa.ListArray.from_arrays(ends, _column(get_args(hint)[0], parts), arrow_type)
    return pa.array(values, arrow_type)


def _values(hint: Any, column: pa.Array) -> list[Any]:
    """What ``_column`` was made of. A field that the column lacks takes its default."""
    hint = _without_none(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        there = [field.name for field in column.type]
        if missing := _needed(hint) - set(there):
            raise KeyError(f"{hint.__name__} lacks {', '.join(sorted(missing))}")
        names = [name for name in _parts(hint) if name in there]
        rows = zip(*(_values(_parts(hint)[name], column.field(name)) for name in names), strict=True)
        made = [hint(**dict(zip(names, row, strict=True))) for row in rows]
        return [one if given else None for one, given in zip(made, column.is_valid().to_pylist(), strict=True)]
    if get_origin(hint) is tuple:
        parts = _values(get_args(hint)[0], column.flatten())
        ends = accumulate(column.value_lengths().fill_null(0).to_pylist(), initial=0)
        return [tuple(parts[start:end]) for start, end in pairwise(ends)]
    values: list[Any] = column.to_pylist()
    return values


@cache
def _parts(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


@cache
def _needed(kind: type) -> frozenset[str]:
    """The fields that have no default."""
    return frozenset(f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)


@cache
def _arrow_type(hint: Any) -> pa.DataType:
    hint = _without_none(hint)
    if hint in _ARROW:
        return _ARROW[hint]
    if is_dataclass(hint) and isinstance(hint, type):
        return pa.struct([(name, _arrow_type(part)) for name, part in _parts(hint).items()])
    if get_origin(hint) is Literal:
        return _ARROW[type(get_args(hint)[0])]
    if get_origin(hint) is tuple:
        return pa.list_(_arrow_type(get_args(hint)[0]))
    raise TypeError(f"a report cannot hold a field of type {hint}")


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in {types.UnionType, Union}:
        (hint,) = (part for part in get_args(hint) if part is not types.NoneType)
    return hint
