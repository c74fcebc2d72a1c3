"""Hold the matcher against a known truth: the feeds that ``sample`` makes, or any labelled file.

A labelled file goes through the same standardising, model, thresholds and clustering as the night, trained on that file
without its truth column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.match.blocking import blocking_conditions
from pipelines.match.cluster import clusters_of
from pipelines.match.judge import judge
from pipelines.match.labelled import load_labelled
from pipelines.match.model import comparisons_for
from pipelines.match.models import Model
from pipelines.match.train import train_on
from pipelines.settings import TIERS, Settings, SettingsError
from pipelines.warehouse import Warehouse, open_warehouse, scratch_warehouse

BANDS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0)

Ids = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


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
    ``blocking``: for each rule, most selective first, the pairs it generates and the recall of true pairs up to there.
    ``reliability``: pairs by the match probability said of them, with the share that is true. ``hard_negatives``: kind
    → pairs of two people easily taken for one, and how many of them came into each tier and into one cluster.
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
    blocking: list[dict[str, Any]]
    reliability: list[dict[str, Any]]
    hard_negatives: dict[str, dict[str, int]]
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
    with scratch_warehouse(settings) as scratch:
        labelled = load_labelled(scratch, settings, records, mapping, [truth])
        if not comparisons_for(labelled.columns):
            raise SettingsError(
                "The file has no row, or none of its columns is filled enough to compare records by.", code="S5"
            )
        model = train_on(scratch, labelled.columns, settings.match)
        scored = _score(scratch, settings, model)
        people = pd.factorize(labelled.withheld[truth])[0].astype(np.int64)
        _label(scratch, people)
        evaluation, pairs = _compare(scratch, scored, people, labelled.roles, model)
    if pairs_out:
        pq.write_table(pa.Table.from_pandas(pairs, preserve_index=False), pairs_out)
    return evaluation


def _score(scratch: Warehouse, settings: Settings, model: Model) -> pd.DataFrame:
    """The pairs that training scored, with levels and weights, calibrated probability, tier and relation."""
    judge(scratch, model.comparisons, model.calibration, settings.match, "scored_pairs", "records")
    return scratch.frame(
        "select p.*, j.match_probability, j.calibrated_weight, j.relation, j.at_most, j.tier"
        " from scored_pairs as p join judged as j using (left_id, right_id) order by left_id, right_id"
    )


def _label(scratch: Warehouse, people: Ids) -> None:
    """Temporary view ``labelled``: the records with the person each one is."""
    labels = pd.DataFrame({"client_id": np.arange(len(people)), "person": people})
    with scratch.relation("labels", labels):
        scratch.execute("create or replace temp table persons as select * from labels")
    scratch.execute("create or replace temp view labelled as from records join persons using (client_id)")


def _blocking(scratch: Warehouse, model: Model, true_pairs: int) -> list[dict[str, Any]]:
    """For each blocking rule of the model: pairs generated, and recall of true pairs by it and those before it."""
    rules = [f"coalesce({rule}, false)" for rule in blocking_conditions(model.blocking)]
    first = " ".join(f"when {rule} then {number}" for number, rule in enumerate(rules))
    found = dict(
        scratch.rows(
            f"select case {first} end as rule, count(*) from labelled as l join labelled as r"
            " on l.person = r.person and l.client_id < r.client_id group by rule"
        )
        if rules
        else []
    )
    recalled = accumulate(found.get(number, 0) for number in range(len(rules)))
    return [
        {"rule": name, "pairs": pairs, "recall": so_far / true_pairs if true_pairs else 1.0}
        for (name, pairs), so_far in zip(model.blocking.items(), recalled, strict=True)
    ]


def _reliability(probability: Floats, is_true: Flags) -> list[dict[str, Any]]:
    """Pairs between two probabilities: how many, how probable they were said to be, and how many of them are true."""
    band = np.digitize(probability, BANDS[1:-1])
    return [
        {
            "from": low,
            "to": high,
            "pairs": int((band == number).sum()),
            "said": float(probability[band == number].mean()),
            "true": float(is_true[band == number].mean()),
        }
        for number, (low, high) in enumerate(pairwise(BANDS))
        if (band == number).any()
    ]


def _hard_negatives(scratch: Warehouse, cluster: Ids) -> dict[str, dict[str, int]]:
    clustered = pd.DataFrame({"client_id": np.arange(len(cluster)), "cluster": cluster})
    with scratch.relation("final_clusters", clustered):
        scratch.execute("create or replace temp table in_cluster as select * from final_clusters")
    counted = scratch.work_frame("matched.hard_negatives")
    return {row["kind"]: {str(name): int(row[name]) for name in counted.columns[1:]} for _, row in counted.iterrows()}


def _compare(
    scratch: Warehouse, scored: pd.DataFrame, people: Ids, roles: Mapping[str, str], model: Model
) -> tuple[Evaluation, pd.DataFrame]:
    left, right = scored["left_id"].to_numpy(), scored["right_id"].to_numpy()
    is_true = people[left] == people[right]
    true_pairs = _pairs_in(people)
    cluster = np.arange(len(people))
    joined = clusters_of(zip(left.tolist(), right.tolist(), scored["calibrated_weight"].tolist(), strict=True))
    cluster[list(joined)] = list(joined.values())
    both = pd.DataFrame({"cluster": cluster, "person": people}).groupby(["cluster", "person"]).size()
    clusters = _score_of(int((both * (both - 1) // 2).sum()), _pairs_in(cluster), true_pairs)
    tiers = {}
    for number, tier in enumerate(TIERS):
        taken = scored["tier"].isin(TIERS[: number + 1]).to_numpy()
        tiers[tier] = _score_of(int(is_true[taken].sum()), int(taken.sum()), true_pairs)
    threshold, best = _best(scored["match_probability"].to_numpy(), is_true, true_pairs)
    same_cluster = cluster[left] == cluster[right]
    blocking = _blocking(scratch, model, true_pairs)
    recall = blocking[-1]["recall"] if blocking else 0.0
    evaluation = Evaluation(
        records=len(people),
        true_pairs=true_pairs,
        roles=dict(roles),
        model_version=model.version,
        clusters=clusters,
        tiers=tiers,
        best_threshold=threshold,
        best=best,
        blocking_recall=recall,
        blocking=blocking,
        reliability=_reliability(scored["match_probability"].to_numpy(), is_true),
        hard_negatives=_hard_negatives(scratch, cluster),
        missed_for=_reasons(scored[is_true & ~same_cluster], model, against=True)
        | {"no blocking rule": round(true_pairs * (1 - recall))},
        false_for=_reasons(scored[~is_true & same_cluster], model, against=False),
    )
    return evaluation, _pairs_of(scored, cluster, same_cluster)


def _pairs_of(scored: pd.DataFrame, cluster: Ids, same: Flags) -> pd.DataFrame:
    pairs = scored[["left_id", "right_id", "match_probability", "tier"]].assign(same_cluster=same)
    pairs = pairs[pairs["tier"].notna() | pairs["same_cluster"]]
    members = pd.DataFrame({"cluster": cluster, "row": np.arange(len(cluster), dtype=np.int32)})
    together = members.merge(members, on="cluster", suffixes=("_l", "_r")).query("row_l < row_r")
    together = together.rename(columns={"row_l": "left_id", "row_r": "right_id"})[["left_id", "right_id"]]
    every = together.merge(pairs.astype({"left_id": "int32", "right_id": "int32"}), how="outer")
    every["same_cluster"] = every["same_cluster"].fillna(True).astype(bool)
    return every.rename(columns={"left_id": "left_row", "right_id": "right_row"})


def _pairs_in(groups: Ids) -> int:
    sizes = np.unique(groups, return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum())


def _score_of(true: int, taken: int, true_pairs: int) -> Score:
    precision = true / taken if taken else 1.0
    recall = true / true_pairs if true_pairs else 1.0
    return Score(precision, recall, 2 * true / (taken + true_pairs) if taken + true_pairs else 1.0, taken)


def _best(probability: Floats, is_true: Flags, true_pairs: int) -> tuple[float, Score]:
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
