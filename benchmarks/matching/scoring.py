"""What final clusters and surest pairs are worth, with the truth in hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.matching.data import LabelledFile

HOUSEHOLD_KINDS = ("couple", "twin", "sibling", "parent_and_child", "shared_house", "care_home")
HARD_KINDS = ("confusion", *HOUSEHOLD_KINDS, "namesake")
Rows = np.ndarray


@dataclass(frozen=True)
class Score:
    """Pairwise, 0 to 1; the precision of no pairs is None.

    `hard`: kind of hard negative → how many such pairs share a cluster, and how many there are.
    """

    precision: float | None
    recall: float
    f1: float
    top_precision: float | None
    top_recall: float
    hard: dict[str, tuple[int, int]]


def score(file: LabelledFile, cluster: Rows, top: pd.DataFrame, negatives: pd.DataFrame | None = None) -> Score:
    """Compare `cluster`, one entry a row, and the pairs `top` (*left_row*, *right_row*) with the truth."""
    person = file.person
    both = pd.DataFrame({"cluster": cluster, "person": person}).groupby(["cluster", "person"]).size().to_numpy()
    true, joined, right = _pairs(_sizes(person)), _pairs(_sizes(cluster)), _pairs(both)
    sure = int((person[top["left_row"]] == person[top["right_row"]]).sum())
    return Score(
        precision=right / joined if joined else None,
        recall=right / true if true else 1.0,
        f1=2 * right / (joined + true) if joined + true else 1.0,
        top_precision=sure / len(top) if len(top) else None,
        top_recall=sure / true if true else 1.0,
        hard=_merged(hard_negatives(file) if negatives is None else negatives, cluster),
    )


def hard_negatives(file: LabelledFile) -> pd.DataFrame:
    """Pairs of rows that are two people and easily taken for one: *left_row*, *right_row*, *kind*; none without kinds.

    - `confusion`: the same Social Services Reference within a council, or the same NHS number, exactly as sent;
    - a kind of household: both live in one such;
    - `namesake`: strangers whom the sample gave one name, of the same forename and surname as sent but for case.

    A pair that is several of these counts under the first.
    """
    if file.households is None:
        return pd.DataFrame({"left_row": [], "right_row": [], "kind": []})
    records, kind = file.records, file.households["kind"]
    whole_name = (records["Forename"] + "|" + records["Surname"]).str.lower()
    reference = records["SocialServicesRef"].where(records["SocialServicesRef"] != "")
    household = file.households["household_id"].where(file.households["household_id"] != "")
    parts = [
        _sharing(reference + "|" + records["AuthorityCode"]).assign(kind="confusion"),
        _sharing(records["NHSNumber"].where(records["NHSNumber"] != "")).assign(kind="confusion"),
        _of_one_household(household, kind),
        _sharing(whole_name.where(kind == "namesake")).assign(kind="namesake"),
    ]
    pairs = pd.concat(parts, ignore_index=True).drop_duplicates(["left_row", "right_row"])
    two_people = file.person[pairs["left_row"]] != file.person[pairs["right_row"]]
    negatives: pd.DataFrame = pairs[two_people].reset_index(drop=True)
    return negatives


def _of_one_household(household: pd.Series, kind: pd.Series) -> pd.DataFrame:
    """A household is of the kind of its records; those that are harder still (confusions) do not say it."""
    told = kind.isin(HOUSEHOLD_KINDS)
    kind_of = kind[told].groupby(household[told]).first()
    pairs = _sharing(household)
    return pairs.assign(kind=household[pairs["left_row"]].map(kind_of).to_numpy()).dropna()


def _sharing(values: pd.Series) -> pd.DataFrame:
    """Pairs of rows with the same value; missing values are shared by nobody."""
    held = pd.DataFrame({"value": values.to_numpy(), "row": np.arange(len(values))}).dropna()
    pairs = held.merge(held, on="value", suffixes=("_left", "_right")).query("row_left < row_right")
    return pd.DataFrame({"left_row": pairs["row_left"].to_numpy(), "right_row": pairs["row_right"].to_numpy()})


def _merged(negatives: pd.DataFrame, cluster: Rows) -> dict[str, tuple[int, int]]:
    left, right = (cluster[negatives[side].to_numpy(dtype=np.int64)] for side in ("left_row", "right_row"))
    by_kind = pd.Series(left == right).groupby(negatives["kind"].to_numpy()).agg(["sum", "size"])
    return {
        kind: (int(by_kind["sum"][kind]), int(by_kind["size"][kind])) for kind in HARD_KINDS if kind in by_kind.index
    }


def _sizes(groups: Rows) -> Rows:
    return np.unique(groups, return_counts=True)[1]


def _pairs(sizes: Rows) -> int:
    return int((sizes * (sizes - 1) // 2).sum())
