"""Gather a night's report from the warehouse: the run's summary, and each case with its evidence."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines import __version__, merge
from pipelines.decisions.evidence import Change, evidence_hash
from pipelines.decisions.snapshot import entries_read, show_facts
from pipelines.decisions.standing import SETTLED
from pipelines.decisions.statement import choices_read
from pipelines.match.asked import weigh_asked
from pipelines.match.comparisons import REGISTER_COLUMNS, Comparison
from pipelines.match.model import comparisons_for
from pipelines.merge.case import Case
from pipelines.merge.finding import WatchLine
from pipelines.merge.outcomes import outcomes
from pipelines.merge.watch import watch_tonight
from pipelines.publishing.rows import from_table, uncollected
from pipelines.review import contents, words
from pipelines.review.clusters import by_pair, cluster_of
from pipelines.review.harm import by_harm, clusters_by_harm, harm_of
from pipelines.review.numbered import REFERENCE, say_difference, say_reference
from pipelines.review.practice import read_practice
from pipelines.review.quality import review_quality
from pipelines.settings import TIERS, Settings
from pipelines.stage.standardise import know_nicknames
from pipelines.warehouse import Warehouse

Row = dict[str, Any]
_COMPARISONS = comparisons_for(REGISTER_COLUMNS)


def gather_report(settings: Settings, warehouse: Warehouse, day: date) -> contents.Report:
    """The report of the night of ``day`` from the warehouse as it stands."""
    return gather_cases(warehouse, gather_summary(settings, warehouse, day))


def gather_summary(settings: Settings, warehouse: Warehouse, day: date) -> contents.Report:
    """The report without its candidates and clusters, which wait in the temporary tables ``evidence`` and ``sides``.

    ``run.evidence_hash`` says what they hold, so that a night without news need not read them.
    """
    watch = watch_tonight(settings, warehouse)  # before ``sides``, which it writes too
    if not warehouse.exists("matched.candidates"):
        return contents.Report(_run(settings, warehouse, day, watch), ())
    show_facts(warehouse)
    warehouse.work("reported", "matched.reported", {"day": day, "settled": sorted(SETTLED)})
    warehouse.execute(_REPORTED_CASES, {"most": settings.report.candidates})
    warehouse.execute("create or replace temp view case_levels as from matched.pairs")
    warehouse.work("evidence", "matched.evidence", {"timezone": settings.timezone})
    _add_unproposed(settings, warehouse)
    _gather_sides(warehouse, day)
    if warehouse.exists("matched.contradictions"):
        warehouse.work("triangles", "matched.triangles")
    else:
        warehouse.execute(_NO_TRIANGLES)
    know_nicknames(warehouse)
    warehouse.work("confusions", "matched.confusions")
    return contents.Report(
        _run(settings, warehouse, day, watch),
        (),
        tuple(contents.Miss(**miss) for miss in _gathered(warehouse, "matched.misses", {})),
        tuple(contents.Confusion(**confusion) for confusion in _gathered(warehouse, "matched.confusion_cases", {})),
    )


def gather_named(
    settings: Settings, warehouse: Warehouse, summary: contents.Report, pairs: Collection[tuple[int, int]]
) -> tuple[contents.Candidate, ...]:
    """The cases of pairs of live records that a reviewer named, as those of the report ``summary``; none if there is no
    model to score them with. The smaller client id stands left."""
    if not warehouse.exists("matched.candidates") or not weigh_asked(settings, warehouse, pairs):
        return ()
    show_facts(warehouse)
    warehouse.work("evidence", "matched.evidence", {"timezone": settings.timezone})
    _gather_sides(warehouse, summary.run.day)
    warehouse.execute(_NO_TRIANGLES)
    know_nicknames(warehouse)
    return gather_cases(warehouse, summary).candidates


def _add_unproposed(settings: Settings, warehouse: Warehouse) -> None:
    """Add to ``evidence`` the decided pairs that wait for a reviewer and are no candidates."""
    if not warehouse.work("unproposed", "reviewed.unproposed", {"settled": sorted(SETTLED)}):
        return
    if weigh_asked(settings, warehouse, warehouse.rows("from unproposed")):
        warehouse.work("more_evidence", "matched.evidence", {"timezone": settings.timezone})
        warehouse.append("evidence", "more_evidence")


def _gather_sides(warehouse: Warehouse, day: date) -> None:
    """Temporary table ``sides``: the records of ``evidence``."""
    warehouse.work("involved", "matched.involved")
    warehouse.work("profiles", "matched.profiles")
    warehouse.work("sides", "matched.sides", {"day": day})


def gather_cases(warehouse: Warehouse, summary: contents.Report) -> contents.Report:
    """The summary with the candidates and clusters that ``gather_summary`` left in temporary tables, by harm."""
    if not warehouse.exists("matched.candidates"):
        return summary
    with uncollected():
        return _with_cases(warehouse, summary)


def _with_cases(warehouse: Warehouse, summary: contents.Report) -> contents.Report:
    told = _table(warehouse, "select * from sides order by client_id")
    sides = {side.client_id: side for side in from_table(contents.Side, told)}
    shown: dict[int, Row] = dict(zip(sides, told["shown"].to_pylist(), strict=True))
    missed = {miss.candidate_id: miss for miss in summary.misses}
    triangles: dict[str, list[contents.Triangle]] = {}
    for row in _dicts(
        warehouse, "select * from triangles semi join evidence using (candidate_id) order by candidate_id, third_ref"
    ):
        triangles.setdefault(row.pop("candidate_id"), []).append(contents.Triangle(**row))
    candidates = [
        replace(
            _candidate(row, sides, shown),
            missed=missed.get(row["candidate_id"]),
            triangles=tuple(triangles.get(row["candidate_id"], ())),
        )
        for row in _dicts(warehouse, "select * from evidence order by candidate_id")
    ]
    pairs = by_pair(candidates)
    clusters = [
        cluster_of(cluster_id, tuple(sides[client_id] for client_id in members), pairs)
        for cluster_id, members in warehouse.rows(
            "select cluster_id, list(client_id order by client_id) from matched.clusters"
            " semi join sides using (client_id) group by cluster_id having count(*) > 2 order by cluster_id"
        )
    ]
    return replace(
        summary,
        candidates=tuple(sorted(candidates, key=lambda candidate: (candidate.settled, by_harm(candidate)))),
        clusters=tuple(sorted(clusters, key=clusters_by_harm)),
    )


def _run(settings: Settings, warehouse: Warehouse, day: date, watch: tuple[WatchLine, ...]) -> contents.Run:
    files = _gathered(warehouse, "raw.night_files", {"day": day})
    rejects = _gathered(warehouse, "raw.night_rejects", {"day": day})
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
    matched = warehouse.exists("matched.candidates")
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
        tiers=dict.fromkeys(TIERS, 0) | (dict(warehouse.rows(_OPEN_TIERS)) if matched else {}),
        beyond=warehouse.one(_BEYOND, {"most": settings.report.candidates}) if matched else 0,
        standings=dict(warehouse.rows(_STANDINGS)) if matched else {},
        files=tuple(_file_line(file) for file in files),
        rejects=tuple(contents.Reject(**{**reject, "rows": tuple(reject["rows"])}) for reject in rejects),
        gates=tuple(gates),
        review=json.loads(json.dumps(asdict(review_quality(entries_read(warehouse), read_practice(settings.home))))),
        watch=watch,
        train_again=tuple(reason for (reason,) in warehouse.rows("select reason from matched.drift order by reason")),
        evidence_hash=warehouse.one(_EVIDENCE_HASH) if matched else "",
        rules_hash=rules_hash(),
    )


def rules_hash() -> str:
    """Twelve hex digits of the source of ``pipelines/merge``, by whose rules a case is judged."""
    files = sorted(Path(next(iter(merge.__path__))).glob("*.py"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _feed_gate(file: Row) -> contents.GateLine:
    gate = json.loads(file["gate"])
    failed = [f"{c['why']} ({c['error'] or c['observed']})" for c in gate["checks"] if not c["success"]]
    return contents.GateLine(
        gate["suite"], file["file_name"], gate["rows"], len(gate["checks"]), gate["success"], "; ".join(failed)
    )


def _candidate(row: Row, sides: Mapping[int, contents.Side], shown: Mapping[int, Row]) -> contents.Candidate:
    left, right = sides[row["left_id"]], sides[row["right_id"]]
    recommended, tried = outcomes(Case((left, right), choices_read(row["choices"])))
    return contents.Candidate(
        candidate_id=row["candidate_id"],
        cluster_id=row["cluster_id"] or "",
        tier=row["tier"],
        match_probability=row["match_probability"],
        weight=row["match_weight"],
        relation=row["relation"],
        left=left,
        right=right,
        comparisons=tuple(_comparison(c, row, shown[row["left_id"]], shown[row["right_id"]]) for c in _COMPARISONS),
        harm=harm_of((left, right)),
        recommended=recommended,
        outcomes=tried,
        evidence_hash=evidence_hash(row["facts"]),
        facts=row["facts"],
        standing=row["standing"],
        standing_reason=row["standing_reason"],
        decided=tuple(contents.Decided(**said) for said in row["decided"]),
        changed=tuple(Change(**change) for change in json.loads(row["changed"])),
    )


def _comparison(comparison: Comparison, row: Row, left: Row, right: Row) -> contents.Comparison:
    level = comparison.level_named(row[f"level_{comparison.name}"])
    words = level.words
    if comparison.label == REFERENCE:
        words = say_difference(level.name, words, left["reference"], right["reference"])
    return contents.Comparison(
        field=comparison.label,
        left=_shown(left, comparison),
        right=_shown(right, comparison),
        agreement=level.agreement,
        words=words,
        weight=round(row[f"weight_{comparison.name}"], 4),
    )


def _shown(record: Row, comparison: Comparison) -> str:
    if comparison.label == REFERENCE:
        return say_reference(record["reference"], record["council"])
    return ", ".join(str(record[column]) for column in comparison.shows if record[column] not in (None, ""))


def _gathered(warehouse: Warehouse, table: str, parameters: Row) -> list[Row]:
    """Rows of ``sql/<table>.sql`` as dictionaries."""
    warehouse.work("gathered", table, parameters)
    return _dicts(warehouse, "select * from gathered")


def _dicts(warehouse: Warehouse, query: str) -> list[Row]:
    """Rows of a query as dictionaries, nested ones too."""
    rows: list[Row] = _table(warehouse, query).to_pylist()
    return rows


def _table(warehouse: Warehouse, query: str) -> pa.Table:
    return warehouse.connection.sql(query).to_arrow_table()


_REPORTED_CASES = """
    create or replace temp table cases as
    select c.* from matched.candidates as c join reported as t using (candidate_id) where t.place <= $most
"""
_NO_TRIANGLES = """
    create or replace temp table triangles
        (candidate_id varchar, third_ref varchar, shared_ref varchar, apart_ref varchar, why varchar)
"""
_OPEN_TIERS = "select tier, count(*) from reported where not settled group by tier"
_BEYOND = "select count(*) from reported where not settled and place > $most"
_STANDINGS = "select standing, count(*) from reported where standing <> '' group by standing order by standing"
_EVIDENCE_HASH = """
    select md5(concat(
        (select string_agg(md5(to_json(e)::varchar), '' order by candidate_id) from evidence as e),
        (select string_agg(md5(to_json(s)::varchar), '' order by client_id) from sides as s),
        (select string_agg(md5(to_json(t)::varchar), '' order by candidate_id, third_ref) from triangles as t),
        (select string_agg(md5(to_json(k)::varchar), '' order by client_id) from matched.clusters as k)
    ))
"""


def _file_line(file: dict[str, Any]) -> contents.FileLine:
    facts = json.loads(file["facts"]) if file["facts"] else {}
    kept = {name: value for name, value in file.items() if name not in {"gate", "facts"}}
    return contents.FileLine(**kept, facts=facts, told=tuple(words.told_of_file(facts)))
