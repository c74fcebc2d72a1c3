"""Score the night: new and changed records against all, then candidates and clusters."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from pipelines.decisions.snapshot import take_snapshot
from pipelines.match.blocking import block_keys, blocked_pairs
from pipelines.match.calibrate import judging
from pipelines.match.cluster import JOIN_ABOVE, clusters_of
from pipelines.match.comparisons import REGISTER_COLUMNS
from pipelines.match.drift import drift, filled_columns, profile
from pipelines.match.groups import block_variants, find_variants, join_variants, show_compared
from pipelines.match.judge import judge
from pipelines.match.models import Model, load_model, read_about, rules_hash
from pipelines.match.spark import handover
from pipelines.match.spark.submit import submit
from pipelines.match.train import take_over_pairs, train_model
from pipelines.quality import pass_gate, suite_columns
from pipelines.settings import TIERS, Settings
from pipelines.warehouse import Warehouse, open_warehouse, sql_text

log = logging.getLogger(__name__)

BATCHES_AT_ONCE = 5

# One row is one live client record, with a key of 32 bits for each blocking rule of the model.
BLOCKS = "matched.blocks"
# The one row is how many live client records there are, and of how many each compared column is filled.
FILLED = "matched.filled"
# What Splink is given of a record. A home is put together again, since its column is one of the dearest to read.
COMPARED = "* exclude (client_ref, record_hash) replace (home_key(address, postcode) as home)"


@dataclass
class Matching:
    """What one matching run did: the model, how many records it compared again, candidates by tier, and why the model
    should be trained again, if it should."""

    model_version: str = ""
    records: int = 0
    scored_again: int = 0
    tiers: dict[str, int] = field(default_factory=dict)
    train_again: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON and XCom: counts only."""
        return asdict(self)


def match_clients(settings: Settings, day: date) -> Matching:
    """Bring ``matched`` up to date with the register. Trains a model first if there is none.

    All of it or nothing: raises TableGateError, and leaves the candidates as they were, when a table fails its suite.
    """
    with open_warehouse(settings) as warehouse:
        if not warehouse.one("select count(*) from staged.client_ids"):
            return Matching()
        known = load_model(settings)
        model = known or train_model(settings, warehouse)
        with warehouse.transaction():
            take_snapshot(settings, warehouse)
            matching = _Night(warehouse, settings, model, day).run(scored_in_training=known is None)
        handover.discard(settings)
    log.info("matched %d records, %d scored again", matching.records, matching.scored_again)
    return matching


def hand_out_to_spark(settings: Settings, day: date) -> Path | None:
    """Hand out what the match of this night has to score again; gives the folder, or None where DuckDB is to score it.

    The warehouse stays as it was. A match afterwards takes in what Spark found, if it is still what there is to score.
    """
    if settings.match.engine != "spark":
        return None
    with open_warehouse(settings) as warehouse:
        model = load_model(settings)
        if model is None or not warehouse.one("select count(*) from staged.client_ids"):
            return None
        with warehouse.rehearsal():
            return _Night(warehouse, settings, model, day).hand_out()


def load_records(scratch: Warehouse, table: str, records: pa.RecordBatchReader) -> None:
    """Put a night's records into a new table of a scratch warehouse.

    A part is read whole before it is written: in one go, the thread that waits for rows could not help to find them.
    """

    def read() -> pa.Table:
        return pa.Table.from_batches(islice(records, BATCHES_AT_ONCE), records.schema)

    with scratch.relation("incoming_records", read()):
        scratch.execute(f"create or replace table {table} as from incoming_records")
    while len(part := read()):
        with scratch.relation("incoming_records", part):
            scratch.execute(f"insert into {table} from incoming_records")


class _Night:
    """One night's matching. What a night costs follows what changed, and the outcome is that of matching everything."""

    def __init__(self, warehouse: Warehouse, settings: Settings, model: Model, day: date) -> None:
        self.warehouse = warehouse
        self.settings = settings
        self.model = model
        self.version = {"model": model.version}
        self.day = day
        self.variants = 0

    def run(self, *, scored_in_training: bool) -> Matching:
        self._derive()
        changed = int(self.warehouse.one("select count(*) from changed"))
        stale = self.warehouse.one("select count(*) from stale")
        if stale:
            if not scored_in_training or self.variants:  # the training knows no variants
                self._score_again()
            self._keep_pairs()
        else:
            self.warehouse.execute("create or replace temp table parted (client_id integer)")
        self._find_affected()
        affected = self.warehouse.one("select count(*) from affected")
        if affected:
            self._draw_up_candidates()
            self._cluster()
        if stale or affected:
            self._look_for_drift()
        train_again = [reason for (reason,) in self.warehouse.rows("select reason from matched.drift order by reason")]
        tiers = dict(self.warehouse.rows("select tier, count(*) from matched.candidates group by 1"))
        records = self.warehouse.one("select count(*) from matched.records")
        in_order = {tier: tiers[tier] for tier in TIERS if tier in tiers}
        return Matching(self.model.version, records, changed, in_order, train_again)

    def hand_out(self) -> Path | None:
        self._derive()
        return handover.hand_out(self.settings, self.warehouse, self.model) if self._is_for_spark() else None

    def _derive(self) -> None:
        """Bring ``matched.records`` up to date. Temporary tables: ``changed``, the records to score again; ``stale``,
        those and the ones that are gone, whose pairs do not hold any more."""
        self.warehouse.work("profiles", "matched.profiles")
        self._see_to_shapes()
        self.warehouse.work("touched", "matched.touched", {"rules": f"{self.model.version} {rules_hash()}"})
        show_compared(self.warehouse)
        self.warehouse.work("fresh_records", "matched.records")
        self.variants = find_variants(self.warehouse)
        self.warehouse.work("seen", "matched.scored", self.version)
        self.warehouse.execute(
            "create or replace temp table changed as"
            " select client_id from seen anti join matched.scored using (client_id, record_hash, model_version)"
        )
        self.warehouse.execute(
            "create or replace temp table stale as select client_id from changed"
            " union all select client_id from touched anti join seen using (client_id)"
        )
        self._count_filled()
        keys = block_keys(self.model.blocking, "fresh_records")
        self.warehouse.execute(f"create or replace temp table fresh_blocks as {keys}")
        for table, fresh in (
            ("matched.records", "fresh_records"),
            ("matched.scored", "seen"),
            (BLOCKS, "fresh_blocks"),
        ):
            self.warehouse.execute(f"delete from {table} where client_id in (select client_id from touched)")
            self.warehouse.append(table, fresh)
            self.warehouse.execute(f"drop table {fresh}")

    def _see_to_shapes(self) -> None:
        """Make the tables of what is derived of each record. Where one has other columns, it is of another model or of
        other rules: it is made anew, and every record touched."""
        self.warehouse.create(
            "matched.scored",
            "select 0 as client_id, 0::ubigint as source_hash, 0::ubigint as record_hash, '' as model_version",
        )
        self.warehouse.work_empty("touched", "select client_id, source_hash from matched.scored")
        show_compared(self.warehouse)
        for table, select in (
            ("matched.records", sql_text("matched.records")),
            (BLOCKS, block_keys(self.model.blocking, "matched.records")),
            (FILLED, filled_columns(REGISTER_COLUMNS, "matched.records")),
        ):
            there = self.warehouse.exists(table)
            if there and self.warehouse.shape(table) != self.warehouse.shape(f"({select})"):
                self.warehouse.execute(f"drop table {table}")
                there = False
            if not there:
                self.warehouse.create(table, select)
                self.warehouse.execute("update matched.scored set source_hash = 0")

    def _count_filled(self) -> None:
        """Bring ``matched.filled`` up to date: without those in ``touched`` as they were, with them as they are."""
        before = filled_columns(REGISTER_COLUMNS, "matched.records")
        if not self.warehouse.one(
            f"select count(*) from {FILLED} where records = (select count(*) from matched.records)"
        ):
            self.warehouse.execute(f"delete from {FILLED}; insert into {FILLED} {before}")
        gone = self.warehouse.row(f"{before} where client_id in (select client_id from touched)")
        come = self.warehouse.row(filled_columns(REGISTER_COLUMNS, "fresh_records"))
        changes = {column: come[column] - gone[column] for column in come if come[column] != gone[column]}
        if changes:
            sums = ", ".join(f"{column} = {column} + {more}" for column, more in changes.items())
            self.warehouse.execute(f"update {FILLED} set {sums}")

    def _keep_pairs(self) -> None:
        """Bring ``matched.pairs`` up to date. Temporary table ``parted``: the records that lost a pair by it."""
        self.warehouse.work("incoming", "matched.pairs", self.version)
        self.warehouse.create("matched.pairs", "select * from incoming")
        lost = "left_id in (select client_id from stale) or right_id in (select client_id from stale)"
        self.warehouse.execute(
            "create or replace temp table parted as"
            f" select unnest([left_id, right_id]) as client_id from matched.pairs where {lost}"
        )
        self.warehouse.upsert("matched.pairs", ["left_id", "right_id"], "incoming", within=lost)

    def _score_again(self) -> None:
        """Temporary table ``scored_pairs``: of new and changed records with all; every other pair keeps its score."""
        for_spark = self._is_for_spark()
        if for_spark:
            self._block_on_spark()
        else:
            self._block()
        if self.variants:
            self._find_changed_blocks()
            block_variants(self.warehouse, self.model.blocking, BLOCKS)
        paired = (
            f"select {COMPARED} from (from matched.records union all by name from variant_records)"
            " where client_id in (select unnest([left_id, right_id]) from blocked)"
        )
        with self.warehouse.scratch() as scratch:
            load_records(scratch, "records", self.warehouse.batches(paired))
            with scratch.relation("blocked", self.warehouse.batches("from blocked")):
                self.model.engine(scratch).score("from blocked", "scored_pairs")
            take_over_pairs(self.warehouse, scratch)
        if for_spark:
            handover.look_for_disagreement(self.warehouse, "scored_pairs")
        if self.variants:
            join_variants(self.warehouse)

    def _find_changed_blocks(self) -> None:
        self.warehouse.execute(
            f"create or replace temp table changed_blocks as from {BLOCKS} semi join changed using (client_id)"
        )

    def _block(self) -> None:
        """Temporary table ``blocked``: the pairs to score."""
        self._find_changed_blocks()
        pairs = blocked_pairs(self.model.blocking, "changed_blocks", BLOCKS)
        self.warehouse.execute(f"create or replace temp table blocked as {pairs}")

    def _is_for_spark(self) -> bool:
        if self.settings.match.engine != "spark":
            return False
        changed = int(self.warehouse.one("select count(*) from changed"))
        return 0 < changed >= self.settings.spark.from_records

    def _block_on_spark(self) -> None:
        """As ``_block``, without the pairs of which Spark found that they are not worth keeping."""
        folder = handover.hand_out(self.settings, self.warehouse, self.model)
        if not handover.is_scored(folder):
            submit(folder)
        handover.take_in(self.warehouse, folder)

    def _find_affected(self) -> None:
        """Temporary tables ``decided`` and ``affected``: the records whose candidates and cluster may change."""
        self.warehouse.work("decided", "matched.decided")
        self.warehouse.create("matched.decided", "select * from decided")
        terms = judging(self.model.calibration, self.settings.match)
        self.warehouse.work("by_rules", "matched.drawn_up", {"rules": f"{self.model.version} {rules_hash()} {terms}"})
        self.warehouse.create("matched.drawn_up", "select * from by_rules")
        self.warehouse.work("unsettled", "matched.unsettled")
        self.warehouse.work("affected", "matched.affected")
        self.warehouse.upsert("matched.decided", ["left_id", "right_id"], "decided", within="true")
        self.warehouse.upsert("matched.drawn_up", ["rules"], "by_rules", within="true")

    def _draw_up_candidates(self) -> None:
        self.warehouse.execute(
            "create or replace temp view affected_pairs as"
            " from matched.pairs where left_id in (select client_id from affected)"
        )
        judge(
            self.warehouse,
            self.model.comparisons,
            self.model.calibration,
            self.settings.match,
            "affected_pairs",
            "matched.records",
        )
        self.warehouse.work("incoming", "matched.candidates", self.version)
        self.warehouse.create("matched.candidates", "select * from incoming")
        self._pass_gate()
        self.warehouse.upsert("matched.candidates", ["candidate_id"], "incoming", within=_affected("left_id"))

    def _pass_gate(self) -> None:
        """The suite runs over the candidates that the night brings, and any kept one that has the id of one of them."""
        columns = ", ".join(suite_columns("matched.candidates"))
        rows = self.warehouse.frame(
            f"select {columns} from incoming union all select {columns} from matched.candidates"
            f" where candidate_id in (select candidate_id from incoming) and not {_affected('left_id')}"
        )
        if len(rows):
            pass_gate(self.warehouse, self.day, "matched.candidates", [rows])

    def _cluster(self) -> None:
        """Bring ``matched.clusters`` and ``matched.contradictions`` up to date for the affected records."""
        self.warehouse.work("entangled", "matched.entangled")
        decided = self.warehouse.rows(f"select left_id, right_id, is_same from decided where {_affected('left_id')}")
        roots = clusters_of(
            self.warehouse.rows("from entangled"),
            together=[(left, right) for left, right, is_same in decided if is_same],
            apart=[(left, right) for left, right, is_same in decided if not is_same],
        )
        connected = pd.DataFrame({"client_id": list(roots), "root_id": list(roots.values())}, dtype="int64")
        with self.warehouse.relation("disentangled", connected):
            self.warehouse.execute(
                "create or replace temp table clustered as from disentangled union all"
                " select unnest([left_id, right_id]), left_id from judged anti join entangled using (left_id, right_id)"
                " where calibrated_weight > $join_above",
                {"join_above": JOIN_ABOVE},
            )
        self.warehouse.work("incoming", "matched.clusters")
        self.warehouse.upsert("matched.clusters", ["client_id"], "incoming", within=_affected("client_id"))
        self.warehouse.work("incoming", "matched.contradictions")
        self.warehouse.upsert(
            "matched.contradictions",
            ["middle_id", "left_id", "right_id"],
            "incoming",
            within=_affected("middle_id"),
        )

    def _look_for_drift(self) -> None:
        """Bring ``matched.drift`` up to date: why the model should be trained again."""
        about = read_about(self.settings)
        filled = self.warehouse.row(f"from {FILLED}")
        now = profile(self.warehouse, filled, self.model.comparisons, "matched.pairs", "matched.candidates")
        reasons = drift(about["profile"], now, self.model.comparisons) if about else []
        found = pd.DataFrame({"reason": pd.Series(reasons, dtype="str")})
        with self.warehouse.relation("reasons", found):
            self.warehouse.execute(
                "create or replace temp table incoming as select reason::varchar as reason from reasons"
            )
        self.warehouse.upsert("matched.drift", ["reason"], "incoming", within="true")


def _affected(column: str) -> str:
    return f"{column} in (select client_id from affected)"
