"""Gather a night's report from the warehouse: the run's summary, and each candidate with its evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from pipelines import __version__
from pipelines.match.model import REGISTER_COLUMNS, Comparison, comparisons_for
from pipelines.review import contents
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

Row = dict[str, Any]
_COMPARISONS = comparisons_for(REGISTER_COLUMNS)


def gather_report(settings: Settings, warehouse: Warehouse, day: date) -> contents.Report:
    """The report of the night of ``day`` from the warehouse as it stands."""
    matched = warehouse.exists("matched.candidates")
    misses = _dicts(warehouse, "matched.misses", {}) if matched else []
    confusions = _dicts(warehouse, "matched.confusions", {}) if matched else []
    candidates = tuple(map(_candidate, _dicts(warehouse, "matched.evidence", {"day": day}))) if matched else ()
    return contents.Report(
        _run(settings, warehouse, day, candidates),
        candidates,
        tuple(contents.Miss(**miss) for miss in misses),
        tuple(contents.Confusion(**confusion) for confusion in confusions),
    )


def _run(
    settings: Settings, warehouse: Warehouse, day: date, candidates: tuple[contents.Candidate, ...]
) -> contents.Run:
    files = _dicts(warehouse, "raw.night_files", {"day": day})
    rejects = _dicts(warehouse, "raw.night_rejects", {"day": day})
    gates = [_feed_gate(file) for file in files if file["gate"]]
    gates += [
        contents.GateLine(suite, "the rows of the night", rows, checks, success, failures)
        for suite, rows, checks, success, failures in warehouse.rows(
            "select suite, rows, checks, success, failures from staged.gates where night = $day order by suite",
            {"day": day},
        )
    ]
    made = warehouse.rows(
        "select made_how, count(*) from staged.client_ids where made_on = $day group by 1 order by 1", {"day": day}
    )
    scored = warehouse.exists("matched.scored")
    models = warehouse.rows("select distinct model_version from matched.scored") if scored else []
    return contents.Run(
        day=day,
        provider=settings.provider,
        oneclient_version=__version__,
        model_version=models[0][0] if models else "",
        config_hash=settings.config_hash(),
        clients=warehouse.one("select count(*) from staged.clients where survivor_id = client_id"),
        new_clients=dict(made),
        tiers={tier: sum(c.tier == tier for c in candidates) for tier in contents.TIERS},
        files=tuple(contents.FileLine(**{k: v for k, v in file.items() if k != "gate"}) for file in files),
        rejects=tuple(contents.Reject(**{**reject, "rows": tuple(reject["rows"])}) for reject in rejects),
        gates=tuple(gates),
    )


def _feed_gate(file: Row) -> contents.GateLine:
    gate = json.loads(file["gate"])
    failed = [f"{c['why']} ({c['error'] or c['observed']})" for c in gate["checks"] if not c["success"]]
    return contents.GateLine(
        gate["suite"], file["file_name"], gate["rows"], len(gate["checks"]), gate["success"], "; ".join(failed)
    )


def _candidate(row: Row) -> contents.Candidate:
    return contents.Candidate(
        candidate_id=row["candidate_id"],
        cluster_id=row["cluster_id"] or "",
        tier=row["tier"],
        match_probability=row["match_probability"],
        weight=row["match_weight"],
        relation=row["relation"],
        left=_side(row["left_record"]),
        right=_side(row["right_record"]),
        comparisons=tuple(_comparison(c, row) for c in _COMPARISONS),
    )


def _side(record: Row) -> contents.Side:
    return contents.Side(
        client_ref=record["client_ref"],
        made_how=record["made_how"],
        made_on=record["made_on"],
        active_orders=record["active_orders"],
        upcoming_visits=record["upcoming_visits"],
        past_visits=record["past_visits"],
        enrolments=record["enrolments"],
        references=tuple(record["all_references"]),
    )


def _comparison(comparison: Comparison, row: Row) -> contents.Comparison:
    level = comparison.level_named(row[f"level_{comparison.name}"])
    return contents.Comparison(
        field=comparison.label,
        left=_shown(row["left_record"], comparison.shows),
        right=_shown(row["right_record"], comparison.shows),
        agreement=level.agreement,
        words=level.words,
        weight=round(row[f"weight_{comparison.name}"], 4),
    )


def _shown(record: Row, columns: Iterable[str]) -> str:
    values = (record[f"{column}_shown"] for column in columns)
    return ", ".join(str(value) for value in values if value not in (None, ""))


def _dicts(warehouse: Warehouse, table: str, parameters: Row) -> list[Row]:
    """Rows of ``sql/<table>.sql`` as dictionaries, nested ones too."""
    warehouse.work("gathered", table, parameters)
    rows: list[Row] = warehouse.connection.sql("select * from gathered").to_arrow_table().to_pylist()
    return rows
