"""Dataclasses as rows of a Parquet file and back: the types of their fields are the file's schema."""

from __future__ import annotations

import gc
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

T = TypeVar("T")

ROWS_AT_ONCE = 64
_ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), date: pa.date32()}


def schema_of(kind: type) -> pa.Schema:
    """The Parquet schema of a dataclass whose fields are text, numbers, dates, dataclasses, or tuples of these."""
    return pa.schema(list(_arrow_type(kind)))


def as_row(value: Any) -> Any:
    """A dataclass as nested dictionaries and lists."""
    if is_dataclass(value):
        return {name: as_row(part) for name, part in value.__dict__.items()}
    if isinstance(value, tuple):
        return [as_row(part) for part in value]
    return value


def from_row(kind: type[T], row: dict[str, Any]) -> T:
    """The dataclass of a row. Raises KeyError if the row lacks a field that has no default."""
    made: T = _reader(cast(Any, kind))(row)
    return made


def write_rows(kind: type, rows: Sequence[Any], path: Path) -> None:
    """Write dataclasses of one kind to a Parquet file, few rows a group, so that one of them is read quickly."""
    with uncollected():
        table = pa.Table.from_pylist([as_row(row) for row in rows], schema_of(kind))
    pq.write_table(table, path, row_group_size=ROWS_AT_ONCE, compression="zstd")


def read_rows(kind: type[T], path: Path) -> tuple[T, ...]:
    """Every dataclass of a Parquet file. Raises KeyError if it was written with fewer fields, FileNotFoundError."""
    if not path.exists():
        raise FileNotFoundError(path.name)
    with uncollected():
        return tuple(from_row(kind, row) for row in pq.read_table(path).to_pylist())


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


@cache
def _arrow_type(hint: Any) -> pa.DataType:
    hint = _without_none(hint)
    if hint in _ARROW:
        return _ARROW[hint]
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return pa.struct([(field.name, _arrow_type(hints[field.name])) for field in fields(hint)])
    if get_origin(hint) is Literal:
        return _ARROW[type(get_args(hint)[0])]
    if get_origin(hint) is tuple:
        return pa.list_(_arrow_type(get_args(hint)[0]))
    raise TypeError(f"a report cannot hold a field of type {hint}")


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    hint = _without_none(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        readers = {field.name: _reader(hints[field.name]) for field in fields(hint)}
        needed = {f.name for f in fields(hint) if f.default is MISSING and f.default_factory is MISSING}

        def read(row: Any) -> Any:
            if row is None:
                return None
            if missing := needed - row.keys():
                raise KeyError(f"{hint.__name__} lacks {', '.join(sorted(missing))}")
            return hint(**{name: reader(row[name]) for name, reader in readers.items() if name in row})

        return read
    if get_origin(hint) is tuple:
        part = _reader(get_args(hint)[0])
        return lambda values: tuple(part(value) for value in values)
    return lambda value: value


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in {types.UnionType, Union}:
        (hint,) = (part for part in get_args(hint) if part is not types.NoneType)
    return hint
