"""Blocking: which pairs of records are looked at.

Each rule is named by what the two records share. Of the rules that the columns allow, the most selective are taken
until the pairs that they generate are as many as the register can afford.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import accumulate

from pipelines.warehouse import Warehouse

PAIRS = 2_000_000
PAIRS_EACH_RECORD = 5

FIRST_NAME = "split_part(forename_root, ' ', 1)"  # of several given names; the others may be left out

BLOCKING: dict[str, tuple[str, ...]] = {
    "SAME_NHS_NUMBER": ("nhs_number",),
    "SAME_NATIONAL_NUMBER": ("national_id",),
    "SAME_REFERENCE_CORE": ("reference_core",),
    "SAME_EMAIL": ("email",),
    "SAME_BIRTH_AND_FORENAME_ROOT": ("born", FIRST_NAME),
    "SAME_BIRTH_AND_SURNAME": ("born", "surname"),
    "SAME_BIRTH_AND_SWAPPED_NAMES": ("born", "forename=surname"),
    "SAME_BIRTH_AND_POSTCODE": ("born", "postcode"),
    "SAME_BIRTH_AND_OUTCODE": ("born", "outcode"),
    "SAME_BIRTH_AND_BIRTH_PLACE": ("born", "birth_place"),
    "SAME_BIRTH_AND_SURNAME_START": ("born", "left(surname, 2)"),
    "SAME_BIRTH": ("born",),
    "SAME_NAME": ("surname", FIRST_NAME),
    "SWAPPED_NAMES": ("surname=forename", "forename=surname"),
    "SAME_SURNAME": ("surname",),
    "SURNAME_AS_FORENAME": ("surname=forename",),
    "SAME_POSTCODE_AND_FORENAME_ROOT": ("postcode", FIRST_NAME),
    "SAME_HOME_AND_INITIAL": ("home", "left(forename, 1)"),
    "SAME_PHONE_AND_INITIAL": ("phone", "left(forename, 1)"),
    "SAME_POSTCODE": ("postcode",),
    "SAME_OUTCODE_AND_FORENAME_ROOT": ("outcode", FIRST_NAME),
    "SAME_OUTCODE_AND_BIRTH_YEAR": ("outcode", "left(born, 4)"),
    "SAME_BIRTH_PLACE_AND_FORENAME_ROOT": ("birth_place", FIRST_NAME),
    "SAME_BIRTH_PLACE_AND_SURNAME_START": ("birth_place", "left(surname, 2)"),
    "SAME_BIRTH_PLACE_OUTCODE_AND_GENDER": ("birth_place", "outcode", "gender"),
    "SAME_TOWN_AND_FORENAME_ROOT": ("town", FIRST_NAME),
    "SAME_TOWN_AND_SURNAME": ("town", "surname"),
    "SAME_TOWN_AND_BIRTH_YEAR": ("town", "left(born, 4)"),
    "SAME_SURNAME_AND_BIRTH_YEAR": ("surname", "left(born, 4)"),
    "SAME_SURNAME_AND_INITIAL": ("surname", "left(forename, 1)"),
    "SAME_FORENAME": (FIRST_NAME,),
    "SAME_FORENAME_AND_BIRTH_YEAR": (FIRST_NAME, "left(born, 4)"),
}


def affordable_pairs(records: int) -> int:
    """How many pairs a register of so many records can afford."""
    return PAIRS + PAIRS_EACH_RECORD * records


def affordable_blocking(scratch: Warehouse, columns: Collection[str], records: int) -> dict[str, int]:
    """Blocking rule → pairs that it generates: the most selective rules first, as many as the register can afford."""
    asked = {name: keys for name, keys in BLOCKING.items() if blocking_columns(keys) <= set(columns)}
    pairs = sorted((pairs_in_blocks(scratch, keys), name) for name, keys in asked.items())
    totals = accumulate(count for count, _ in pairs)
    budget = affordable_pairs(records)
    return {name: count for (count, name), total in zip(pairs, totals, strict=True) if count and total <= budget}


def pairs_in_blocks(scratch: Warehouse, keys: tuple[str, ...]) -> int:
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


def blocking_condition(keys: tuple[str, ...]) -> str:
    """A blocking rule as SQL over ``l`` and ``r``: each key equal on both sides (``a=b``: one's a is the other's b)."""
    ways = [" and ".join(map(_equal, *way)) for way in _ways(keys)]
    return ways[0] if len(ways) == 1 else " or ".join(f"({way})" for way in ways)


def blocking_columns(keys: tuple[str, ...]) -> set[str]:
    """The columns that a blocking rule reads."""
    return {name for key in keys for name in re.findall(r"[a-z_]+", re.sub(r"\b(left|split_part)\b", "", key))}


def blocking_conditions(names: Iterable[str]) -> list[str]:
    """The blocking rules of those names as SQL over ``l`` and ``r``."""
    return [blocking_condition(BLOCKING[name]) for name in names]


def block_keys(names: Iterable[str], records: str) -> str:
    """SQL for ``client_id`` and, for each blocking rule, a hash of what a record shares by it (null: it lacks a part).

    A rule with two unlike sides has a second column, of the other side. Numbers of 32 bits are much quicker to read and
    join than the texts; where two texts have one hash, a pair too many is looked at, and weighs nothing.
    """
    keys = [
        f"if({' and '.join(f'{part} is not null' for part in parts)}, (hash({', '.join(parts)}) >> 33)::integer, null)"
        f" as {column}"
        for name in sorted(names)
        for column, parts in _columns_of(name).items()
    ]
    columns = ", ".join(["client_id", *keys])
    return f"select {columns} from {records}"


def blocked_pairs(names: Iterable[str], some: str, blocks: str) -> str:
    """SQL for the pairs (``left_id`` < ``right_id``) of a record in ``some`` and one in ``blocks`` that share a block.

    Both are as ``block_keys`` gives them, ``some`` among ``blocks``: new and changed records, or all. A join for each
    rule, since DuckDB hashes equalities but tries every pair for an *or*.
    """
    joins = [
        f"select l.client_id as one_id, r.client_id as other_id from {some} as l join {blocks} as r"
        f" on l.{one} = r.{other}"
        for name in names
        for one, other in _joins_of(name)
    ]
    shared = " union all ".join(joins) or "select null::integer as one_id, null::integer as other_id"
    return (
        "select distinct least(one_id, other_id) as left_id, greatest(one_id, other_id) as right_id"
        f" from ({shared}) where one_id <> other_id"
    )


def _columns_of(name: str) -> dict[str, tuple[str, ...]]:
    """Column of ``block_keys`` → the parts that it is a hash of, for each side of a rule that differs."""
    one, other = _ways(BLOCKING[name])[0]
    return {name.lower(): one} if one == other else {name.lower(): one, f"{name.lower()}_of_the_other": other}


def _joins_of(name: str) -> list[tuple[str, str]]:
    """Which columns of ``block_keys`` are equal on the two sides."""
    columns = {parts: column for column, parts in _columns_of(name).items()}
    return [(columns[one], columns[other]) for one, other in _ways(BLOCKING[name])]


def _ways(keys: tuple[str, ...]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """What is equal on the two sides, and again with the sides changed if that is another condition."""
    one, other = (tuple((key.split("=") * 2)[side] for key in keys) for side in (0, 1))
    alike = sorted(zip(one, other, strict=True)) == sorted(zip(other, one, strict=True))
    return [(one, other)] if alike else [(one, other), (other, one)]


def _equal(left: str, right: str) -> str:
    def on(side: str, key: str) -> str:
        return f"{side}.{key}" if "(" not in key else key.replace("(", f"({side}.", 1)

    return f"{on('l', left)} = {on('r', right)}"
