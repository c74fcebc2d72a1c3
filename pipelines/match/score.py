"""Score the night: new and changed records against all, then candidates and clusters."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from pipelines.decisions.snapshot import take_snapshot
from pipelines.match.blocking import sharing_a_block
from pipelines.match.cluster import JOIN_ABOVE, clusters_of
from pipelines.match.drift import drift, profile
from pipelines.match.judge import judge
from pipelines.match.model import REGISTER_COLUMNS
from pipelines.match.models import Model, load_model, read_about
from pipelines.match.train import load_records, train_model
from pipelines.quality import pass_gate, suite_columns
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse, open_warehouse, scratch_warehouse

log = logging.getLogger(__name__)


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
        model, pairs = load_model(settings), None
        if model is None:
            model, pairs = train_model(settings, warehouse)
        with warehouse.transaction():
            take_snapshot(settings, warehouse)
            matching = _Night(warehouse, settings, model, day).run(pairs)
    log.info("matched %d records, %d scored again", matching.records, matching.scored_again)
    return matching


class _Night:
    def __init__(self, warehouse: Warehouse, settings: Settings, model: Model, day: date) -> None:
        self.warehouse = warehouse
        self.settings = settings
        self.model = model
        self.version = {"model": model.version}
        self.day = day

    def run(self, scored_in_training: pa.Table | None) -> Matching:
        records = self.warehouse.work("records", "matched.records")
        self.warehouse.work("seen", "matched.scored", self.version)
        self.warehouse.create("matched.scored", "select * from seen")
        self.warehouse.execute(
            "create or replace temp table changed as"
            " select * from seen anti join matched.scored using (client_id, record_hash, model_version)"
        )
        self.warehouse.execute(
            "create or replace temp table stale as select client_id from changed"
            " union select client_id from matched.scored where client_id not in (select client_id from records)"
        )
        changed = int(self.warehouse.one("select count(*) from changed"))
        if self.warehouse.one("select count(*) from stale"):
            self._keep_pairs(self._score_again() if scored_in_training is None else scored_in_training)
            self.warehouse.upsert("matched.scored", ["client_id"], "seen", within="true")
        judge(
            self.warehouse,
            self.model.comparisons,
            self.model.calibration,
            self.settings.match,
            "matched.pairs",
            "records",
        )
        self.warehouse.work("incoming", "matched.candidates", self.version)
        rows = self.warehouse.frame(f"select {', '.join(suite_columns('matched.candidates'))} from incoming")
        pass_gate(self.warehouse, self.day, "matched.candidates", rows)
        self.warehouse.upsert("matched.candidates", ["candidate_id"], "incoming", within="true")
        self._cluster()
        tiers = self.warehouse.rows("select tier, count(*) from matched.candidates group by 1 order by 1")
        return Matching(self.model.version, records, changed, dict(tiers), self._drift())

    def _score_again(self) -> pa.Table:
        """Pairs of new and changed records against all; every other pair keeps its score."""
        self.warehouse.execute(
            "create or replace temp table changed_records as from records semi join changed using (client_id)"
        )
        self.warehouse.execute(
            "create or replace temp table other_records as from records anti join changed using (client_id)"
            f" where client_id in ({sharing_a_block(self.model.blocking, 'records', 'changed_records')})"
        )
        with scratch_warehouse(self.settings.warehouse) as scratch:
            for table in ("changed_records", "other_records"):
                load_records(scratch, table, self.warehouse.connection.sql(f"from {table}").to_arrow_table())
            scratch.execute("create view records as from changed_records union all from other_records")
            engine = self.model.engine(scratch)
            engine.pairs_within("changed_records", "within")
            engine.pairs_between("changed_records", "other_records", "between")
            return scratch.connection.sql("from within union all from between").to_arrow_table()

    def _keep_pairs(self, scored: pa.Table) -> None:
        with self.warehouse.relation("scored_pairs", scored):
            self.warehouse.work("incoming", "matched.pairs", self.version)
        self.warehouse.create("matched.pairs", "select * from incoming")
        stale = "(select client_id from stale)"
        self.warehouse.upsert(
            "matched.pairs", ["left_id", "right_id"], "incoming", within=f"left_id in {stale} or right_id in {stale}"
        )

    def _cluster(self) -> None:
        self.warehouse.work("entangled", "matched.entangled")
        standings = self.warehouse.rows("select standing, left_id, right_id from reviewed.standings")
        decided = {
            which: {(left, right) for standing, left, right in standings if standing == which}
            for which in ("same", "different")
        }
        roots = clusters_of(self.warehouse.rows("from entangled"), together=decided["same"], apart=decided["different"])
        connected = pd.DataFrame({"client_id": list(roots), "root_id": list(roots.values())}, dtype="int64")
        with self.warehouse.relation("disentangled", connected):
            self.warehouse.execute(
                "create or replace temp table clustered as from disentangled union all"
                " select unnest([left_id, right_id]), left_id from judged anti join entangled using (left_id, right_id)"
                " where calibrated_weight > $join_above",
                {"join_above": JOIN_ABOVE},
            )
        self.warehouse.work("incoming", "matched.clusters")
        self.warehouse.upsert("matched.clusters", ["client_id"], "incoming", within="true")
        self.warehouse.work("incoming", "matched.contradictions")
        self.warehouse.upsert("matched.contradictions", ["middle_id", "left_id", "right_id"], "incoming", within="true")

    def _drift(self) -> list[str]:
        """Why the model should be trained again; kept in ``matched.drift`` for the report."""
        about = read_about(self.settings)
        now = profile(self.warehouse, self.model.comparisons, REGISTER_COLUMNS, "matched.pairs", "records")
        reasons = drift(about["profile"], now, self.model.comparisons) if about else []
        found = pd.DataFrame({"reason": pd.Series(reasons, dtype="str")})
        with self.warehouse.relation("reasons", found):
            self.warehouse.execute(
                "create or replace temp table incoming as select reason::varchar as reason from reasons"
            )
        self.warehouse.upsert("matched.drift", ["reason"], "incoming", within="true")
        return reasons
