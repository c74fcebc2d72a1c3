"""The candidate report as one HTML page that needs nothing from elsewhere."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from jinja2 import Environment

from pipelines.merge.outcomes import other_ways
from pipelines.merge.preview import say_enrolment, say_pounds
from pipelines.publishing import pages
from pipelines.review import words
from pipelines.review.contents import Candidate, Cluster, Comparison, Report
from pipelines.review.mask import mask_candidate, mask_cluster, mask_report
from pipelines.settings import TIERS

TEMPLATES = pages.TEMPLATES
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
    """The report as a page with at most ``most`` candidates on it that wait for people, and as many that are settled.

    With ``mask`` it is fit to leave the building.
    """
    waiting = [candidate for candidate in report.candidates if not candidate.settled]
    settled = [candidate for candidate in report.candidates if candidate.settled]
    shown = replace(report, candidates=(*waiting[:most], *settled[:most]), clusters=report.clusters[:most])
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=mask_report(shown) if mask else shown,
            candidates_in_all=len(waiting),
            clusters_in_all=len(report.clusters),
            misses=Counter(miss.reason for miss in report.misses).most_common(),
            masked=mask,
        )
    )


def render_candidate(candidate: Candidate, *, mask: bool = False) -> str:
    """One candidate as it stands on the page, without a frame: an ``article`` for a page with the same styles."""
    case: Any = environment().get_template("case.html.j2").module
    return str(case.candidate(mask_candidate(candidate) if mask else candidate, 1))


def render_cluster(cluster: Cluster, *, mask: bool = False) -> str:
    """One cluster as it stands on the page, without a frame."""
    case: Any = environment().get_template("case.html.j2").module
    return str(case.cluster(mask_cluster(cluster) if mask else cluster, "k1"))


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


@cache
def environment() -> Environment:
    """The templates' environment; ``case.html.j2`` holds the macros that show one case on any page."""
    made = pages.new_environment()
    made.filters |= {
        "against": words.say_against,
        "because": words.say_because,
        "bits": words.say_bits,
        "how_made": words.how_made,
        "in_order": words.in_order,
        "other_ways": other_ways,
        "pounds": say_pounds,
        "probability": words.say_probability,
        "waterfall": waterfall,
        "alias": words.say_alias,
        "contact": words.say_contact,
        "detail": words.say_detail,
        "enrolment": say_enrolment,
        "order": words.say_order,
        "reference": words.say_reference,
        "source_row": words.say_source_row,
        "visits": words.say_visits,
    }
    made.globals |= {
        "BONDS": words.BONDS,
        "CHOICES": words.CHOICES,
        "FATES": words.FATES,
        "FATE_WORDS": words.FATE_WORDS,
        "FILE_MARKS": words.FILE_MARKS,
        "MADE_HOW": tuple(words.MADE_HOW),
        "MARKS": words.MARKS,
        "NOT_PROPOSED": words.NOT_PROPOSED,
        "NAMED_FIELDS": ("Profile", "Contacts", "Aliases"),
        "TIERS": TIERS,
    }
    return made
