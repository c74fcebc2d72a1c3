"""The candidate report as one HTML page that needs nothing from elsewhere, and how a report is put into words."""

from __future__ import annotations

import math
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from pipelines.review.contents import TIERS, Candidate, Comparison, Report
from pipelines.review.mask import mask_report

TEMPLATES = Path(__file__).parent / "templates"
MADE_HOW = {
    "new_reference": "a council reference that nobody had",
    "missing_reference": "no council reference was given",
    "reference_of_someone_else": "its council reference belongs to someone else",
    "id_only": "a visit or an enrolment names a rostering id that no client export has sent yet",
}
MARKS = {"same": "=", "close": "≈", "different": "≠", "missing": "?"}
FILE_MARKS = {"loaded": "✓", "repeated": "↻", "quarantined": "✕"}
FAR = 1000.0


@dataclass(frozen=True)
class Step:
    """One bar of the waterfall. ``left`` and ``width`` are per cent of the picture's width."""

    comparison: Comparison | None
    weight: float
    total: float
    left: float
    width: float


@dataclass(frozen=True)
class Waterfall:
    """From the odds before looking to the candidate's weight, a step a comparison. ``zero``: even odds, in per cent."""

    start: Step | None
    steps: tuple[Step, ...]
    zero: float


def render_page(report: Report, *, most: int, mask: bool = False) -> str:
    """The report as a page with at most ``most`` candidates on it; with ``mask``, fit to leave the building."""
    shown = replace(report, candidates=report.candidates[:most])
    return _template().render(
        report=mask_report(shown) if mask else shown,
        candidates_in_all=len(report.candidates),
        misses=Counter(miss.reason for miss in report.misses).most_common(),
        masked=mask,
    )


def how_made(made_how: str) -> str:
    """Why a client record was made new, in words."""
    return MADE_HOW.get(made_how, made_how.replace("_", " "))


def say_bits(weight: float) -> str:
    """A weight with its sign: ``+3.2``, ``−4.1``."""
    if not math.isfinite(weight):
        return "unknown" if math.isnan(weight) else f"{'+' if weight > 0 else '−'}∞"
    rounded = f"{weight:+.1f}"
    return "0.0" if rounded in {"+0.0", "-0.0"} else rounded.replace("-", "−")


def say_probability(probability: float) -> str:
    """A probability that never rounds to certainty."""
    if math.isnan(probability):
        return "unknown"
    if probability > 0.999:
        return "over 99.9%"
    return "under 0.1%" if probability < 0.001 else f"{probability:.1%}"


def in_order(counts: dict[str, int], order: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Counts in the given order, then any other by name."""
    for name in (*order, *sorted(counts.keys() - set(order))):
        if name in counts:
            yield name, counts[name]


def waterfall(candidate: Candidate) -> Waterfall:
    """How the candidate's weight came about. What its comparisons do not explain was there before they were made."""
    weights = [_drawable(comparison.weight) for comparison in candidate.comparisons]
    start = _drawable(candidate.weight) - math.fsum(weights)
    totals = [start]
    for weight in weights:
        totals.append(totals[-1] + weight)
    low, high = min(0.0, *totals), max(0.0, *totals)
    spread = high - low or 1.0

    def step(comparison: Comparison | None, weight: float, before: float, after: float) -> Step:
        left, width = (min(before, after) - low) / spread, abs(after - before) / spread
        return Step(comparison, weight, after, round(100 * left, 2), round(100 * width, 2))

    return Waterfall(
        step(None, start, 0.0, start) if abs(start) >= 0.05 else None,
        tuple(
            step(comparison, comparison.weight, before, after)
            for comparison, before, after in zip(candidate.comparisons, totals, totals[1:], strict=False)
        ),
        round(100 * -low / spread, 2),
    )


def _drawable(weight: float) -> float:
    return 0.0 if math.isnan(weight) else max(-FAR, min(FAR, weight))


def _say_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _content_hash(content: str) -> str:
    """Of an inline style or script, as a Content-Security-Policy names it."""
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bits": say_bits,
        "content_hash": _content_hash,
        "count": "{:,}".format,
        "day": _say_day,
        "how_made": how_made,
        "in_order": in_order,
        "probability": say_probability,
        "waterfall": waterfall,
    }
    environment.globals |= {"MARKS": MARKS, "FILE_MARKS": FILE_MARKS, "MADE_HOW": tuple(MADE_HOW), "TIERS": TIERS}
    return environment.get_template("report.html.j2")
