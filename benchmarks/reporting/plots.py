"""Draw the kept figures: ``python -m benchmarks.reporting.plots`` renews the pictures in ``benchmarks/plots/``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair
import pandas as pd

from benchmarks.reporting.figures import read
from benchmarks.stages import STAGES

PLOTS = Path(__file__).parents[1] / "plots"
# Okabe and Ito's colours, which colour-blind readers tell apart; each is another dash or shape too.
OURS, PEER, THIRD = "#0072B2", "#D55E00", "#009E73"


def main() -> None:
    """Draw what there are figures of; gives the names of the pictures."""
    PLOTS.mkdir(exist_ok=True)
    for name, draw in {"dedupe": dedupe, "nights": nights, "stages": stages, "merging": merging}.items():
        chart = draw()
        if chart is not None:
            chart.save(PLOTS / f"{name}.svg")
            print(PLOTS / f"{name}.svg")


def dedupe() -> Any:
    """CPU seconds of finding all duplicates, by records; each point with its F1."""
    rows = []
    for parts in read("scale").values():
        if not isinstance(parts, dict) or "first_match" not in parts:
            continue
        for who, part, scored in (
            ("oneclient: train, score, judge, cluster", "first_match", "no_news"),
            ("plain Splink: train, predict", "plain_splink", "plain_splink"),
        ):
            if parts.get(part):
                found = parts[part]
                rows.append(
                    {
                        "who": who,
                        "records": parts["make_register"]["records"],
                        "seconds": found["cpu"],
                        "says": f"{found['cpu']:,.0f} s, F1 {parts[scored]['f1']:.3f}",
                    }
                )
    if not rows:
        return None
    base = altair.Chart(pd.DataFrame(rows)).encode(
        x=altair.X(
            "records:Q",
            scale=altair.Scale(type="log", domain=[5e4, 1e7]),
            title="records",
            axis=altair.Axis(format="~s"),
        ),
        y=altair.Y("seconds:Q", scale=altair.Scale(type="log"), title="CPU seconds"),
        color=altair.Color(
            "who:N",
            scale=altair.Scale(range=[OURS, PEER]),
            legend=altair.Legend(orient="top", labelLimit=400),
            title=None,
        ),
    )
    line = base.mark_line().encode(strokeDash=altair.StrokeDash("who:N", title=None, legend=None))
    said = [
        base.transform_filter(f"indexof(datum.who, '{who}') == 0")
        .mark_text(align=align, dx=shift, dy=low, fontSize=11)
        .encode(text="says:N")
        for who, align, shift, low in (("oneclient", "left", 8, 14), ("plain", "right", -8, -10))
    ]
    points = base.mark_point(filled=True, size=70).encode(shape=altair.Shape("who:N", title=None, legend=None))
    return altair.layer(line, points, *said).properties(
        width=620, height=360, title="All duplicates of a register, the model trained on the way"
    )


def nights() -> Any:
    """CPU seconds of a night's matching, by records in the register; one line for each amount of news."""
    rows = [
        {"news": int(part.removeprefix("new_")), "records": parts["make_register"]["records"], "seconds": told["cpu"]}
        for parts in read("scale").values()
        if isinstance(parts, dict)
        for part, told in parts.items()
        if part.startswith("new_")
    ]
    if not rows:
        return None
    frame = pd.DataFrame(rows)
    frame["new records"] = frame["news"].map("{:,}".format)
    base = altair.Chart(frame).encode(
        x=altair.X(
            "records:Q",
            scale=altair.Scale(type="log", domain=[5e4, 1e7]),
            title="records in the register",
            axis=altair.Axis(format="~s"),
        ),
        y=altair.Y("seconds:Q", scale=altair.Scale(type="log", domain=[0.5, 30]), title="CPU seconds"),
        color=altair.Color("new records:N", scale=altair.Scale(range=[OURS, PEER, THIRD]), sort=None),
        shape=altair.Shape("new records:N", sort=None),
    )
    few = min(frame["news"])
    text = [
        base.transform_filter(f"datum.news {which} {few}")
        .mark_text(dy=low)
        .encode(text=altair.Text("seconds:Q", format=".1f"))
        for which, low in (("==", 14), ("!=", -12))
    ]
    return altair.layer(base.mark_line(), base.mark_point(filled=True, size=70), *text).properties(
        width=620, height=320, title="What a night of new records costs to match"
    )


def stages() -> Any:
    """CPU seconds of each stage of a first night, beside its bare statement."""
    kept = read("stages")
    if not kept:
        return None
    size, found = max(kept.items(), key=lambda one: sum(stage["cpu"] for stage in one[1]["stages"].values()))
    rows = [
        {"stage": stage, "what": what, "seconds": seconds}
        for stage in STAGES
        for what, seconds in (
            ("oneclient", found["stages"][stage]["cpu"]),
            ("bare DuckDB statement", found["bare"].get(stage)),
        )
        if seconds
    ]
    return (
        altair.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            y=altair.Y("stage:N", sort=[*STAGES], title=None),
            yOffset=altair.YOffset("what:N", sort=["oneclient", "bare DuckDB statement"]),
            x=altair.X("seconds:Q", title="CPU seconds"),
            color=altair.Color(
                "what:N",
                scale=altair.Scale(domain=["oneclient", "bare DuckDB statement"], range=[OURS, PEER]),
                legend=altair.Legend(orient="top"),
                title=None,
            ),
        )
        .properties(width=620, height=altair.Step(14), title=f"A first night of {size}, stage by stage")
    )


def merging() -> Any:
    """Seconds of moving visits by a merge run, beside one bare UPDATE of the same rows."""
    rows = []
    for name, told in read("merging").items():
        for what, seconds in (
            ("bare UPDATE", told["bare"]["update"]),
            ("all partitions", told["apply"]["partitions"]),
            ("one month", told["month"]["partitions"]),
            ("undo", told["undo"]["partitions"]),
        ):
            rows.append({"run": name, "what": what, "seconds": seconds})
    if not rows:
        return None
    order = ["bare UPDATE", "all partitions", "one month", "undo"]
    return (
        altair.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            y=altair.Y("what:N", sort=order, title=None),
            x=altair.X("seconds:Q", title="seconds"),
            color=altair.Color("what:N", sort=order, scale=altair.Scale(range=[PEER, OURS, OURS, THIRD]), legend=None),
            row=altair.Row(
                "run:N", title=None, sort=None, header=altair.Header(labelOrient="top", labelAnchor="start")
            ),
        )
        .properties(width=620, height=90, title="Moving the visits of merged clients")
        .resolve_scale(x="independent")
    )


if __name__ == "__main__":
    main()
