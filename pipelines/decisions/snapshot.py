"""The night's one look at the decision store: its entries, and where each decided pair stands on today's facts."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pyarrow as pa

from pipelines.decisions.entry import Entry, Pair, first_broken
from pipelines.decisions.evidence import changes, evidence_hash
from pipelines.decisions.standing import Standing, standings
from pipelines.decisions.store import DecisionStore, open_decisions
from pipelines.settings import Settings
from pipelines.troubles import KnownError
from pipelines.warehouse import Warehouse, sql_text

log = logging.getLogger(__name__)

_ENTRIES = pa.schema(
    [
        ("sequence_number", pa.int32()),
        *((name, pa.string()) for name in ("recorded_at", "who", "door", "kind", "candidate_id", "left_ref")),
        *((name, pa.string()) for name in ("right_ref", "verdict", "reason", "choices", "evidence_hash")),
        ("match_probability", pa.float64()),
        ("match_weight", pa.float64()),
        ("tier", pa.string()),
        ("model_version", pa.string()),
        ("score_was_hidden", pa.bool_()),
        ("seconds_spent", pa.float64()),
        ("undoes", pa.int32()),
    ]
)
_STOOD = pa.schema(
    [
        *((name, pa.string()) for name in ("one_ref", "other_ref", "candidate_id", "standing", "reason", "choices")),
        ("verdicts", pa.list_(pa.int32())),
        ("lapsed", pa.list_(pa.int32())),
        ("changed", pa.string()),
    ]
)


class DecisionsDamagedError(KnownError):
    """The decision log is not as it was written. Nothing may follow from it until it is restored."""

    code = "L3"


@dataclass(frozen=True)
class Snapshot:
    """The log as it was read, and where every decided pair stands."""

    entries: tuple[Entry, ...]
    standings: Mapping[Pair, Standing]

    @property
    def counts(self) -> dict[str, int]:
        """How many decided pairs stand how."""
        return dict(sorted(Counter(standing.standing for standing in self.standings.values()).items()))


def take_snapshot(settings: Settings, warehouse: Warehouse) -> Snapshot:
    """Bring ``reviewed.decisions`` and ``reviewed.standings`` up to date, within the caller's transaction.

    The register has to be up to date. Raises DecisionsDamagedError when the log was tampered with, or lacks an entry
    that an earlier night has read.
    """
    with open_decisions(settings) as store:
        entries = store.entries()
        if broken := first_broken(entries):
            raise DecisionsDamagedError(
                f"Entry {broken} of the decision log is not as it was recorded. Restore the decision store from its "
                "last backup, and find out who changed it."
            )
        _keep_entries(warehouse, entries)
        present = present_facts(warehouse)
        now = {pair: evidence_hash(facts) for pair, facts in present.items()}
        texts = {now[pair]: facts for pair, facts in present.items()}
        found = standings(entries, now, lambda hashes: store.facts(hashes) | texts)
        _keep_standings(warehouse, store, found, present)
    log.info("read %d decisions, %d pairs are decided", len(entries), len(found))
    return Snapshot(tuple(entries), found)


def entries_read(warehouse: Warehouse) -> list[Entry]:
    """The log as the last night read it, in order, without its hashes and times."""
    warehouse.execute("create or replace temp view as_read as select * exclude (recorded_at) from reviewed.decisions")
    rows = warehouse.connection.sql("select * from as_read order by sequence_number").to_arrow_table().to_pylist()
    return [Entry(**row) for row in rows]


def first_missing(warehouse: Warehouse, entries: list[Entry]) -> int | None:
    """The number of the first entry that an earlier night read and the log does not hold so any more."""
    rows = [vars(entry) for entry in entries]
    with warehouse.relation("read_entries", pa.Table.from_pylist(rows, _ENTRIES)):
        warehouse.work("incoming", "reviewed.decisions")
    missing: int | None = warehouse.one(
        "select min(sequence_number) from (select * from reviewed.decisions except select * from incoming)"
    )
    return missing


def present_facts(warehouse: Warehouse) -> dict[Pair, str]:
    """The facts, as they are now, of every pair in ``reviewed.decisions`` whose two records are there."""
    if not warehouse.one("select count(*) from reviewed.decisions where kind = 'verdict'"):
        return {}
    show_facts(warehouse)
    warehouse.work("decided_pairs", "reviewed.decided_pairs")
    return {(one, other): facts for one, other, facts in warehouse.rows("select * from decided_pairs")}


def show_facts(warehouse: Warehouse) -> None:
    """Temporary view ``facts``: the facts of every client record (``sql/4_reviewed/facts.sql``)."""
    warehouse.execute(f"create or replace temp view facts as {sql_text('reviewed.facts')}")


def require_whole_log(warehouse: Warehouse, entries: list[Entry]) -> None:
    """Raises DecisionsDamagedError when the log does not hold an entry as an earlier nightly run read it. Temporary
    table: ``incoming``."""
    if missing := first_missing(warehouse, entries):
        raise DecisionsDamagedError(
            f"The decision log does not hold entry {missing} as an earlier night read it: it was replaced or cut off. "
            "Restore the decision store from its last backup, or set decisions.url to the right one."
        )


def _keep_entries(warehouse: Warehouse, entries: list[Entry]) -> None:
    require_whole_log(warehouse, entries)
    warehouse.upsert("reviewed.decisions", ["sequence_number"], "incoming")


def _keep_standings(
    warehouse: Warehouse, store: DecisionStore, found: dict[Pair, Standing], present: dict[Pair, str]
) -> None:
    lapsed = {pair: standing.lapsed[-1] for pair, standing in found.items() if standing.standing == "lapsed"}
    before = store.facts(entry.evidence_hash or "" for entry in lapsed.values())
    rows = []
    for pair, standing in sorted(found.items()):
        was = before.get(lapsed[pair].evidence_hash or "") if pair in lapsed else None
        changed = changes(was, present[pair]) if was and pair in present else ()
        rows.append(
            {
                "one_ref": pair[0],
                "other_ref": pair[1],
                "candidate_id": standing.candidate_id,
                "standing": standing.standing,
                "reason": standing.reason,
                "choices": standing.choices.as_json(),
                "verdicts": [entry.sequence_number for entry in standing.entries],
                "lapsed": [entry.sequence_number for entry in standing.lapsed],
                "changed": json.dumps([asdict(change) for change in changed], ensure_ascii=False),
            }
        )
    with warehouse.relation("stood", pa.Table.from_pylist(rows, _STOOD)):
        warehouse.work("incoming", "reviewed.standings")
    warehouse.upsert("reviewed.standings", ["left_id", "right_id"], "incoming", within="true")
