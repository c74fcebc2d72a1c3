"""Small charts as shapes that a template draws: stacked bars for what happens in a period, lines for how things stand.

Coordinates are those of a picture of ``WIDTH`` by ``HEIGHT``; what they show stands in a table beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

WIDTH, HEIGHT = 380, 190
LEFT, RIGHT, TOP, BOTTOM = 40, 6, 10, 24
LABELS = 5  # as many as can be read beside each other on a narrow screen
COLOURS = 7

Kind = Literal["bars", "lines"]
Value = float | None


@dataclass(frozen=True)
class Series:
    """One name with a value for each period; None where nothing is known."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Chart:
    """What one chart shows. ``base`` is where its axis begins; ``digits`` are behind the point."""

    key: str
    title: str
    says: str
    kind: Kind
    periods: tuple[str, ...]
    series: tuple[Series, ...]
    base: float = 0.0
    digits: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw: no value, or none but nought."""
        return not any(value for one in self.series for value in one.values)


@dataclass(frozen=True)
class Bar:
    """A part of a bar, in the colour of its series."""

    colour: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Path:
    """A line without a gap, in the colour of its series, with its points."""

    colour: int
    points: tuple[tuple[float, float], ...]

    @property
    def as_text(self) -> str:
        """As SVG has it."""
        return " ".join(f"{x},{y}" for x, y in self.points)


@dataclass(frozen=True)
class Drawing:
    """The shapes of a chart. ``ticks`` are heights with what they stand for; ``labels`` places with their period."""

    bars: tuple[Bar, ...]
    paths: tuple[Path, ...]
    ticks: tuple[tuple[float, float], ...]
    labels: tuple[tuple[float, str], ...]


def draw(chart: Chart) -> Drawing:
    """The shapes of a chart that is not empty."""
    stacked = chart.kind == "bars"
    columns = list(zip(*(one.values for one in chart.series), strict=True))
    heights = [sum(filter(None, column)) for column in columns] if stacked else [v for c in columns for v in c if v]
    ticks = _ticks(chart.base, max([*heights, chart.base]), chart.digits)
    slot = (WIDTH - LEFT - RIGHT) / len(chart.periods)

    def height_of(value: float) -> float:
        share = (value - chart.base) / (ticks[-1] - chart.base)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 2)

    def middle(period: int) -> float:
        return round(LEFT + (period + 0.5) * slot, 2)

    return Drawing(
        tuple(_bars(columns, slot, height_of)) if stacked else (),
        () if stacked else tuple(_paths(chart.series, middle, height_of)),
        tuple((height_of(tick), tick) for tick in ticks),
        tuple((middle(period), chart.periods[period]) for period in _labelled(len(chart.periods))),
    )


def _bars(columns: Sequence[tuple[Value, ...]], slot: float, height_of: Callable[[float], float]) -> Iterator[Bar]:
    for period, column in enumerate(columns):
        below = 0.0
        for colour, value in enumerate(column):
            if value:
                top, foot = height_of(below + value), height_of(below)
                x, width = LEFT + (period + 0.15) * slot, 0.7 * slot
                yield Bar(colour % COLOURS, round(x, 2), top, round(width, 2), round(foot - top, 2))
                below += value


def _paths(
    series: Sequence[Series], middle: Callable[[int], float], height_of: Callable[[float], float]
) -> Iterator[Path]:
    for colour, one in enumerate(series):
        for known, part in groupby(enumerate(one.values), key=lambda at: at[1] is not None):
            if known:
                yield Path(colour % COLOURS, tuple((middle(n), height_of(v)) for n, v in part if v is not None))


def _ticks(base: float, most: float, digits: int) -> list[float]:
    """Two to five round numbers from the base to the largest value or just above it."""
    spread = (most - base) or 10.0**-digits
    power = 10.0 ** math.floor(math.log10(spread / 2))
    step = next(nice * power for nice in (1, 2, 2.5, 5, 10) if nice * power * 4 >= spread)
    step = max(step, 10.0**-digits) if digits else max(1.0, math.ceil(step))
    return [round(base + n * step, digits + 1) for n in range(math.ceil(round(spread / step, 6)) + 1)]


def _labelled(periods: int) -> list[int]:
    """The periods that are named under the chart: all of a few, else some at even distances."""
    apart = -(-periods // LABELS)
    return list(range(0, periods, apart))
