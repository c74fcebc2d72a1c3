"""A plan as it is told to the person who is to sign it off: one structure, written as a page, a table and JSON."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa
from jinja2 import Environment

from pipelines.merge.masks import masked, masked_merge
from pipelines.merge.measure import KINDS
from pipelines.merge.plan import Plan
from pipelines.merge.preview import say_pounds
from pipelines.merge.selection import WAVES
from pipelines.publishing.masking import mask_reference
from pipelines.publishing.pages import new_environment
from pipelines.warehouse import Warehouse

Told = dict[str, Any]

WAVE_WORDS = {
    "empty": "Nothing hangs on the records that are merged away.",
    "no money": "Visits or enrolments hang on them, and no order ever did.",
    "money": "Orders hang on them, or did: what is invoiced depends on it.",
}
OWNERS = {"analyst": "whoever decides", "office": "the office", "council": "the council"}
_ONE = {"aliases": "alias"}
_TEXT = ("state", "merge_id", "wave", "into_ref")
_LISTS = ("from_refs", "candidate_ids", "decided_by")
_BLOCKED = ("set_aside", "blocked_by", "why_blocked", "how_to_fix", "owner", "open_ways")
_COUNTS = (*KINDS, "visits_left", "visit_minutes", "weekly_pence")


def tell(warehouse: Warehouse, plan: Plan, *, mask: bool) -> Told:
    """The plan with all that is to be read: ``Plan.as_dict``, and for each merge what it sets aside; for an undo what
    came in while the merge stood. With ``mask`` it is fit to leave the building."""
    arrived = _arrivals(warehouse, [one.merge.merge_id for one in plan.undoes])
    told = plan.as_dict()
    for state in _STATES:
        told[state] = [_merge(one, arrived[one["merge_id"]]) for one in _plain(told[state])]
    return masked_told(told) if mask else told


def masked_told(told: Told) -> Told:
    """The same plan, fit to leave the building."""
    merges = {
        state: [_merge(masked_merge(one), map(masked, one["arrivals"])) for one in told[state]] for state in _STATES
    }
    held_back = [{**one, "reason": _masked_refs(one["reason"])} for one in told["held_back"]]
    return {**told, **merges, "held_back": held_back, "masked": True}


def read_told(text: str) -> Told:
    """A plan from the JSON that was published of it."""
    told: Told = json.loads(text)
    parts = [{**part, "from_on": _day(part["from_on"])} for part in told["partitions"]]
    return {**told, **{name: _day(told[name]) for name in ("as_of", "from", "to")}, "partitions": parts}


def plan_page(told: Told, *, most: int) -> str:
    """The plan as one page that needs nothing from elsewhere, with at most ``most`` merges of a wave in full."""
    return _environment().get_template("plan.html.j2").render(**for_templates(told, most=most))


def for_templates(told: Told, *, most: int) -> dict[str, Any]:
    """What ``plan_told.html.j2`` needs to show a plan."""
    waves = {wave: [one for one in told["ready"] if one["wave"] == wave] for wave in WAVES}
    left = sum(sum(one["left"].values()) for one in (*told["ready"], *told["undoes"]))
    return {"plan": told, "waves": {w: found for w, found in waves.items() if found}, "most": most, "rows_left": left}


def plan_lines(told: Told) -> pa.Table:
    """One row is one merge, ready, blocked or to be undone, or one decision that is held back."""
    lines = [_line(state, one) for state in ("ready", "undo", "blocked") for one in told[_KEY[state]]]
    lines += [
        {"state": "held back", "candidate_ids": [one["candidate_id"]], "blocked_by": [one["standing"]],
         "why_blocked": [one["reason"]]}
        for one in told["held_back"]
    ]  # fmt: skip
    texts, lists = pa.string(), pa.list_(pa.string())
    fields = [(name, texts) for name in _TEXT] + [(name, lists) for name in _LISTS]
    fields += [("survivor_because", texts)] + [(name, pa.int64()) for name in _COUNTS]
    fields += [(name, lists) for name in _BLOCKED]
    return pa.Table.from_pylist(lines, pa.schema(fields))


def _line(state: str, one: Told) -> Told:
    blockers = one["blockers"]
    return {
        "state": state,
        "merge_id": one["merge_id"],
        "wave": one["wave"],
        "into_ref": one["survivor"],
        "from_refs": one["from_refs"],
        "candidate_ids": list(one["candidate_ids"]),
        "decided_by": list(one["decided_by"]),
        "survivor_because": one["survivor_because"],
        **{kind: one["moves"].get(kind, 0) for kind in KINDS},
        "visits_left": one["left"].get("visits", 0),
        "visit_minutes": one["minutes"],
        "weekly_pence": one["weekly_pence"],
        "set_aside": one["set_aside"],
        "blocked_by": [blocker["kind"] for blocker in blockers],
        "why_blocked": [blocker["what"] for blocker in blockers],
        "how_to_fix": [blocker["fix"] for blocker in blockers],
        "owner": [blocker["owner"] for blocker in blockers],
        "open_ways": list(one["open_ways"]),
    }


def _merge(one: Told, arrivals: Iterable[Told]) -> Told:
    """One merge with the records that go, and what its choices set aside in words."""
    away = [member["client_ref"] for member in one["members"] if member["client_ref"] != one["survivor"]]
    return {**one, "from_refs": away, "set_aside": _set_aside(one, away), "arrivals": list(arrivals)}


def _set_aside(one: Told, away: list[str]) -> list[str]:
    """What stays where it is and does not count any more, as the decisions chose."""
    choices = one["choices"]
    said = [
        f"Enrolments on {contract}: those of {side} stand, those of {_and(others)} do not count"
        for contract, side in choices["enrolments"].items()
        if (others := [ref for ref in (one["survivor"], *away) if ref != side])
    ]
    if choices["aliases"] == "drop":
        said.append(f"Other names given on {_and(away)}: dropped")
    said += [f"Reference {issuer} {number}: goes on as a former one" for issuer, number in one["former"]]
    return said


def _arrivals(warehouse: Warehouse, merge_ids: list[str]) -> dict[str, list[Told]]:
    """What came in for the records of these merges while they stood, merge by merge."""
    found: dict[str, list[Told]] = defaultdict(list)
    if merge_ids:
        with warehouse.relation("taken_back", pd.DataFrame({"merge_id": merge_ids}, dtype="str")):
            for merge_id, ref, kind, rows, shared in warehouse.work_rows("merged.arrivals"):
                found[merge_id].append({"client_ref": ref, "rows_of": kind, "rows": rows, "shared": shared})
    return found


def _plain(merges: list[Told]) -> list[Told]:
    """The same without tuples and frozen objects, as JSON has it."""
    plain: list[Told] = json.loads(json.dumps(merges, default=str))
    return plain


_STATES = ("ready", "blocked", "undoes")
_KEY: Mapping[str, str] = {"ready": "ready", "undo": "undoes", "blocked": "blocked"}


@cache
def _environment() -> Environment:
    made = new_environment()
    made.filters |= FILTERS
    made.globals |= GLOBALS
    return made


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _masked_refs(reason: str) -> str:
    """Why a decision is held back, with the client refs that it may name masked."""
    return re.sub(r"[^\s,()]+/[^\s,()]+", lambda ref: mask_reference(ref[0]), reason)


def _say_rows(rows: Mapping[str, int]) -> str:
    """``17 visits, 1 purchase order``."""
    return ", ".join(_say_count(rows[kind], kind) for kind in KINDS if rows.get(kind))


def _say_count(count: int, kind: str) -> str:
    name = kind.replace("_", " ")
    return f"{count:,} {name if count != 1 else _ONE.get(kind, name.removesuffix('s'))}"


def _and(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


FILTERS: dict[str, Any] = {"joined": _and, "of_kind": _say_count, "pounds": say_pounds, "rows": _say_rows}
GLOBALS: dict[str, Any] = {"WAVE_WORDS": WAVE_WORDS, "OWNERS": OWNERS, "KINDS": KINDS}
