"""What a match weight has meant: measured on the register itself, without labels.

A valid NHS number, or any number that one person alone has, is the register's own answer key. It is held out: numbered
records are scored by everything else, and at each weight it is counted how often the numbers agree. From that follows
the probability that a weight really stands for (a logistic curve, Platt 1999, with a share of wrong numbers), and where
a tier begins. One curve is for pairs that a relation explains (couples, twins), another for all others. Too few numbers
leave a curve near the shipped one, and widen the doubt that the tiers are drawn with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.match.comparisons import Comparison
from pipelines.settings import MatchSettings
from pipelines.warehouse import Warehouse

CURVES = ("plain", "related")
CAUTION = 1.0
MARGINAL_RISK = 40.0
MOST_RISK = 0.2
SURE_ENOUGH = 40.0

_WRONG_NUMBER = (2.0, 98.0)
_SHARED_NUMBER = (1.0, 999.0)
_STEP = 1e-3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """From a weight without identity numbers (natural log of odds) to the log-odds that it stands for.

    Log-odds = ``intercept`` + ``slope`` x weight; the variances say how far measurement leaves both in doubt. ``pairs``
    were measured, and ``wrong_numbers`` is the share of one person's records whose numbers differ.
    """

    intercept: float
    slope: float
    var_intercept: float
    covariance: float
    var_slope: float
    pairs: int = 0
    wrong_numbers: float = 0.0


SHIPPED = {
    "plain": Curve(0.4, 0.8, 0.5**2, 0.0, 0.15**2),
    "related": Curve(-1.7, 0.6, 1.0**2, 0.0, 0.15**2),
}


@dataclass(frozen=True)
class Calibration:
    """The curves by name; ``measured``: what they were fitted to (curve, weight in bits, pairs, agreeing); and for each
    tier what its precision would be wherever it began (tier, begins_at in bits, pairs, expected_false)."""

    curves: Mapping[str, Curve]
    measured: Sequence[Mapping[str, Any]] = ()
    tier_precision: Sequence[Mapping[str, Any]] = ()

    def as_dict(self) -> dict[str, Any]:
        """For ``model.json``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Calibration:
        """From ``model.json``."""
        curves = {name: Curve(**curve) for name, curve in written["curves"].items()}
        return cls(curves, written["measured"], written["tier_precision"])

    def tier_begins(self, tier: str, precision: float) -> float:
        """The least weight (bits) at which a tier of that precision begins.

        Of all its pairs no more than ``1 - precision`` are expected to be two people, and of those at its very edge no
        more than forty times that share, or one in five. Where there was no pair to measure, the edge has it itself.
        """
        edge = _bits(1 - min(MARGINAL_RISK * (1 - precision), MOST_RISK))
        fine = [
            row["begins_at"]
            for row in self.tier_precision
            if row["tier"] == tier and row["begins_at"] >= edge and row["expected_false"] <= 1 - precision
        ]
        return max(edge, min(fine)) if fine else _bits(precision)


def number_weight(comparisons: Sequence[Comparison]) -> str:
    """SQL for the weight (bits) of a pair's identity numbers."""
    return " + ".join([f"weight_{c.name}" for c in comparisons if c.identifies]) or "0.0"


def number_level(comparisons: Sequence[Comparison]) -> str:
    """SQL for what the identity numbers of a pair say: ``same``, ``different``, ``close`` or ``missing``.

    A number without a check digit that differs by a slip is taken for the same one.
    """
    levels = [
        f"case level_{c.name} when 'missing' then null "
        + " ".join(f"when '{name}' then 'same'" for name in c.identifies)
        + f" else level_{c.name} end"
        for c in comparisons
        if c.identifies
    ]
    return f"coalesce({', '.join([*levels, repr('missing')])})"


def fit_curves(counted: pd.DataFrame) -> tuple[dict[str, Curve], list[dict[str, Any]]]:
    """Both curves, fitted to counts (``curve``, ``weight`` in bits, ``pairs``, ``agreeing``), and those counts."""
    summed = counted.groupby(["curve", "weight"], as_index=False)[["pairs", "agreeing"]].sum()
    curves = {name: fit(summed[summed["curve"] == name], SHIPPED[name]) for name in CURVES}
    return curves, rows_of(summed)


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as JSON can hold them."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def fit(counted: pd.DataFrame, shipped: Curve) -> Curve:
    """The likeliest curve given the counts (``weight`` in bits, ``pairs``, ``agreeing``) and the shipped one."""
    if counted.empty:
        return shipped
    weight = counted["weight"].to_numpy(float) * np.log(2)
    pairs, agreeing = counted["pairs"].to_numpy(float), counted["agreeing"].to_numpy(float)
    # A curve on which wrong and shared numbers are as rare as they mostly are.
    start = np.array([shipped.intercept, np.log(shipped.slope), _log_odds(0.02), _log_odds(0.001)])

    def surprise(at: Floats) -> float:
        return _surprise(at, shipped, weight, pairs, agreeing)

    from scipy.optimize import minimize  # noqa: PLC0415 - takes a second, and only training needs it

    found = minimize(surprise, start, method="Nelder-Mead", options={"maxiter": 4000, "maxfev": 8000}).x
    doubt = np.linalg.pinv(_curvature(surprise, found))[:2, :2]
    slope = float(np.exp(found[1]))
    return Curve(
        float(found[0]), slope, float(doubt[0, 0]), float(doubt[0, 1]) * slope, float(doubt[1, 1]) * slope**2,
        int(pairs.sum()), float(_share(found[2])),
    )  # fmt: skip


def write_curves(warehouse: Warehouse, curves: Mapping[str, Curve]) -> None:
    """Temporary table ``calibration``: a row for each curve, as ``judged.sql`` joins it."""
    frame = pd.DataFrame([{"curve": name, **asdict(curve)} for name, curve in curves.items()])
    with warehouse.relation("curves", frame):
        warehouse.execute("create or replace temp table calibration as select * from curves")


def judging(calibration: Calibration, settings: MatchSettings) -> dict[str, float]:
    """The parameters of ``judged.sql``: where each tier begins."""
    return {
        "caution": CAUTION,
        "near_certain": calibration.tier_begins("near-certain", settings.near_certain),
        "likely": calibration.tier_begins("likely", settings.likely),
        "possible": settings.possible,
    }


def quality(calibration: Calibration, settings: MatchSettings) -> dict[str, Any]:
    """How good the tiers are, as measured on the register itself.

    For each tier: where it begins (bits), the pairs that it holds in training and the share of them expected to be two
    people; beside it, of pairs with numbers, held out, that weigh as much: how many there were, and the share whose
    numbers agree, wrong numbers taken off. The latter is None where no pair has numbers.
    """
    told = {}
    for tier, precision in (("near-certain", settings.near_certain), ("likely", settings.likely)):
        begins = calibration.tier_begins(tier, precision)
        held = [row for row in calibration.tier_precision if row["tier"] == tier and row["begins_at"] >= begins]
        pairs, agreeing = _held_out_from(calibration, begins)
        told[tier] = {
            "begins_at_bits": begins,
            "pairs": max((row["pairs"] for row in held), default=0),
            "expected_false": max(held, key=lambda row: row["pairs"])["expected_false"] if held else None,
            "pairs_with_numbers": pairs,
            "numbers_agree": agreeing / pairs if pairs else None,
        }
    return told


def _held_out_from(calibration: Calibration, begins: float) -> tuple[int, float]:
    """Plain pairs with numbers from a calibrated weight (bits) on; how many agree, wrong numbers made up for."""
    curve = calibration.curves["plain"]
    at = [row for row in calibration.measured if row["curve"] == "plain"]
    above = [row for row in at if curve.intercept / np.log(2) + curve.slope * row["weight"] >= begins]
    pairs = sum(row["pairs"] for row in above)
    return pairs, min(sum(row["agreeing"] for row in above) / (1 - curve.wrong_numbers), pairs)


def _surprise(at: Floats, shipped: Curve, weight: Floats, pairs: Floats, agreeing: Floats) -> float:
    """Minus the log of the posterior of (intercept, log slope, log-odds of a wrong and of a shared number)."""
    intercept, log_slope = at[0], np.clip(at[1], -4, 4)
    wrong, shared = _share(at[2]), _share(at[3])
    match = _share(np.clip(intercept + np.exp(log_slope) * weight, -SURE_ENOUGH, SURE_ENOUGH))
    agree = np.clip((1 - wrong) * match + shared * (1 - match), 1e-12, 1 - 1e-12)
    seen = (agreeing * np.log(agree) + (pairs - agreeing) * np.log1p(-agree)).sum()
    believed = -((intercept - shipped.intercept) ** 2) / (2 * shipped.var_intercept)
    believed -= (log_slope - np.log(shipped.slope)) ** 2 / (2 * shipped.var_slope / shipped.slope**2)
    for share, (with_it, without) in ((wrong, _WRONG_NUMBER), (shared, _SHARED_NUMBER)):
        believed += (with_it - 1) * np.log(share) + (without - 1) * np.log1p(-share)
    return float(-seen - believed)


def _curvature(surprise: Any, at: Floats) -> Floats:
    """The matrix of second differences, whose inverse is the doubt about each parameter (Laplace's approximation)."""
    steps = np.eye(len(at)) * _STEP

    def second(one: Floats, other: Floats) -> float:
        corners = (at + one + other, at + one - other, at - one + other, at - one - other)
        values = [surprise(corner) for corner in corners]
        return float((values[0] - values[1] - values[2] + values[3]) / (4 * _STEP**2))

    return np.array([[second(one, other) for other in steps] for one in steps])


def _share(log_odds: Any) -> Any:
    return 1 / (1 + np.exp(-log_odds))


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _bits(probability: float) -> float:
    return _log_odds(probability) / float(np.log(2))
