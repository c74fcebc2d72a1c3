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

BLOCKING: dict[str, tuple[str, ...]] = {
    "SAME_NHS_NUMBER": ("nhs_number",),
    "SAME_NATIONAL_NUMBER": ("national_id",),
    "SAME_REFERENCE_CORE": ("reference_core",),
    "SAME_EMAIL": ("email",),
    "SAME_BIRTH_AND_FORENAME_ROOT": ("born", "forename_root"),
    "SAME_BIRTH_AND_SURNAME": ("born", "surname"),
    "SAME_BIRTH_AND_SWAPPED_NAMES": ("born", "forename=surname"),
    "SAME_BIRTH_AND_POSTCODE": ("born", "postcode"),
    "SAME_BIRTH_AND_OUTCODE": ("born", "outcode"),
    "SAME_BIRTH_AND_BIRTH_PLACE": ("born", "birth_place"),
    "SAME_BIRTH_AND_SURNAME_START": ("born", "left(surname, 2)"),
    "SAME_BIRTH": ("born",),
    "SAME_NAME": ("surname", "forename_root"),
    "SWAPPED_NAMES": ("surname=forename", "forename=surname"),
    "SAME_SURNAME": ("surname",),
    "SURNAME_AS_FORENAME": ("surname=forename",),
    "SAME_POSTCODE_AND_FORENAME_ROOT": ("postcode", "forename_root"),
    "SAME_HOME_AND_INITIAL": ("home", "left(forename, 1)"),
    "SAME_PHONE_AND_INITIAL": ("phone", "left(forename, 1)"),
    "SAME_POSTCODE": ("postcode",),
    "SAME_OUTCODE_AND_FORENAME_ROOT": ("outcode", "forename_root"),
    "SAME_OUTCODE_AND_BIRTH_YEAR": ("outcode", "left(born, 4)"),
    "SAME_BIRTH_PLACE_AND_FORENAME_ROOT": ("birth_place", "forename_root"),
    "SAME_BIRTH_PLACE_AND_SURNAME_START": ("birth_place", "left(surname, 2)"),
    "SAME_BIRTH_PLACE_OUTCODE_AND_GENDER": ("birth_place", "outcode", "gender"),
    "SAME_TOWN_AND_FORENAME_ROOT": ("town", "forename_root"),
    "SAME_TOWN_AND_SURNAME": ("town", "surname"),
    "SAME_TOWN_AND_BIRTH_YEAR": ("town", "left(born, 4)"),
    "SAME_SURNAME_AND_BIRTH_YEAR": ("surname", "left(born, 4)"),
    "SAME_SURNAME_AND_INITIAL": ("surname", "left(forename, 1)"),
    "SAME_FORENAME": ("forename_root",),
    "SAME_FORENAME_AND_BIRTH_YEAR": ("forename_root", "left(born, 4)"),
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
    ways = _ways(keys)
    return ways[0] if len(ways) == 1 else " or ".join(f"({way})" for way in ways)


def blocking_columns(keys: tuple[str, ...]) -> set[str]:
    """The columns that a blocking rule reads."""
    return {name for key in keys for name in re.findall(r"[a-z_]+", re.sub(r"\bleft\b", "", key))}


def blocking_conditions(names: Iterable[str]) -> list[str]:
    """The blocking rules of those names as SQL over ``l`` and ``r``."""
    return [blocking_condition(BLOCKING[name]) for name in names]


def blocked_pairs(names: Iterable[str], some: str, records: str) -> str:
    """SQL for the pairs (``left_id`` < ``right_id``) of a record in ``some`` and one in ``records`` that share a block.

    ``some`` are among ``records``: new and changed ones, or all. A join for each rule, since DuckDB hashes equalities
    but tries every pair for an *or*.
    """
    joins = [
        f"select l.client_id as one_id, r.client_id as other_id from {some} as l join {records} as r on {way}"
        for name in names
        for way in _ways(BLOCKING[name])
    ]
    shared = " union all ".join(joins) or "select null::integer as one_id, null::integer as other_id"
    return (
        "select distinct least(one_id, other_id) as left_id, greatest(one_id, other_id) as right_id"
        f" from ({shared}) where one_id <> other_id"
    )


def _ways(keys: tuple[str, ...]) -> list[str]:
    """A blocking rule as SQL, and again with the sides changed if that is another condition."""
    sides = [(key.split("=") * 2)[:2] for key in keys]
    changed = [(right, left) for left, right in sides]
    alike = sorted(map(tuple, sides)) == sorted(changed)
    return [" and ".join(_equal(*side) for side in way) for way in ((sides,) if alike else (sides, changed))]


def _equal(left: str, right: str) -> str:
    def on(side: str, key: str) -> str:
        return key.replace("left(", f"left({side}.", 1) if key.startswith("left(") else f"{side}.{key}"

    return f"{on('l', left)} = {on('r', right)}"
