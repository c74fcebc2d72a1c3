"""Hold the matcher against a known truth: the feeds that ``sample`` makes, or any labelled file.

A labelled file goes through the same standardising, model, thresholds and clustering as the night, trained on that file
without its truth column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.match.cluster import clusters_of
from pipelines.match.model import BLOCKING, REGISTER_COLUMNS, blocking_condition, comparisons_for
from pipelines.match.roles import ROLES, guess_roles, read_roles
from pipelines.match.score import draw_candidates
from pipelines.match.train import Model, train_on
from pipelines.settings import Settings, SettingsError
from pipelines.sources import load_sources
from pipelines.stage.standardise import learn_standard_forms, load_placeholder_names
from pipelines.warehouse import Warehouse, open_warehouse, scratch_warehouse, sql_text

TIERS = ("near-certain", "likely", "possible")
EXTRA_COLUMNS = ("national_id", "birth_place", "occupation")
LEAST_FILLED = 0.02
LEAST_PROBABILITY = 0.001


@dataclass(frozen=True)
class Truth:
    """True pairs of client records, how many are candidates, and how many candidates are two people.

    ``by_tier``: tier → {"true": candidates that are one person, "false": that are two}. ``missed_by_kind`` and
    ``false_by_kind`` count by the hardest thing about the pair.
    """

    true_pairs: int
    found: int
    missed: int
    false_candidates: int
    by_tier: dict[str, dict[str, int]]
    missed_by_kind: dict[str, int]
    false_by_kind: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Score:
    """Pairwise precision, recall and their harmonic mean, each 0 to 1; precision of no pairs is 1."""

    precision: float
    recall: float
    f1: float
    pairs: int


@dataclass(frozen=True)
class Evaluation:
    """How the final clusters, the tiers and the blocking of one labelled file compare with its truth.

    ``tiers`` are cumulative: *likely* counts near-certain pairs too. ``roles`` says which column was taken for what.
    ``missed_for`` and ``false_for`` count pairs by what most spoke against or for them.
    """

    records: int
    true_pairs: int
    roles: dict[str, str]
    model_version: str
    clusters: Score
    tiers: dict[str, Score]
    best_threshold: float
    best: Score
    blocking_recall: float
    pairs_generated: dict[str, int]
    missed_for: dict[str, int]
    false_for: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def against_truth(settings: Settings, truth_csv: Path) -> Truth:
    """Count found, missed and false candidates against ``truth.csv`` as ``oneclient sample`` writes it."""
    with open_warehouse(settings) as warehouse:
        warehouse.execute(
            "create or replace temp table truth as select * from read_csv($path, all_varchar = true)",
            {"path": str(truth_csv)},
        )
        warehouse.work("judged", "matched.truth_pairs")
        tiers = warehouse.rows(
            "select tier, is_true, count(*) from judged where tier is not null group by all order by all"
        )
        missed = dict(warehouse.rows("select kind, count(*) from judged where tier is null group by 1 order by 2 desc"))
        false = dict(warehouse.rows("select kind, count(*) from judged where not is_true group by 1 order by 2 desc"))
    by_tier = {tier: {"true": 0, "false": 0} for tier in TIERS}
    for tier, is_true, count in tiers:
        by_tier[tier]["true" if is_true else "false"] = count
    found = sum(counts["true"] for counts in by_tier.values())
    return Truth(found + sum(missed.values()), found, sum(missed.values()), sum(false.values()), by_tier, missed, false)


def evaluate_file(
    settings: Settings, records: Path, truth: str, mapping: Path | None = None, pairs_out: Path | None = None
) -> Evaluation:
    """Match a labelled CSV or Parquet file and compare with its ``truth`` column, which the matcher never sees.

    ``pairs_out`` gets a Parquet file with a row for each scored or clustered pair: ``left_row``, ``right_row`` (0-based
    rows of the file), ``match_probability`` (null for a pair that only its cluster joins), ``tier`` (null below
    *possible*) and ``same_cluster``. Raises SettingsError for an unusable mapping or a missing truth column.
    """
    with scratch_warehouse(settings.warehouse) as scratch:
        headings = _read(scratch, records)
        if truth not in headings:
            raise SettingsError(f"The file has no column {truth}. Its columns: {', '.join(headings)}")
        others = [heading for heading in headings if heading != truth]
        roles = read_roles(mapping, others) if mapping else guess_roles(others)
        if not roles:
            raise SettingsError("No heading sounds like a name, birth date or address: write a mapping (--mapping).")
        columns = _standardise(scratch, settings, roles)
        if not comparisons_for(columns):
            raise SettingsError("The file has no row, or none of its columns is filled enough to compare records by.")
        model = train_on(scratch, columns, settings.match.seed)
        scored = _score(scratch, settings, model)
        labels = scratch.frame(f'select row_id, "{truth}" as truth from file_rows_as_sent order by row_id')
        people = pd.factorize(labels["truth"])[0].astype(np.int64)
        evaluation, pairs = _compare(scored, people, roles, model, _pairs_blocked(scratch, people, model))
    if pairs_out:
        pq.write_table(pa.Table.from_pandas(pairs, preserve_index=False), pairs_out)
    return evaluation


def _read(scratch: Warehouse, records: Path) -> list[str]:
    reader = (
        "read_parquet($path)" if records.suffix.lower() in {".parquet", ".pq"} else "read_csv($path, all_varchar=true)"
    )
    scratch.execute(
        f"create table file_rows_as_sent as select (row_number() over () - 1)::integer as row_id, * from {reader}",
        {"path": str(records)},
    )
    return [name for name, *_ in scratch.rows("describe file_rows_as_sent")][1:]


def _standardise(scratch: Warehouse, settings: Settings, roles: Mapping[str, str]) -> list[str]:
    """Tables ``file_rows`` … ``records``; gives the columns of ``records`` that are filled enough to compare."""
    heading = {role: f'"{name}"::varchar' for name, role in roles.items()}
    parts = [heading.get(part) for part in ("birth_year", "birth_month", "birth_day")]
    if "birth" not in heading and all(parts):
        heading["birth"] = f"concat_ws('-', {parts[0]}, lpad({parts[1]}, 2, '0'), lpad({parts[2]}, 2, '0'))"
    columns = ", ".join(f"{heading.get(role, 'null::varchar')} as {role}" for role in ROLES)
    scratch.execute(f"create table file_rows as select row_id, {columns} from file_rows_as_sent")
    source = next(source for source in load_sources(settings.sources) if source.feed == "roster_clients")
    reading = {"date_formats": [*source.date_formats, "%Y%m%d"], "prefix_pattern": source.prefix_pattern}
    scratch.work("sent_people", "matched.sent_people", reading)
    learn_standard_forms(scratch, settings.phone_region)
    load_placeholder_names(scratch)
    scratch.work("people", "staged.people")
    scratch.execute(
        "create table staged.clients as select *, row_number::integer as client_id, record_id as client_ref,"
        " row_number::integer as survivor_id from people"
    )
    scratch.execute(
        f"create table records as select r.*, name_key(f.birth_place) as birth_place,"
        " name_key(f.occupation) as occupation, reference_key(f.national_id) as national_id"
        f" from ({sql_text('matched.records')}) as r join file_rows as f on f.row_id = r.client_id order by client_id"
    )
    offered = (*REGISTER_COLUMNS, *EXTRA_COLUMNS)
    shares = ", ".join(f"count({column}) / count(*)" for column in offered)
    filled = dict(zip(offered, scratch.rows(f"select {shares} from records")[0], strict=True))
    return [column for column in offered if filled[column] >= LEAST_FILLED]


def _score(scratch: Warehouse, settings: Settings, model: Model) -> pd.DataFrame:
    """Scored pairs with tier and cluster weight, down to those that say no more against a cluster than unseen ones."""
    found = model.engine(scratch).pairs_within("records", LEAST_PROBABILITY)
    with scratch.relation("found_pairs", found):
        scratch.execute("create table all_pairs as select *, 'file' as model_version from found_pairs")
    everything = settings.match.model_copy(update={"possible": 0.0})
    draw_candidates(scratch, everything, "all_pairs", "records")
    return scratch.frame(
        "select p.*, c.relation, c.cluster_weight, if(p.match_probability >= $possible, c.tier, null) as tier"
        " from all_pairs as p join incoming as c using (left_id, right_id) order by left_id, right_id",
        {"possible": settings.match.possible},
    )


def _pairs_blocked(scratch: Warehouse, people: np.ndarray[Any, np.dtype[np.int64]], model: Model) -> int:
    """True pairs that at least one blocking rule of the model brings together."""
    labels = pd.DataFrame({"client_id": np.arange(len(people)), "person": people})
    with scratch.relation("labels", labels):
        scratch.execute("create or replace temp table labelled as select * from records join labels using (client_id)")
    rules = " or ".join(f"coalesce({blocking_condition(BLOCKING[name])}, false)" for name in model.blocking)
    return int(
        scratch.one(
            "select count(*) from labelled as l join labelled as r on l.person = r.person and l.client_id < r.client_id"
            f" where {rules or 'false'}"
        )
    )


def _compare(
    scored: pd.DataFrame,
    people: np.ndarray[Any, np.dtype[np.int64]],
    roles: Mapping[str, str],
    model: Model,
    blocked: int,
) -> tuple[Evaluation, pd.DataFrame]:
    left, right = scored["left_id"].to_numpy(), scored["right_id"].to_numpy()
    is_true = people[left] == people[right]
    true_pairs = _pairs_in(people)
    cluster = np.arange(len(people))
    joined = clusters_of(zip(left.tolist(), right.tolist(), scored["cluster_weight"].tolist(), strict=True))
    cluster[list(joined)] = list(joined.values())
    both = pd.DataFrame({"cluster": cluster, "person": people}).groupby(["cluster", "person"]).size()
    clusters = _score_of(int((both * (both - 1) // 2).sum()), _pairs_in(cluster), true_pairs)
    tiers = {}
    for number, tier in enumerate(TIERS):
        taken = scored["tier"].isin(TIERS[: number + 1]).to_numpy()
        tiers[tier] = _score_of(int(is_true[taken].sum()), int(taken.sum()), true_pairs)
    threshold, best = _best(scored["match_probability"].to_numpy(), is_true, true_pairs)
    same_cluster = cluster[left] == cluster[right]
    evaluation = Evaluation(
        records=len(people),
        true_pairs=true_pairs,
        roles=dict(roles),
        model_version=model.version,
        clusters=clusters,
        tiers=tiers,
        best_threshold=threshold,
        best=best,
        blocking_recall=blocked / true_pairs if true_pairs else 1.0,
        pairs_generated=model.blocking,
        missed_for=_reasons(scored[is_true & ~same_cluster], model, against=True)
        | {"no blocking rule": true_pairs - blocked},
        false_for=_reasons(scored[~is_true & same_cluster], model, against=False),
    )
    return evaluation, _pairs_of(scored, cluster, same_cluster)


def _pairs_of(
    scored: pd.DataFrame, cluster: np.ndarray[Any, np.dtype[np.int64]], same: np.ndarray[Any, np.dtype[np.bool_]]
) -> pd.DataFrame:
    pairs = scored[["left_id", "right_id", "match_probability", "tier"]].assign(same_cluster=same)
    pairs = pairs[pairs["tier"].notna() | pairs["same_cluster"]]
    members = pd.DataFrame({"cluster": cluster, "row": np.arange(len(cluster), dtype=np.int32)})
    together = members.merge(members, on="cluster", suffixes=("_l", "_r")).query("row_l < row_r")
    together = together.rename(columns={"row_l": "left_id", "row_r": "right_id"})[["left_id", "right_id"]]
    every = together.merge(pairs.astype({"left_id": "int32", "right_id": "int32"}), how="outer")
    every["same_cluster"] = every["same_cluster"].fillna(True).astype(bool)
    return every.rename(columns={"left_id": "left_row", "right_id": "right_row"})


def _pairs_in(groups: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    sizes = np.unique(groups, return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum())


def _score_of(true: int, taken: int, true_pairs: int) -> Score:
    precision = true / taken if taken else 1.0
    recall = true / true_pairs if true_pairs else 1.0
    return Score(precision, recall, 2 * true / (taken + true_pairs) if taken + true_pairs else 1.0, taken)


def _best(
    probability: np.ndarray[Any, np.dtype[np.float64]], is_true: np.ndarray[Any, np.dtype[np.bool_]], true_pairs: int
) -> tuple[float, Score]:
    """The threshold with the truth in hand, for comparison only: nothing is ever chosen by it."""
    order = np.argsort(-probability, kind="stable")
    if not len(order):
        return 1.0, _score_of(0, 0, true_pairs)
    hits = np.cumsum(is_true[order])
    at = int(np.argmax(2 * hits / (np.arange(1, len(order) + 1) + true_pairs)))
    return float(probability[order[at]]), _score_of(int(hits[at]), at + 1, true_pairs)


def _reasons(pairs: pd.DataFrame, model: Model, *, against: bool) -> dict[str, int]:
    """Pairs by the comparison that spoke most against (or for) them, in words, most first."""
    names = [comparison.name for comparison in model.comparisons]
    if pairs.empty:
        return {}
    weights = pairs[[f"weight_{name}" for name in names]].to_numpy()
    strongest = weights.argmin(axis=1) if against else weights.argmax(axis=1)
    words: Sequence[str] = [
        model.comparisons[n].level_named(pairs[f"level_{names[n]}"].iat[i]).words for i, n in enumerate(strongest)
    ]
    return {str(word): int(count) for word, count in pd.Series(words).value_counts().head(10).items()}
