"""The charts that stand beside a model: what each level weighs, how often it is met, and what a weight has meant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipelines.match.calibrate import Calibration
from pipelines.match.models import Model
from pipelines.warehouse import Warehouse


def draw(model: Model, scratch: Warehouse) -> dict[str, str]:
    """File name → the chart as a page that needs nothing from elsewhere."""
    from splink.internals.html_utils import chart_html  # noqa: PLC0415 - takes a second, and only training draws

    visualisations = model.engine(scratch).linker.visualisations
    return {
        "match_weights.html": visualisations.match_weights_chart().to_html(inline=True),
        "m_u_parameters.html": visualisations.m_u_parameters_chart().to_html(inline=True),
        "reliability.html": chart_html(reliability_chart(model.calibration).to_dict(), inline=True, fullhtml=True),
    }


def reliability_chart(calibration: Calibration) -> Any:
    """Points: at each weight, the share of pairs whose held-out numbers agree. Lines: the curves fitted to them."""
    import altair  # noqa: PLC0415 - takes a second, and only training draws

    weights = np.linspace(-10, 30, 161)
    lines = pd.concat(
        pd.DataFrame(
            {
                "curve": name,
                "weight": weights,
                "share": 1 / (1 + np.exp(-(curve.intercept + curve.slope * weights * np.log(2)))),
            }
        )
        for name, curve in calibration.curves.items()
    )
    measured = pd.DataFrame(calibration.measured, columns=["curve", "weight", "pairs", "agreeing"])
    measured = measured.assign(weight=np.floor(measured["weight"].astype(float)) + 0.5)
    points = measured.groupby(["curve", "weight"], as_index=False).sum()
    points["share"] = points["agreeing"] / points["pairs"]
    x = altair.X("weight:Q", title="match weight without identity numbers (bits)", scale=altair.Scale(domain=[-10, 30]))
    y = altair.Y("share:Q", title="one person", axis=altair.Axis(format="%"))
    drawn = altair.Chart(lines).mark_line().encode(x=x, y=y, color="curve:N", strokeDash="curve:N")
    seen = (
        altair.Chart(points[points["weight"] < 30])
        .mark_point(filled=True)
        .encode(x=x, y=y, color="curve:N", shape="curve:N", size=altair.Size("pairs:Q", scale=altair.Scale(type="log")))
    )
    title = "What a match weight has meant: pairs whose identity numbers, held out, agree"
    return (drawn + seen).properties(title=title, width=700, height=400)
