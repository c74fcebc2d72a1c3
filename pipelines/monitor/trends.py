"""The page of trends: how the quality of what is sent, and what people made of it, went from night to night.

It follows from the figures of the nights alone, so it names nobody, and the same figures give the same page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment

from pipelines.monitor.charts import HEIGHT, LEFT, RIGHT, WIDTH, Chart, Series, draw
from pipelines.monitor.figures import Figure, figures
from pipelines.private import make_folder, whole_file
from pipelines.publishing import pages
from pipelines.settings import TIERS, Settings
from pipelines.turns import my_turn
from pipelines.warehouse import open_warehouse

NIGHTS_EACH = 62  # more of them are shown by month
MOST_NAMES = 6  # of one chart; the others are counted together
OTHERS = "others"
VERDICTS = ("same", "different", "unsure")


@dataclass(frozen=True)
class Unread:
    """Rows rejected, or cells left unread, for one column of one source, in all periods shown."""

    issuer: str
    feed: str
    column: str
    rejected: int
    unread: int


@dataclass(frozen=True)
class Trends:
    """All that the page shows. ``by`` is what a period is, ``first_found`` what the first night found, which took in
    the register as it was and would dwarf the others."""

    provider: str
    by: str
    nights: tuple[date, ...]
    first_found: int
    charts: tuple[Chart, ...]
    columns: tuple[Unread, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def gather_trends(settings: Settings, counted: Sequence[Figure]) -> Trends:
    """What the figures of all nights come to."""
    nights = sorted({one.night for one in counted if one.figure == "records"})
    by_month = len(nights) > NIGHTS_EACH
    over = Periods(nights, _month if by_month else _night if _within_a_year(nights) else _night_of_year)
    first = nights[:1] if len(nights) > 1 else []
    found = [one for one in counted if one.figure == "found" and one.night not in first]
    return Trends(
        provider=settings.provider,
        by="month" if by_month else "night",
        nights=tuple(nights),
        first_found=sum(one.count for one in counted if one.figure == "found" and one.night in first),
        charts=tuple(_charts(over, counted, found)),
        columns=tuple(_columns(one for one in counted if one.night in set(nights))),
    )


def publish_trends(settings: Settings, counted: Sequence[Figure]) -> Path:
    """Write the page; gives the file."""
    make_folder(settings.reports)
    page = render_trends(gather_trends(settings, counted))
    with my_turn(settings.reports), whole_file(settings.trends_page) as partial:
        partial.write(page.encode())
    return settings.trends_page


def trends_of(settings: Settings) -> tuple[Trends, Path]:
    """The trends of a home as it stands, and the page, published again."""
    with open_warehouse(settings) as warehouse:
        counted = figures(warehouse)
    return gather_trends(settings, counted), publish_trends(settings, counted)


def render_trends(trends: Trends) -> str:
    """The page: nothing from elsewhere, no script."""
    return _environment().get_template("trends.html.j2").render(trends=trends)


class Periods:
    """Nights, or months of them, in order: what happened in each, and how things stood at its end."""

    def __init__(self, nights: Sequence[date], name: Callable[[date], str]) -> None:
        self.of = {night: name(night) for night in nights}
        self.names = tuple(dict.fromkeys(self.of.values()))
        self.last = {period: night for night, period in self.of.items()}

    def happened(self, counted: Iterable[Figure]) -> tuple[float, ...]:
        """The sum in each period."""
        sums = Counter[str]()
        for one in counted:
            if one.night in self.of:
                sums[self.of[one.night]] += one.count
        return tuple(float(sums[period]) for period in self.names)

    def stood(self, counted: Iterable[Figure]) -> tuple[float, ...]:
        """The sum on the last night of each period."""
        sums = Counter[date]()
        for one in counted:
            sums[one.night] += one.count
        return tuple(float(sums[self.last[period]]) for period in self.names)

    def grew(self, counted: Iterable[Figure]) -> tuple[float, ...]:
        """By how much a count that only ever grows grew in each period, since the first night."""
        counted, first = list(counted), min(self.of, default=None)
        stood = (float(sum(one.count for one in counted if one.night == first)), *self.stood(counted))
        return tuple(max(0.0, after - before) for before, after in pairwise(stood))


def _charts(over: Periods, counted: Sequence[Figure], found: Sequence[Figure]) -> Iterable[Chart]:
    def of(figure: str, **named: str) -> list[Figure]:
        return [one for one in counted if one.figure == figure and all(getattr(one, k) == v for k, v in named.items())]

    refused = [*of("rejected"), *of("unread")]
    records, people = over.stood(of("records")), over.stood(of("people"))
    yield Chart(
        "found-by-sender", "Duplicates found, by who sent the record",
        "New client records that were made though a surely matching one was there. Fewer is better.",
        "bars", over.names, _each(found, "issuer", over.happened),
    )  # fmt: skip
    yield Chart(
        "found-by-cause", "Duplicates found, by why the import missed",
        "The same records, by what was wrong with the reference.",
        "bars", over.names, _each(found, "detail", over.happened),
    )  # fmt: skip
    yield Chart(
        "refused", "Rows rejected and cells unread, by source",
        "What could not be read of the files that came. The table below says in which column.",
        "bars", over.names, _each(refused, "issuer", over.happened),
    )  # fmt: skip
    yield Chart(
        "waiting", "Candidates that wait for people, by tier",
        "How many stood open at the end of the period.",
        "bars", over.names, tuple(Series(tier, over.stood(of("waiting", detail=tier))) for tier in TIERS),
    )  # fmt: skip
    yield Chart(
        "decisions", "Decisions recorded",
        "Verdicts that came into the log since the period before.",
        "bars", over.names, tuple(Series(said, over.grew(of("decisions", detail=said))) for said in VERDICTS),
    )  # fmt: skip
    yield Chart(
        "missed", "Pairs that matching missed",
        "Reviewers named these records themselves and said that they are one person; matching never proposed them.",
        "lines", over.names, (Series("missed", over.stood(of("not proposed", detail="same"))),),
    )  # fmt: skip
    yield Chart(
        "merges", "Merges that stand",
        "Signed off and carried out, and not taken back.",
        "lines", over.names, (Series("merges", over.stood(of("merges"))),),
    )  # fmt: skip
    yield Chart(
        "records-per-person", "Client records for each person",
        "An estimate: live records over people, where a cluster is taken for one person. 1 would be one record each.",
        "lines", over.names,
        (Series("records for each person", tuple(_ratio(r, p) for r, p in zip(records, people, strict=True))),),
        base=1.0, digits=2,
    )  # fmt: skip
    yield Chart(
        "confusions", "Numbers that stand on two people, by issuer",
        "Confusions: to be cleared up with whoever issued the number.",
        "bars", over.names, _each(of("confusions"), "issuer", over.stood),
    )  # fmt: skip


def _each(
    counted: Iterable[Figure], by: str, over: Callable[[Iterable[Figure]], tuple[float, ...]]
) -> tuple[Series, ...]:
    """A series for each issuer or detail, the largest first; those that have no place are counted together."""
    counted = list(counted)
    sizes = Counter[str]()
    for one in counted:
        sizes[getattr(one, by)] += one.count
    names = sorted(sizes, key=lambda name: (-sizes[name], name))
    shown = names if len(names) <= MOST_NAMES + 1 else names[:MOST_NAMES]
    series = [Series(name or "not known", over(c for c in counted if getattr(c, by) == name)) for name in shown]
    rest = [one for one in counted if getattr(one, by) not in shown]
    return (*series, *([Series(OTHERS, over(rest))] if rest else []))


def _columns(counted: Iterable[Figure]) -> list[Unread]:
    sums: dict[tuple[str, str, str], Counter[str]] = {}
    for one in counted:
        if one.figure in {"rejected", "unread"}:
            sums.setdefault((one.issuer, one.feed, one.detail), Counter())[one.figure] += one.count
    found = [Unread(*key, rejected=each["rejected"], unread=each["unread"]) for key, each in sums.items()]
    return sorted(found, key=lambda one: (-one.rejected - one.unread, one.issuer, one.feed, one.column))


def _ratio(records: float, people: float) -> float | None:
    return round(records / people, 4) if people else None


def _night(day: date) -> str:
    return f"{day.day} {day:%b}"


def _night_of_year(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _within_a_year(nights: Sequence[date]) -> bool:
    return not nights or (nights[-1] - nights[0]).days < 365


def _month(day: date) -> str:
    return f"{day:%b %Y}"


@cache
def _environment() -> Environment:
    made = pages.new_environment()
    made.filters |= {
        "draw": draw,
        "number": lambda value, digits: "not known" if value is None else f"{value:,.{digits}f}",
    }
    made.globals |= {"WIDTH": WIDTH, "HEIGHT": HEIGHT, "LEFT": LEFT, "RIGHT": RIGHT}
    return made
