"""Dataclasses written to Parquet come back as they were, whatever is left out of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pytest

from pipelines.publishing.rows import ROWS_AT_ONCE, from_table, read_rows, schema_of, write_rows


@dataclass(frozen=True)
class Chapter:
    title: str
    pages: int


@dataclass(frozen=True, kw_only=True)
class Book:
    name: str
    price: float
    printed_on: date | None = None
    binding: Literal["hard", "soft"] = "soft"
    first: Chapter | None = None
    chapters: tuple[Chapter, ...] = ()
    readers: tuple[str, ...] = ()


BOOKS = (
    Book(name="Emma", price=3.5, printed_on=date(1815, 12, 23), first=Chapter("I", 9),
         chapters=(Chapter("I", 9), Chapter("II", 7)), readers=("Ann", "Sam")),
    Book(name="", price=0.0, binding="hard"),
    Book(name="Persuasion", price=2.0, chapters=(Chapter("I", 11),)),
)  # fmt: skip


def test_what_is_written_is_read(tmp_path: Path) -> None:
    many = BOOKS * ROWS_AT_ONCE
    write_rows(Book, many, tmp_path / "books.parquet")
    assert read_rows(Book, tmp_path / "books.parquet") == many


def test_nothing_is_written_and_read_too(tmp_path: Path) -> None:
    write_rows(Book, (), tmp_path / "none.parquet")
    assert read_rows(Book, tmp_path / "none.parquet") == ()


def test_a_slice_of_a_table_is_its_own_rows() -> None:
    rows = [{"name": str(n), "price": 1.0, "chapters": [{"title": "I", "pages": n}] * n} for n in range(4)]
    table = pa.Table.from_pylist(rows, pa.schema([schema_of(Book).field(name) for name in rows[0]]))
    (book,) = from_table(Book, table.slice(2, 1))
    assert book == Book(name="2", price=1.0, chapters=(Chapter("I", 2),) * 2)


def test_a_field_that_a_file_lacks_takes_its_default_or_is_missed() -> None:
    emma = pa.table({"name": ["Emma"], "price": [1.0], "unknown": [1]})
    assert from_table(Book, emma) == (Book(name="Emma", price=1.0),)
    with pytest.raises(KeyError, match="Book lacks price"):
        from_table(Book, emma.select(["name"]))
