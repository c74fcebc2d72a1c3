"""Score the night: new and changed records against all, then candidates and clusters."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from pipelines.match.cluster import clusters_of
from pipelines.match.train import Model, load_model, load_records, train_model
from pipelines.quality import pass_gate, suite_columns
from pipelines.settings import MatchSettings, Settings
from pipelines.warehouse import Warehouse, open_warehouse, scratch_warehouse

log = logging.getLogger(__name__)

HOUSEHOLD_BITS = 8.0
# A valid NHS number that differs by a slip is another person's; a number without a check digit is often a slip of one.
NUMBER_LEVELS = {
    "level_nhs_number": "level_nhs_number",
    "level_national_id": "if(level_national_id = 'close', 'same', level_national_id)",
}


@dataclass
class Matching:
    """What one matching run did: the model, how many records it compared again, candidates by tier."""

    model_version: str = ""
    records: int = 0
    scored_again: int = 0
    tiers: dict[str, int] = field(default_factory=dict)

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
        model = load_model(settings) or train_model(settings, warehouse)
        with warehouse.transaction():
            matching = _Night(warehouse, settings, model, day).run()
    log.info("matched %d records, %d scored again", matching.records, matching.scored_again)
    return matching


def draw_candidates(warehouse: Warehouse, settings: MatchSettings, pairs: str, records: str) -> None:
    """Temporary table ``incoming``: the candidates (as ``matched.candidates``) among the scored pairs of records."""
    there = {name for name, *_ in warehouse.rows(f"describe {pairs}")}
    numbers = [level for name, level in NUMBER_LEVELS.items() if name in there]
    known = {
        f"level_{name}": f"level_{name}" if f"level_{name}" in there else "null::varchar"
        for name in ("forename", "surname", "birth", "home", "gender", "reference")
    }
    known["level_number"] = f"coalesce({', '.join(numbers)})" if numbers else "null::varchar"
    columns = ", ".join(f"{source} as {name}" for name, source in known.items())
    warehouse.execute(
        "create or replace temp view pair_levels as"
        f" select left_id, right_id, match_probability, match_weight, model_version, {columns} from {pairs}"
    )
    warehouse.execute(f"create or replace temp view compared_records as select * from {records}")
    thresholds = settings.model_dump(include={"near_certain", "likely", "possible"})
    warehouse.work("incoming", "matched.candidates", {**thresholds, "household_bits": HOUSEHOLD_BITS})


class _Night:
    def __init__(self, warehouse: Warehouse, settings: Settings, model: Model, day: date) -> None:
        self.warehouse = warehouse
        self.settings = settings
        self.model = model
        self.day = day

    def run(self) -> Matching:
        model = {"model": self.model.version, "at_least": self.settings.match.possible}
        records = self.warehouse.work("records", "matched.records")
        self.warehouse.work("seen", "matched.scored", model)
        self.warehouse.create("matched.scored", "select * from seen")
        self.warehouse.execute(
            "create or replace temp table changed as select * from seen except select * from matched.scored"
        )
        self.warehouse.execute(
            "create or replace temp table stale as select client_id from changed"
            " union select client_id from matched.scored where client_id not in (select client_id from records)"
        )
        changed = int(self.warehouse.one("select count(*) from changed"))
        if self.warehouse.one("select count(*) from stale"):
            self._rescore(model)
            self.warehouse.upsert("matched.scored", ["client_id"], "seen", within="true")
        draw_candidates(self.warehouse, self.settings.match, "matched.pairs", "records")
        rows = self.warehouse.frame(f"select {', '.join(suite_columns('matched.candidates'))} from incoming")
        pass_gate(self.warehouse, self.day, "matched.candidates", rows)
        self.warehouse.upsert("matched.candidates", ["candidate_id"], "incoming", within="true")
        self._cluster()
        tiers = self.warehouse.rows("select tier, count(*) from matched.candidates group by 1 order by 1")
        return Matching(self.model.version, records, changed, dict(tiers))

    def _rescore(self, model: dict[str, Any]) -> None:
        """Pairs of new and changed records against all; every other pair keeps its score."""
        with scratch_warehouse(self.settings.warehouse) as scratch:
            for table, which in (("changed_records", "in"), ("other_records", "not in")):
                rows = self.warehouse.connection.sql(
                    f"select * from records where client_id {which} (select client_id from changed)"
                )
                load_records(scratch, table, rows.to_arrow_table())
            scratch.execute("create view records as from changed_records union all from other_records")
            engine = self.model.engine(scratch)
            at_least = self.settings.match.possible
            within = engine.pairs_within("changed_records", at_least)
            between = engine.pairs_between("changed_records", "other_records", at_least)
            found = pa.concat_tables([within, between])
        with self.warehouse.relation("scored_pairs", found):
            self.warehouse.work("incoming", "matched.pairs", model)
        self.warehouse.create("matched.pairs", "select * from incoming")
        stale = "(select client_id from stale)"
        self.warehouse.upsert(
            "matched.pairs", ["left_id", "right_id"], "incoming", within=f"left_id in {stale} or right_id in {stale}"
        )

    def _cluster(self) -> None:
        pairs = self.warehouse.rows(
            "select left_id, right_id, cluster_weight from matched.candidates order by left_id, right_id"
        )
        roots = clusters_of(pairs)
        connected = pd.DataFrame({"client_id": list(roots), "root_id": list(roots.values())}, dtype="int64")
        with self.warehouse.relation("clustered", connected):
            self.warehouse.work("incoming", "matched.clusters")
        self.warehouse.upsert("matched.clusters", ["client_id"], "incoming", within="true")
